import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { launchChromium } from '../test/support/launch-chromium.js';
import { checkDomains } from '../src/cli/check-domains.js';
import { grade, renderHtml } from '../src/check/index.js';
import type { CheckResult } from '../src/evidence/index.js';
import { createLab } from '../src/lab/index.js';
import { smallPng } from './small-png.js';

/**
 * Takes the pictures of the HTML report that the documentation shows: four reports of
 * domains of the lab, at desktop and phone width, light and dark, into `docs/pictures`.
 * Needs Debian's Chromium.
 */

const folder = 'docs/pictures';

/**
 * The height in pixels at which a picture is cut, because it only illustrates the page.
 */
const MAX_HEIGHT = { desktop: 1500, phone: 1700 } as const;
/** Pixels of the picture at the top of README: the verdict and the scorecard. */
const SUMMARY_HEIGHT = 800;
const viewports = {
  desktop: { width: 1120, height: 900 },
  phone: { width: 390, height: 844 },
} as const;

const one = (name: string): readonly string[] => [`${name}.example`];
const reports: Readonly<Record<string, readonly string[]>> = {
  good: one('good'),
  stripped: one('stripped'),
  'two-keys': one('two-keys'),
  'twelve-domains': [
    ...['good', 'stripped', 'two-keys', 'uneven', 'opportunistic', 'expired'],
    ...['testing-mode', 'sts-only', 'xn--bcher-kva', 'no-mail', 'plaintext', 'two-certs'],
  ].flatMap(one),
};

/** Returns the results of these domains of the lab, each checked once. */
async function results(domains: readonly string[]): Promise<ReadonlyMap<string, CheckResult>> {
  const lab = await createLab();
  try {
    const evidence = await Promise.all(checkDomains(lab, domains));
    return new Map(
      evidence.map((seen) => [
        seen.domain,
        grade(seen, undefined, { options: { network: ' --lab', check: '' } }),
      ]),
    );
  } finally {
    await lab.close();
  }
}

/** A picture of the top of a page: the screen, its colours, and the height in pixels. */
interface Picture {
  readonly size: keyof typeof viewports;
  readonly colorScheme: 'light' | 'dark';
  readonly maxHeight: number;
}

async function take(browser: Browser, page: string, name: string): Promise<void> {
  for (const size of ['desktop', 'phone'] as const)
    for (const colorScheme of ['light', 'dark'] as const) {
      const picture = { size, colorScheme, maxHeight: MAX_HEIGHT[size] };
      await takeOne(browser, page, `report-${name}-${size}-${colorScheme}`, picture);
    }
}

async function takeOne(
  browser: Browser,
  page: string,
  file: string,
  { size, colorScheme, maxHeight }: Picture,
): Promise<void> {
  const viewport = viewports[size];
  const context = await browser.newContext({ viewport, colorScheme });
  const tab = await context.newPage();
  await tab.goto(`file://${page}`);
  const height = Number(await tab.evaluate('document.documentElement.scrollHeight'));
  const clip = { x: 0, y: 0, width: viewport.width, height: Math.min(height, maxHeight) };
  const taken = await tab.screenshot({ fullPage: true, clip });
  writeFileSync(join(folder, `${file}.png`), smallPng(taken));
  await context.close();
}

const temporary = mkdtempSync(join(tmpdir(), 'hermetic-pictures-'));
const browser = await launchChromium();
try {
  const found = await results([...new Set(Object.values(reports).flat())]);
  mkdirSync(folder, { recursive: true });
  for (const [name, domains] of Object.entries(reports)) {
    const page = join(temporary, `${name}.html`);
    writeFileSync(page, renderHtml(domains.flatMap((domain) => found.get(domain) ?? [])));
    await take(browser, page, name);
  }
  await takeOne(browser, join(temporary, 'stripped.html'), 'report-summary', {
    size: 'desktop',
    colorScheme: 'light',
    maxHeight: SUMMARY_HEIGHT,
  });
} finally {
  await browser.close();
  rmSync(temporary, { recursive: true });
}
const pictures = readdirSync(folder).filter((file) => file.endsWith('.png'));
const octets = pictures.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
console.log(`${pictures.length} pictures in ${folder}, ${Math.round(octets / 1024)} KiB`);
