import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Page } from 'playwright-core';
import { launchChromium } from '../test/support/launch-chromium.js';
import { smallPng } from './small-png.js';

/**
 * Takes the pictures of the pages of `npm start` that the documentation shows, into
 * `docs/pictures`. Needs Debian's Chromium.
 */

const folder = 'docs/pictures';

const desktop = { width: 1120, height: 900 };
const phone = { width: 390, height: 844 };
/**
 * The height in pixels at which a picture is cut, because it only illustrates the page.
 */
const MAX_HEIGHT = 1250;

/** The pictures, each with its path and screen. */
const pictures = [
  ['web-check-desktop-light', '/', desktop, 'light'],
  ['web-domain-desktop-light', '/o/domains/dane-mismatch.example', desktop, 'light'],
  ['web-overview-phone-dark', '/o', phone, 'dark'],
] as const;

const program = spawn(process.execPath, ['dist/tools/start.js', '--port', '0'], {
  stdio: ['ignore', 'pipe', 'ignore'],
});
const browser = await launchChromium();
try {
  const origin = await originOf();
  for (const [name, path, viewport, colorScheme] of pictures) {
    const context = await browser.newContext({ viewport, colorScheme });
    const page = await context.newPage();
    await page.goto(`${origin}${path}`);
    const file = join(folder, `${name}.png`);
    writeFileSync(file, smallPng(await taken(page, viewport.width)));
    console.log(`${file}, ${Math.round(statSync(file).size / 1024)} KiB`);
    await context.close();
  }
} finally {
  await browser.close();
  program.kill();
}

/** Returns the address that the program prints. */
async function originOf(): Promise<string> {
  for await (const line of createInterface({ input: program.stdout })) {
    const [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (origin !== undefined) return origin;
  }
  await once(program, 'exit');
  throw new Error('the program printed no address');
}

async function taken(page: Page, width: number): Promise<Buffer> {
  const height = Number(await page.evaluate('document.documentElement.scrollHeight'));
  const clip = { x: 0, y: 0, width, height: Math.min(height, MAX_HEIGHT) };
  return page.screenshot({ fullPage: true, clip });
}
