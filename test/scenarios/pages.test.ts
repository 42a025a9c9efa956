import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../../src/base/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, scenariosFor } from '../../src/lab/index.js';
import { createResolver } from '../../src/dns/index.js';
import { markup } from '../../src/page/index.js';
import { describeAction, openLedger } from '../../src/publish/index.js';
import { parseConfig, type JobContext } from '../../src/server/index.js';
import { publishSchema } from '../../src/server/jobs/job-sections.js';
import { planSource } from '../../src/server/plan-source.js';
import { openPublishing } from '../../src/server/publisher.js';
import { openStore } from '../../src/store/index.js';
import { TestPages } from '../support/testing-pages.js';
import { authoritativeNetwork } from '../support/publish/authoritative-network.js';
import { waitUntil } from '../support/wait-until.js';

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
    // Grades the same evidence by another profile.
    assert.match(await site.text(`${path}?profile=ncsc-nl-2025-05`), /ncsc-nl-2025-05 of/);
  }
});

test('a domain outside the lab is refused with a reason', async (t) => {
  const site = await TestPages.open(t, {}, { checkOptions: () => undefined });
  const response = await site.submit('example.com');
  assert.equal(response.status, 422);
  assert.match(await response.text(), /lab, which does not have this domain/);
});

test('the page of a plan shows the steps that publish plan prints', async (t) => {
  const domain = 'signed-only.example';
  const lab = await createLab({ scenarios: scenariosFor([domain]) });
  t.after(() => lab.close());
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-plan-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const store = await openStore(':memory:');
  const resolver = createResolver(lab);
  const { network, trustStore } = lab;
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const context = {
    network,
    localNetwork: authoritativeNetwork(network),
    resolver,
    trustStore,
    store,
    log,
  };
  const publish = publishSchema.parse({
    keys: join(folder, 'keys'),
    hosts: { [`mx.${domain}`]: {} },
    domains: { [domain]: { mx: [`mx.${domain}`] }, 'other.example': { mx: ['mx.other.example'] } },
  });
  const jobContext = { ...context, clock: systemClock, publish } as unknown as JobContext;
  const plans = planSource(jobContext, new AbortController().signal);
  const site = await TestPages.open(t, {}, { ...context, plans });
  const path = `/o/domains/${domain}/plan`;
  const page = await waitUntil('the plan', async () => {
    const shown = await site.ask(path, { operator: true, from: '127.0.0.1' });
    return shown.headers.has('refresh') ? undefined : shown.text();
  });
  const { plan } = openPublishing(publish, jobContext);
  const printed = await plan(({ name }) => name.endsWith(domain));
  const lines = printed.flatMap(({ place, steps, waits }) => [
    place,
    // The page begins each step with a capital letter.
    ...steps.map(({ action }) => describeAction(action).slice(1)),
    ...waits.map(({ why }) => why),
  ]);
  assert.ok(printed.some(({ steps }) => steps.length > 0));
  for (const line of lines) assert.ok(page.includes(markup`${line}`.text), line);
  assert.doesNotMatch(page, /other\.example/);
  // The daemon saved nothing and generated no key.
  assert.deepEqual(openLedger(store).domain(domain).served, []);
  assert.deepEqual(readdirSync(folder), []);
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
  // Control: the walk over imports finds this package, because the application imports
  // it.
  visit('dist/src/web/app/create-app.js');
  assert.ok([...packages].some((name) => name.includes('hono')));
  // The first sign-in by a provider loads this module.
  assert.ok(!packages.has('openid-client'));
});

test('the operator port is refused on a public address', () => {
  const problemsOf = (address: string): readonly string[] => {
    const config = parseConfig(`pages: {operatorPort: '${address}'}`);
    return config.ok ? [] : config.failure.map(({ path, says }) => `${path} ${says}`);
  };
  for (const address of ['8080', '127.0.0.1:8080', '127.1.2.3:8080', '[::1]:8080'])
    assert.deepEqual(problemsOf(address), [], address);
  for (const address of ['0.0.0.0:8080', '[::]:8080', '192.0.2.1:80', '10.0.0.1:80', 'unix:/tmp/a'])
    assert.match(problemsOf(address).join(), /operatorPort is not a loopback address/, address);
});
