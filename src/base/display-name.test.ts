import assert from 'node:assert/strict';
import { domainToASCII } from 'node:url';
import test from 'node:test';
import { displayName, safeUnicode } from './display-name.js';

const shown = ['bücher.example', 'straße.example', 'παράδειγμα.example', 'почта.example'];
const scripts = ['メール.example', '日本語.example', '한국어.example', 'भारत.example'];

test('a safe internationalised name is shown in both forms', () => {
  assert.equal(displayName('xn--bcher-kva.example'), 'xn--bcher-kva.example (bücher.example)');
  for (const name of [...shown, ...scripts]) {
    const ascii = domainToASCII(name);
    assert.equal(safeUnicode(ascii), name, ascii);
  }
});

test('a plain name is shown once', () => {
  for (const name of ['good.example', 'mx-1.good.example', '', '.'])
    assert.equal(displayName(name), name);
});

const hidden: Readonly<Record<string, string>> = {
  'a whole label of Cyrillic lookalikes': 'аррӏе.example',
  'another one': 'соса.example',
  'Latin with one Cyrillic letter': 'pаypal.example',
  'Greek with one Latin letter': 'αβγδa.example',
  'Greek lookalikes': 'νικο.example',
  'a dotless i': 'mıcrosoft.example',
  'Latin alpha': 'ɑpple.example',
  'Hebrew, which runs from right to left': 'דואר.example',
  'Arabic, which runs from right to left': 'بريد.example',
  'a sound mark instead of a hyphen': 'aーb.example',
  'a katakana letter like a slash': 'example.comノlogin.example',
  'one ideograph that looks like a dash': '一.example',
  Cherokee: 'ꮇꭺꮖꮮ.example',
};

for (const [what, name] of Object.entries(hidden))
  test(`the U-label is not shown: ${what}`, () => {
    const ascii = domainToASCII(name);
    assert.equal(displayName(ascii), ascii);
  });

test('an A-label that decodes to nothing or to another label is shown unchanged', () => {
  for (const name of ['xn--a.example', 'xn--.example', 'xn--zzzzzz-.example', 'xn--a-ecp.ru'])
    assert.equal(displayName(name), name);
});
