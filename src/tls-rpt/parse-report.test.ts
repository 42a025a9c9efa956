import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import {
  parseReport,
  reportFailures,
  reportQuirks,
  unpackReports,
  type ParsedReport,
} from './index.js';
import type { Result } from '../base/index.js';

interface Case {
  readonly file: string;
  readonly says: string;
  readonly successful?: number;
  readonly failed?: number;
  readonly notes?: readonly string[];
  readonly unforeseen?: readonly string[];
  readonly refused?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The number of reports in the file, if it contains several. */
  readonly reports?: number;
}

const folder = 'test/vectors/tls-rpt';
const corpus = JSON.parse(readFileSync(join(folder, 'corpus.json'), 'utf8')) as readonly Case[];
const contents = corpus.filter((c) => !c.file.endsWith('.eml') && c.reports === undefined);

function read(file: string): Result<ParsedReport> {
  const [unpacked] = unpackReports(readFileSync(join(folder, file)));
  assert.ok(unpacked);
  if (!unpacked.ok) return unpacked;
  const domain = file.split('!')[1];
  const parsed = parseReport(unpacked.value.bytes, domain ? { domain } : {});
  if (!parsed.ok) return parsed;
  const quirks = unpacked.value.quirks.map((code) => ({ code, path: '', detail: '', count: 1 }));
  return { ok: true, value: { ...parsed.value, notes: [...quirks, ...parsed.value.notes] } };
}

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce((v, key) => (v as Record<string, unknown> | undefined)?.[key], value);
}

// [8460-4-3, 8460-6.3-1, 8460-6.6-1]
for (const { file, says, successful, failed, notes, unforeseen, refused, fields } of contents) {
  test(`${file}: ${says}`, () => {
    const result = read(file);
    if (refused !== undefined)
      return assert.equal(result.ok ? 'accepted' : result.failure.code, refused);
    assert.ok(result.ok, result.ok ? '' : `${result.failure.code} ${result.failure.detail}`);
    const { report } = result.value;
    const sum = (of: 'totalSuccessfulSessionCount' | 'totalFailureSessionCount'): number =>
      report.policies.reduce((n, p) => n + p[of], 0);
    assert.deepEqual(
      {
        successful: sum('totalSuccessfulSessionCount'),
        failed: sum('totalFailureSessionCount'),
        notes: result.value.notes.map((n) => n.code).sort(),
        unforeseen: result.value.unforeseen.map((u) => u.path).sort(),
      },
      { successful, failed, notes, unforeseen: unforeseen ?? [] },
    );
    for (const [path, expected] of Object.entries(fields ?? {}))
      assert.deepEqual(at(report, path) ?? null, expected, path);
  });
}

test('the corpus shows every quirk and every refusal', () => {
  const shown = new Set(corpus.flatMap((c) => [...(c.notes ?? []), c.refused ?? '']));
  const missing = [
    ...Object.keys(reportQuirks.entries),
    ...Object.keys(reportFailures.entries),
  ].filter((code) => !shown.has(code));
  assert.deepEqual(missing, []);
  assert.ok(Object.keys(reportFailures.entries).length <= 10);
  assert.ok(corpus.length >= 60);
});

const withTotals = (failed: string, details?: string): string =>
  `{"policies":[{"policy":{"policy-type":"sts","policy-domain":"rcpt.example"},` +
  `"summary":{"total-successful-session-count":3${failed === '' ? '' : `,"total-failure-session-count":${failed}`}}` +
  `${details === undefined ? '' : `,"failure-details":${details}`}}]}`;

function failuresIn(text: string): number | string {
  const parsed = parseReport(text);
  return parsed.ok
    ? (parsed.value.report.policies[0]?.totalFailureSessionCount ?? -1)
    : parsed.failure.code;
}

// [8460-4.4-11]
test('a positive number of failures never becomes none', () => {
  for (const [failed, counted] of [
    ['12.5', 13],
    ['0.5', 1],
    ['"2.5"', 3],
    ['[7]', 7],
    ['"7"', 7],
    ['1e308', 'report-impossible'],
    ['1e309', 'report-impossible'],
    ['9223372036854775808', 'report-impossible'],
    ['"9223372036854775808"', 'report-impossible'],
    ['"1e308"', 'report-impossible'],
    ['0', 0],
    ['-1', 0],
    ['"none"', 0],
  ] as const)
    assert.equal(failuresIn(withTotals(failed)), counted, failed);
});

// [8460-4.4-11]
test('without a total each detail without a count is one failed session at least', () => {
  const detail = (count?: string): string =>
    `{"result-type":"certificate-expired"${count === undefined ? '' : `,"failed-session-count":${count}`}}`;
  for (const [details, counted] of [
    [`[${detail()}]`, 1],
    [detail(), 1],
    [`[${detail()},${detail('4')},${detail('-4')}]`, 6],
    [`[${detail('"many"')}]`, 1],
    [`[${detail('0')}]`, 0],
    ['[]', 0],
  ] as const) {
    assert.equal(failuresIn(withTotals('', details)), counted, details);
    assert.equal(failuresIn(withTotals('null', details)), counted, details);
  }
  assert.equal(failuresIn(withTotals('5', `[${detail()}]`)), 5);
});

// [8460-1.1-1]
test('a policy without a domain does not get that of a mail host', () => {
  const policy = (type: string, domain?: string): string =>
    `{"policy":{"policy-type":"${type}"${domain === undefined ? '' : `,"policy-domain":"${domain}"`}},` +
    '"summary":{"total-successful-session-count":1,"total-failure-session-count":8}}';
  const domainsIn = (...policies: readonly string[]): readonly (string | undefined)[] => {
    const parsed = parseReport(`{"policies":[${policies.join()}]}`);
    return parsed.ok ? parsed.value.report.policies.map((p) => p.policyDomain) : [];
  };
  const host = policy('tlsa', 'mx1.rcpt.example');
  const named = policy('sts', 'rcpt.example');
  const [bare, dane] = [policy('no-policy-found'), policy('tlsa')];
  assert.deepEqual(domainsIn(host, bare), ['mx1.rcpt.example', undefined]);
  assert.deepEqual(domainsIn(host, named, bare), [
    'mx1.rcpt.example',
    'rcpt.example',
    'rcpt.example',
  ]);
  assert.deepEqual(domainsIn(named, dane), ['rcpt.example', 'rcpt.example']);
  assert.deepEqual(domainsIn(bare), [undefined]);
});

test('policy types and domains are read in the forms of other programs', () => {
  const read = (type: string, domain: string): readonly (string | undefined)[] => {
    const policy = { 'policy-type': type, 'policy-domain': domain };
    const parsed = parseReport(JSON.stringify({ policies: [{ policy, summary: {} }] }));
    const [found] = parsed.ok ? parsed.value.report.policies : [];
    return [found?.policyType, found?.policyDomain];
  };
  for (const [type, known] of [
    ['MTA-STS', 'sts'],
    ['STSv1', 'sts'],
    ['DANE', 'tlsa'],
    ['no_policy', 'no-policy-found'],
    ['constructor', 'constructor'],
    ['sts-v2', 'sts-v2'],
  ] as const)
    assert.equal(read(type, 'rcpt.example')[0], known);
  for (const domain of [
    'https://rcpt.example/',
    'postmaster@Rcpt.example',
    'mailto:a@rcpt.example',
    'https://rcpt.example:443/.well-known/mta-sts.txt',
  ])
    assert.equal(read('sts', domain)[1], 'rcpt.example', domain);
  for (const domain of ['a@b@rcpt.example', 'https://', 'rcpt example'])
    assert.equal(read('sts', domain)[1], domain);
});
