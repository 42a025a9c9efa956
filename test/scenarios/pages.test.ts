import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, scenariosFor } from '../../src/lab/index.js';
import { parseConfig } from '../../src/server/index.js';
import { TestPages } from '../support/testing-pages.js';

test('a report, its progress and the script stay small', async (t) => {
  const domains = ['good.example', 'stripped.example'];
  const lab = await createLab({ scenarios: scenariosFor(domains) });
  t.after(() => lab.close());
  const site = await TestPages.open(t, {}, { checkOptions: () => labOptions(lab) });
  const first = await site.text('/');
  const script = await site.text(/\/assets\/live-[0-9a-f]+\.js/.exec(first)?.[0] ?? '');
  assert.ok(script.includes('EventSource') && script.length <= 5000, String(script.length));
  for (const domain of domains) {
    const path = await site.checked(domain);
    const page = await site.text(path);
    assert.match(page, /Mail today and under attack/);
    const octets = gzipSync(page).length;
    assert.ok(octets <= 10_000, `${domain}: ${octets}`);
    const badge = await site.ask(`${path}/badge.svg`);
    assert.equal(badge.headers.get('content-type'), 'image/svg+xml');
    assert.match(await badge.text(), domain === 'good.example' ? />protected</ : />not protected</);
    // Other rules, without another check.
    assert.match(await site.text(`${path}?profile=ncsc-nl-2025-05`), /ncsc-nl-2025-05 of/);
  }
});

test('a domain outside the lab is refused with a reason', async (t) => {
  const site = await TestPages.open(t, {}, { checkOptions: () => undefined });
  const response = await site.submit('example.com');
  assert.equal(response.status, 422);
  assert.match(await response.text(), /lab, which does not have this domain/);
});

test('a daemon without pages does not load the web framework', () => {
  const seen = new Set<string>();
  const packages = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file) || !existsSync(file)) return;
    seen.add(file);
    const text = readFileSync(file, 'utf8');
    for (const [, target = ''] of text.matchAll(/^(?:import|export)\b[^;]*?from '([^']+)';/gms))
      if (target.startsWith('.')) visit(join(dirname(file), target));
      else packages.add(target);
  };
  visit('dist/src/server/index.js');
  assert.ok(seen.size > 200, String(seen.size));
  assert.ok(packages.has('zod'));
  assert.deepEqual(
    [...packages].filter((name) => name.includes('hono')),
    [],
  );
  // The walk would find it, because the application imports it.
  visit('dist/src/web/app/create-app.js');
  assert.ok([...packages].some((name) => name.includes('hono')));
  // Loaded with the first sign-in by a provider.
  assert.ok(!packages.has('openid-client'));
});

test('the operator port is refused on an address that others reach', () => {
  const problemsOf = (address: string): readonly string[] => {
    const config = parseConfig(`pages: {operatorPort: '${address}'}`);
    return config.ok ? [] : config.failure.map(({ path, says }) => `${path} ${says}`);
  };
  for (const address of ['8080', '127.0.0.1:8080', '127.1.2.3:8080', '[::1]:8080'])
    assert.deepEqual(problemsOf(address), [], address);
  for (const address of ['0.0.0.0:8080', '[::]:8080', '192.0.2.1:80', '10.0.0.1:80', 'unix:/tmp/a'])
    assert.match(problemsOf(address).join(), /operatorPort is not a loopback address/, address);
});
