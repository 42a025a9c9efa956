import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test, { after, before } from 'node:test';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium, withoutChromium } from '../support/launch-chromium.js';
import { systemClock } from '../../src/base/index.js';
import { createLog } from '../../src/server/index.js';
import { listenWeb } from '../../src/server/listeners/web-listener.js';
import { openStore } from '../../src/store/index.js';
import { builtinTrustStore } from '../../src/tls/index.js';
import { prepareReports } from '../../src/tls-rpt-receive/index.js';
import { CheckTable } from '../../src/web/checks/check-table.js';
import { openPages, pagesSection, type Pages } from '../../src/web/index.js';
import { checkHostile, hostileText } from '../scenarios/hostile-server.js';
import { storeTestReports } from '../support/report/reports.js';
import { silentNetwork, zoneResolver } from '../support/testing-pages.js';
import { finishedScan, sampleNumbers } from '../support/scan-statistics.js';
import { waitUntil } from '../support/wait-until.js';

const skip = withoutChromium;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Runs axe in the page; returns each violation with its elements. */
const FIND_VIOLATIONS = `axe.run().then((found) =>
  found.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')))`;
const widths = [320, 768, 1280] as const;

let browser: Browser;
let program: ChildProcess;
let origin = '';

before(async () => {
  if (skip) return;
  // The program of `npm start`: the daemon inside the lab.
  program = spawn(process.execPath, ['dist/tools/start.js', '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  program.stdout?.on('data', (octets: Buffer) => (said += octets.toString()));
  origin = await waitUntil('the URL', () => /http:\/\/127\.0\.0\.1:\d+/.exec(said)?.[0]);
  browser = await launchChromium();
});

after(async () => {
  if (skip) return;
  await browser.close();
  program.kill();
});

/** A page, and the events that must not occur on this page. */
interface Opened {
  readonly page: Page;
  readonly noise: string[];
}

async function open(options: BrowserContextOptions = {}): Promise<Opened> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const noise: string[] = [];
  page.on('console', (message) => void noise.push(`console ${message.text()}`));
  page.on('pageerror', (error) => void noise.push(`error ${error.message}`));
  page.on('dialog', (dialog) => void (noise.push('dialog'), dialog.dismiss()));
  page.on('request', (request) => {
    const { hostname } = new URL(request.url());
    if (hostname !== '127.0.0.1') noise.push(`request ${request.url()}`);
  });
  return { page, noise };
}

async function submit(page: Page, domain: string): Promise<void> {
  await page.goto(`${origin}/`);
  await page.fill('#domain', domain);
  await page.click('form.field button');
}

test('the form leads to the report, which fills in while the check runs', { skip }, async () => {
  const { page, noise } = await open();
  await submit(page, 'two-keys.example');
  const rows = await page.waitForSelector('[data-live] tbody tr, #share');
  assert.ok(rows);
  await page.waitForSelector('#share');
  assert.match(await page.innerText('h1'), /two-keys\.example/);
  assert.deepEqual(noise, []);
  const address = page.url();
  await page.click('text=Check again');
  await page.waitForSelector('#share');
  assert.notEqual(page.url(), address);
  assert.match(await page.innerText('main'), /Nothing has changed since|Changes since/);
  await page.context().close();
});

test('without scripts the form leads to the report', { skip }, async () => {
  const { page, noise } = await open({ javaScriptEnabled: false });
  await submit(page, 'opportunistic.example');
  await page.waitForSelector('#share', { timeout: 60_000 });
  assert.match(await page.innerText('h1'), /opportunistic\.example/);
  assert.deepEqual(noise, []);
  await page.context().close();
});

test('a record and a command can be copied, with a script only', { skip }, async () => {
  const { page, noise } = await open({ permissions: ['clipboard-read', 'clipboard-write'] });
  await submit(page, 'two-keys.example');
  await page.waitForSelector('#share');
  const boxes = await Promise.all((await page.$$('pre.code')).map((box) => box.textContent()));
  assert.ok(boxes.length >= 3);
  assert.equal((await page.$$('.paste .copy')).length, boxes.length);
  await page.click('.copy >> nth=1');
  await page.waitForSelector('text=Copied');
  assert.equal(await page.evaluate('navigator.clipboard.readText()'), boxes[1]);
  assert.deepEqual(noise, []);
  const { page: still } = await open({ javaScriptEnabled: false });
  await still.goto(page.url());
  assert.equal((await still.$$('.copy')).length, 0);
  await page.context().close();
  await still.context().close();
});

test('the keyboard alone reaches the report', { skip }, async () => {
  const { page } = await open();
  await page.goto(`${origin}/`);
  const focused = (): Promise<string> =>
    page.evaluate('document.activeElement.id || document.activeElement.className');
  const path: string[] = [];
  for (let step = 0; step < 12 && path.at(-1) !== 'domain'; step++) {
    await page.keyboard.press('Tab');
    path.push(await focused());
  }
  assert.equal(path[0], 'skip');
  assert.equal(path.at(-1), 'domain');
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle');
  assert.equal(outline, 'solid');
  await page.keyboard.type('good.example');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#share');
  await page.context().close();
});

test('every route fits the screen, and axe finds no violation', { skip }, async () => {
  const first = await open();
  await submit(first.page, 'dane-mismatch.example');
  await first.page.waitForSelector('#share');
  const report = new URL(first.page.url()).pathname;
  await first.page.context().close();
  const routes = [
    '/',
    report,
    '/api',
    '/about',
    '/opt-out',
    '/privacy',
    '/nothing',
    '/o',
    '/o/domains/dane-mismatch.example',
    '/o/domains/dane-mismatch.example/checks',
    '/o/domains/good.example/published',
    '/o/domains/good.example/plan',
    '/o/domains/signed-only.example/plan',
    '/o/alerts',
    '/o/reporters',
    '/o/reports',
    '/o/reports?only=uncounted',
    '/o/reports/1',
    '/o/sending',
    '/o/settings',
    '/o/sessions',
    '/o/users',
    '/o/tokens',
    '/o/customers',
    '/o/customers/acme',
    '/o/audit',
  ];
  for (const colorScheme of ['light', 'dark'] as const)
    for (const width of widths) {
      // The test injects axe past the security policy. The page itself is unchanged.
      const viewport = { width, height: 900 };
      const { page } = await open({ viewport, colorScheme, bypassCSP: true });
      for (const route of routes) {
        await page.goto(`${origin}${route}`);
        const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        assert.ok(Number(wider) <= 0, `${route} at ${width}: ${String(wider)} pixels too wide`);
        // The layout at 768 pixels equals one of the others. Colours do not depend on the
        // width.
        if (width === 768 || (width === 1280 && colorScheme === 'dark')) continue;
        await page.addScriptTag({ content: axe });
        const violations = await page.evaluate(FIND_VIOLATIONS);
        assert.deepEqual(violations, [], `${route} at ${width}, ${colorScheme}`);
      }
      await page.context().close();
    }
});

const pageOf = (domain: string, query = ''): string => `/o/domains/${domain}${query}`;
const expired = pageOf('expired-enforced.example');

/**
 * The questions of an operator on call, the page with the answer for the generated month,
 * and that answer.
 */
const questions: readonly (readonly [question: string, path: string, answer: RegExp])[] = [
  [
    'is anything broken now, where, since when',
    '/o',
    /Of \d domains, \d are failing[\s\S]*expired-enforced\.example<\/a>\s*<span class="says">\d+ of \d+ sessions failed since \d/,
  ],
  ['is mail lost or only reported', expired, /not delivered to this host[\s\S]*finally bounce/],
  [
    'is it me or them',
    pageOf('xn--bcher-kva.example', '?days=30'),
    /cause: the reporter[\s\S]*reported by stale\.example/,
  ],
  [
    'which host, address and certificate',
    expired,
    /at mx\.expired-enforced\.example[\s\S]*<dt>Addresses<\/dt><dd>[0-9a-f.:]+[\s\S]*<dt>Certificate<\/dt>/,
  ],
  [
    'why, and what to do',
    expired,
    /<dt>Cause<\/dt><dd>[^<]+[\s\S]*<h4>Steps<\/h4>\s*<ol><li>[^<]+/,
  ],
  [
    'when did it begin',
    pageOf('dane-mismatch.example'),
    /Numbers and changes of each day[\s\S]*<dt>When<\/dt><dd>since \w+ \d+ \w+, not ended/,
  ],
  [
    'did the reporter see my current policy',
    pageOf('testing-mode.example'),
    /3 of 3 reporters applied the currently published policy/,
  ],
  ['is it an attack', pageOf('sts-only.example'), /cause: the network/],
  [
    'is it safe to enforce',
    pageOf('testing-mode.example'),
    /safe to enforce MTA-STS\?<\/h2>\s*<p><b>(Yes|Not yet)\./,
  ],
  [
    'is it safe to remove the old key',
    pageOf('dane-mismatch.example'),
    /safe to remove the old key\?<\/h3><p>(Every TLSA record|\d+ TLSA records)/,
  ],
  ['are reports still coming', expired, /data-column="Arrival">(fine|silent since)/],
  [
    'who sends to me, how much is protected',
    expired,
    /% of the sessions were under MTA-STS or DANE[\s\S]*Reporters, the most sessions first/,
  ],
  [
    'how does each customer fare',
    '/o/customers',
    /Customers, worst first[\s\S]*acme[\s\S]*data-column="Failing">\d/,
  ],
  [
    'which reports are forged or wrong',
    '/o/reports?only=uncounted',
    /Not counted:[\s\S]*the mail has no signature[\s\S]*forged\.example/,
  ],
];

/** Returns the links of a page to the operator's pages. */
async function linksOf(path: string): Promise<ReadonlySet<string>> {
  const page = await (await fetch(`${origin}${path}`)).text();
  const links = [...page.matchAll(/href="(\/o[^"]*)"/g)].map(([, link = '']) => link);
  return new Set(links.map((link) => link.replaceAll('&amp;', '&')));
}

for (const [question, path, answer] of questions)
  test(`within two clicks of the overview: ${question}`, { skip }, async () => {
    const first = await linksOf('/o');
    const [parent = ''] = path.split('?');
    if (path !== '/o' && !first.has(path)) {
      assert.ok(first.has(parent), `the overview has no link to ${parent}`);
      assert.ok((await linksOf(parent)).has(path), `${parent} has no link to ${path}`);
    }
    assert.match(await (await fetch(`${origin}${path}`)).text(), answer);
  });

test('the plan of each published domain is two clicks from the overview', { skip }, async () => {
  const path = pageOf('signed-only.example');
  assert.ok((await linksOf('/o')).has(path));
  assert.ok((await linksOf(path)).has(`${path}/plan`));
  const plan = await waitUntil('the plan', async () => {
    const response = await fetch(`${origin}${path}/plan`);
    return response.headers.has('refresh') ? undefined : response.text();
  });
  assert.match(
    plan,
    /<ins>\+ mta-sts\.signed-only\.example\. 3600 IN CNAME www\.lab\.example\.<\/ins>/,
  );
});

test('hostile text runs nothing, loads nothing and violates no policy', { skip }, async () => {
  const { evidence } = await checkHostile();
  const store = await openStore(':memory:');
  prepareReports(store);
  const table = new CheckTable(store);
  const id = '0123456789abcdefghijkl';
  const askedAt = Date.now();
  await table.insert({ id, domain: 'hostile.example', state: 'running', askedAt }, '');
  await table.finish(id, askedAt, evidence);
  const day = new Date(askedAt - 86_400_000).toISOString().slice(0, 10);
  const details = [
    { result: hostileText, count: 9, mx: hostileText, ip: hostileText, reason: hostileText },
  ];
  const policies = [{ domain: 'hostile.example', mx: [hostileText], failed: 9, details }];
  storeTestReports(store, [
    { reporter: hostileText, day, policies },
    { reporter: `2${hostileText}`, day, trust: 'unsigned', policies },
  ]);
  const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
  const context = {
    network: silentNetwork(),
    resolver: zoneResolver([]),
    trustStore: builtinTrustStore(),
    store,
    clock: systemClock,
    log,
  };
  const pages = await openPages(pagesSection.parse({}), context, { hasOperatorPages: true });
  const { own, close } = await serve(pages, log);
  const { page, noise } = await open();
  for (const path of [
    `/check/${id}`,
    `/o/domains/hostile.example`,
    '/o',
    '/o/reporters',
    '/o/reports',
    '/o/reports/1',
    '/o/reports/2',
  ]) {
    const response = await page.goto(`${own}${path}`);
    assert.equal(response?.status(), 200, path);
    const text = await page.content();
    assert.doesNotMatch(text, /[\u202e\u2066]/, path);
    assert.equal(await page.locator('img, script:not([src])').count(), 0, path);
  }
  assert.deepEqual(noise, []);
  await page.context().close();
  await close();
});

test(
  'statistics fit the screen without scripts, and axe finds no violation',
  { skip },
  async (t) => {
    const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
    const pages = await openPages(pagesSection.parse({}), {
      network: silentNetwork(),
      resolver: zoneResolver([]),
      trustStore: builtinTrustStore(),
      store: await openStore(':memory:'),
      clock: systemClock,
      log,
      statistics: { scans: async () => [finishedScan], numbers: async () => sampleNumbers },
    });
    const { own, close } = await serve(pages, log);
    t.after(close);
    for (const colorScheme of ['light', 'dark'] as const)
      for (const width of [320, 1280]) {
        const viewport = { width, height: 900 };
        const { page, noise } = await open({ viewport, colorScheme, bypassCSP: true });
        for (const route of ['/statistics', '/statistics/7/overview', '/statistics/7/mta-sts']) {
          await page.goto(`${own}${route}`);
          const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
          assert.ok(Number(wider) <= 0, `${route} at ${width}: ${String(wider)} pixels too wide`);
          await page.addScriptTag({ content: axe });
          const violations = await page.evaluate(FIND_VIOLATIONS);
          assert.deepEqual(violations, [], `${route} at ${width}, ${colorScheme}`);
        }
        assert.deepEqual(noise, []);
        await page.context().close();
      }
    const { page } = await open({ javaScriptEnabled: false });
    await page.goto(`${own}/statistics`);
    await page.click('text=Tranco <top>');
    await page.click('text=DANE');
    assert.match(await page.innerText('main'), /with a property of dane[\s\S]*3 of 4/);
    assert.equal(await page.locator('ul.bars').count(), 1);
    await page.context().close();
  },
);

/** Serves pages on a separate port. */
async function serve(
  pages: Pages,
  log: ReturnType<typeof createLog>,
): Promise<{ readonly own: string; close(): Promise<void> }> {
  const listener = await listenWeb(
    { address: '127.0.0.1', port: 0 },
    {
      sites: [{ serves: () => true, handle: pages.handler(true) }],
      log,
      limits: { connections: 50 },
    },
  );
  return {
    own: `http://127.0.0.1:${'port' in listener.at ? listener.at.port : 0}`,
    async close() {
      pages.stop();
      await listener.close(0);
    },
  };
}
