import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { z } from 'zod';
import {
  openReports,
  showDomain,
  showOverview,
  storeReports,
  type DomainView,
  type Overview,
} from '../index.js';
import { reportSchemas } from '../render/report-schemas.js';
import { storeRefusals } from '../tables/refusals.js';
import { reportJson } from '../../../test/support/report/mail.js';
import { parseReport } from '../../tls-rpt/index.js';
import { judgeTrust } from '../verify/judge-trust.js';
import type { domainViewSchema, overviewSchema } from './view-schema.js';

type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

const now = Date.parse('2027-01-05T12:00:00Z');

test('the schemas of views accept exactly what the types describe, and are published', () => {
  // The compiler rejects these functions if a field exists only in the type or only in
  // the schema.
  const domain = (value: DomainView): Frozen<z.infer<typeof domainViewSchema>> => value;
  const overview = (value: Overview): Frozen<z.infer<typeof overviewSchema>> => value;
  for (const check of [domain, overview]) assert.equal(typeof check, 'function');
  const all = Object.entries(reportSchemas());
  assert.equal(all.length, 3);
  for (const [file, schema] of all)
    assert.deepEqual(
      JSON.parse(readFileSync(`schemas/${file}`, 'utf8')),
      JSON.parse(JSON.stringify(schema)),
      `${file}: npm run generated`,
    );
});

async function views(): Promise<{ domain: DomainView; overview: Overview }> {
  const store = await openReports(':memory:');
  const texts = [
    reportJson(10, 3, 'a', '2027-01-02'),
    reportJson(10, 4, 'a', '2027-01-03'),
    reportJson(10, 0, 'b', '2027-01-03', 'rcpt.example', 'tls@other.example').replace(
      '"mx-host":["mx1.rcpt.example"]',
      '"mx-host":"mx1.rcpt.example"',
    ),
    reportJson(2, 0, 'c', '2027-01-03').replace(
      /"policy-type":"sts","policy-string":\[[^\]]*\]/,
      `"policy-type":"tlsa","policy-string":["3 1 1 ${'ab'.repeat(32)}"]`,
    ),
  ];
  const received = [...texts, texts[0] ?? ''].map((json) => {
    const parsed = parseReport(json);
    assert.ok(parsed.ok);
    return {
      reading: judgeTrust({ name: 'f', via: 'file', raw: Buffer.from(json), parsed }, { at: now }),
      parsed: parsed.value,
      receivedAt: now,
    };
  });
  const forged = parseReport(reportJson(5, 5, 'd', '2029-01-01'));
  assert.ok(forged.ok);
  const reading = judgeTrust(
    { name: 'f', via: 'https', raw: Buffer.from('{}'), parsed: forged },
    { at: now },
  );
  storeReports(store, [...received, { reading, parsed: forged.value, receivedAt: now }]);
  storeRefusals(store, [
    { day: Math.floor(now / 86_400_000), via: 'https', code: 'report-not-json' },
  ]);
  return {
    domain: showDomain(store, 'rcpt.example', { now }),
    overview: showOverview(store, { now }),
  };
}

/**
 * Yields changed copies of a value: at each position a member is missing, has another
 * type, or is added.
 */
function* mutations(
  value: unknown,
  put: (changed: unknown) => unknown = (changed) => changed,
): Generator<unknown> {
  if (Array.isArray(value)) {
    yield put('text');
    const [head, ...others] = value as readonly unknown[];
    if (head !== undefined)
      yield* mutations(head, (changed) => put([changed, ...others] as unknown));
    return;
  }
  if (typeof value !== 'object' || value === null) {
    yield put({});
    return;
  }
  yield put({ ...value, more: 1 });
  for (const [key, member] of Object.entries(value)) {
    yield* mutations(member, (changed) => put({ ...value, [key]: changed }));
    const { [key]: gone, ...rest } = value as Record<string, unknown>;
    const optional = [
      'means',
      'certificate',
      'last',
      'settle',
      'trustedMailbox',
      'reason',
      'unnamed',
    ];
    if (!optional.includes(key) && gone !== undefined) yield put(rest);
  }
}

test('what report show prints is valid, and every mutation of it is rejected', async () => {
  const { domain, overview } = await views();
  assert.ok(
    domain.failures.length > 0 &&
      domain.repairs.length > 0 &&
      domain.quotedRecords.length > 0 &&
      domain.seenPolicies.length > 0,
  );
  assert.ok(
    overview.failing.length > 0 && overview.refused.length > 0 && overview.uncounted.length > 0,
  );
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  const published = reportSchemas();
  for (const [file, view] of [
    ['hermetic.report-view-1.json', domain],
    ['hermetic.report-overview-1.json', overview],
  ] as const) {
    const valid = ajv.compile(published[file] as object);
    const plain: unknown = JSON.parse(JSON.stringify(view));
    assert.ok(valid(plain), JSON.stringify(valid.errors));
    let count = 0;
    for (const mutated of mutations(plain)) {
      count++;
      assert.equal(valid(mutated), false, JSON.stringify(mutated).slice(0, 3000));
    }
    assert.ok(count > 30, `${count} mutations`);
  }
});
