import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../support/launch-chromium.js';
import {
  collect,
  collectOptions,
  grade,
  nameOf,
  renderHtml,
  renderJunit,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab } from '../../src/lab/index.js';
import { checkHostile } from '../scenarios/hostile-server.js';
import { runProgram } from './process.js';

const domains = [
  'stripped',
  'two-certs',
  'leftover',
  'uneven',
  'good',
  'no-mail',
  'rate-limited',
].map((name) => `${name}.example`);
const sizes = {
  desktop: { width: 1280, height: 900 },
  tablet: { width: 768, height: 1024 },
  phone: { width: 320, height: 568 },
};
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser: Browser;
let folder: string;
let results: CheckResult[];
const pages = new Map<string, string>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-report-'));
  const lab = await createLab();
  const options = collectOptions({ ...labOptions(lab), depth: 'inventory' });
  results = await Promise.all(
    domains.map(async (domain) => grade(await collect(nameOf(domain), options))),
  );
  await lab.close();
  const [hostile, tame] = await Promise.all([checkHostile(), checkHostile('tame text')]);
  const write = (name: string, of: readonly CheckResult[]): void => {
    pages.set(name, join(folder, `${name}.html`));
    writeFileSync(join(folder, `${name}.html`), renderHtml(of));
  };
  write('several', results);
  write('single', results.slice(1, 2));
  write('uneven', results.slice(3, 4));
  write('hostile', [hostile.result]);
  write('tame', [tame.result]);
  results.push(hostile.result);
  browser = await launchChromium();
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

interface Opened {
  readonly page: Page;
  /** Requests beyond the page itself, dialogs, and messages of the console. */
  readonly noise: string[];
}

async function open(name: string, options: BrowserContextOptions): Promise<Opened> {
  const page = await (await browser.newContext(options)).newPage();
  const noise: string[] = [];
  const address = `file://${pages.get(name) ?? ''}`;
  page.on(
    'request',
    (request) => void (request.url() === address || noise.push(`request ${request.url()}`)),
  );
  page.on('console', (message) => void noise.push(`console ${message.text()}`));
  page.on('dialog', (dialog) => void (noise.push('dialog'), dialog.dismiss()));
  await page.goto(address);
  return { page, noise };
}

for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`${size}, ${colorScheme}: nothing overflows or loads, axe finds no violation`, async () => {
      const grounds = new Set<string>();
      for (const name of ['several', 'single', 'uneven', 'hostile']) {
        // The page forbids scripts, so the test injects axe past its policy. The page
        // itself is unchanged.
        const { page, noise } = await open(name, { viewport, colorScheme, bypassCSP: true });
        const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.ok(Number(wider) <= 0, `${name}: ${String(wider)} pixels too wide`);
        const cut = await page.evaluate(
          `[...document.querySelectorAll('td, th, .badge')].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').length`,
        );
        assert.equal(cut, 0, `${name}: words run out of their cell`);
        grounds.add(String(await page.evaluate('getComputedStyle(document.body).backgroundColor')));
        const shot = await page.screenshot({
          path: join(
            process.env['HERMETIC_PICTURES'] ?? folder,
            `${name}-${size}-${colorScheme}.png`,
          ),
        });
        assert.ok(shot.length > 10_000, 'the picture is not empty');
        assert.deepEqual(noise, []);
        await page.addScriptTag({ content: axe });
        const violations = await page.evaluate(
          `axe.run().then((found) => found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))`,
        );
        assert.deepEqual(violations, [], name);
        await page.context().close();
      }
      assert.deepEqual(
        [...grounds],
        [colorScheme === 'light' ? 'rgb(251, 250, 247)' : 'rgb(18, 22, 28)'],
      );
    });
  }
}

test('a hostile server adds no element, script or request', async () => {
  const elements = async (name: string): Promise<unknown> => {
    const { page, noise } = await open(name, { viewport: sizes.desktop });
    const counts = await page.evaluate(
      `[...document.querySelectorAll('*')].reduce((all, e) => ({ ...all, [e.localName]: (all[e.localName] ?? 0) + 1 }), {})`,
    );
    assert.deepEqual(noise, []);
    await page.context().close();
    return counts;
  };
  const hostile = await elements('hostile');
  assert.deepEqual(hostile, await elements('tame'));
  assert.ok(!('script' in (hostile as object)) && !('img' in (hostile as object)));
});

test('print has a white background and every step, also from dark mode', async () => {
  const { page } = await open('single', { viewport: sizes.desktop, colorScheme: 'dark' });
  const file = join(folder, 'single.pdf');
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  assert.equal(
    await page.evaluate('getComputedStyle(document.body).backgroundColor'),
    'rgb(255, 255, 255)',
  );
  await page.pdf({ path: file, format: 'A4', printBackground: true });
  assert.ok(statSync(file).size > 10_000);
  const { out } = await runProgram('pdftotext', ['-layout', file, '-']);
  const wanted = results[1]?.findings.find((f) => f.severity === 'fail');
  assert.ok(wanted && wanted.steps.length > 1);
  const flat = out.replace(/\s+/g, '');
  for (const step of wanted.steps)
    assert.ok(flat.includes((step.text.split('\n')[0] ?? '').replace(/\s+/g, '')), step.text);
});

test('xmllint accepts JUnit with hostile text and rejects a changed one', async () => {
  const file = join(folder, 'report.xml');
  const judge = async (xml: string): Promise<number> => {
    writeFileSync(file, xml);
    return (
      await runProgram('xmllint', ['--noout', '--schema', 'test/vectors/junit/junit.xsd', file], {
        anyStatus: true,
      })
    ).code;
  };
  const xml = renderJunit(results);
  assert.equal(await judge(xml), 0);
  for (const changed of [
    xml.replace('tests="', 'test="'),
    xml.replace('</testsuites>', ''),
    xml.replace('<failure message=', '<failure text='),
  ])
    assert.notEqual(await judge(changed), 0);
});
