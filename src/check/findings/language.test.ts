import assert from 'node:assert/strict';
import test from 'node:test';
import { catalogue, describeFinding, type FindingId } from './catalogue.js';

/** Returns the number of words of a text; a code, a record or an address is one word. */
const words = (text: string): number => text.split(/\s+/).filter((word) => /\w/.test(word)).length;
const sentences = (text: string): string[] => text.split(/(?<=[.!?]["')]?) (?=[A-Z"])/);

const ids = Object.keys(catalogue) as FindingId[];

test('the title of every finding states a fact in at most ten words', () => {
  for (const id of ids) {
    const { title } = describeFinding(id);
    // `the mail host` is a placeholder for one name here.
    const counted = words(title.replace(/the mail host/gi, 'host').replace(/the domain/g, 'it'));
    assert.ok(counted <= 10, `${id}: ${counted} words: ${title}`);
    assert.doesNotMatch(title, /\.$/, id);
  }
});

test('no sentence of a finding has more than 20 words', () => {
  for (const id of ids) {
    const { why, fix } = describeFinding(id);
    const { passed = '' } = catalogue[id] as { readonly passed?: string };
    for (const sentence of [...sentences(why), ...sentences(fix), passed])
      assert.ok(words(sentence) <= 20, `${id}: ${words(sentence)} words: ${sentence}`);
  }
});

test('why and fix are whole sentences, and a passed test is a fact without a full stop', () => {
  for (const id of ids) {
    const { why, fix } = describeFinding(id);
    for (const text of [why, fix]) assert.match(text, /^[A-Z"].*[.)]$|ADDRESS$/, id);
    const { passed } = catalogue[id] as { readonly passed?: string };
    if (passed !== undefined) assert.match(passed, /^[A-Z].*[^.]$/, id);
  }
});
