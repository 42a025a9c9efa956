import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  checkResultSchema,
  evidenceSchema,
  type CheckResult,
  type Evidence,
} from '../../evidence/index.js';
import { catalogue } from '../findings/catalogue.js';
import { continuityFindings } from '../findings/continuity-registry.js';
import { baseline } from '../profiles/baseline.js';
import {
  plantedAddress,
  plantedConnection,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

/** Returns the verdict, followed by the findings at warn and fail. */
function short(evidence: Evidence): string {
  const { verdict, findings } = grade(evidence);
  return [
    verdict,
    ...findings
      .filter((f) => f.severity === 'fail' || f.severity === 'warn')
      .map((f) => `${f.id}=${f.severity}`),
  ].join(' ');
}

const evidenceAt = (address: ReturnType<typeof plantedAddress>): Evidence =>
  plantedEvidence({ hosts: [plantedHost({ addresses: [address] })] });

test('neither MTA-STS nor DANE: warn, and nothing else', () => {
  assert.equal(short(plantedEvidence()), 'warn no-enforcement=warn');
});

test('absent, mangled and refused STARTTLS fail with separate findings', () => {
  for (const how of ['absent', 'mangled', 'refused'] as const) {
    assert.equal(
      short(evidenceAt(plantedAddress({ starttls: how }))),
      `fail starttls-${how}=fail no-enforcement=warn`,
    );
  }
});

test('absent STARTTLS is reported as seen from here, with a test of the network', () => {
  for (const how of ['absent', 'mangled'] as const) {
    const found = grade(evidenceAt(plantedAddress({ starttls: how }))).findings.find(
      (f) => f.id === `starttls-${how}`,
    );
    assert.match(found?.title ?? '', /seen from here/);
    assert.match(found?.steps[0]?.text ?? '', /--control HOST/);
  }
});

test('a server that refuses this client is inconclusive', () => {
  const busy = plantedAddress(
    { starttls: 'unknown', failure: { code: 'smtp-busy', detail: '421' } },
    { status: 'inconclusive', reason: 'smtp-busy' },
  );
  assert.equal(short(evidenceAt(busy)), 'inconclusive no-enforcement=warn');
});

test('blocked port 25: inconclusive, one finding instead of one for each host', () => {
  const silent = plantedAddress(
    { dial: { code: 'net-timeout', detail: '' }, starttls: 'unknown' },
    { status: 'inconclusive', reason: 'net-timeout' },
  );
  const evidence = {
    ...evidenceAt(silent),
    network: { ...plantedEvidence().network, port25: 'blocked' as const },
  };
  const { verdict, findings } = grade(evidence);
  assert.equal(verdict, 'inconclusive');
  assert.deepEqual(
    findings.map((f) => f.id),
    ['no-enforcement', 'tlsrpt-absent', 'port-25-blocked'],
  );
});

test('an address that this machine cannot try never changes the verdict', () => {
  const six = plantedAddress(
    {},
    { ip: '2001:db8::25', status: 'skipped', reason: 'net-no-route', connections: [] },
  );
  const both = plantedEvidence({ hosts: [plantedHost({ addresses: [plantedAddress(), six] })] });
  assert.equal(short(both), short(plantedEvidence()));
  assert.deepEqual(grade(both).exposure, grade(plantedEvidence()).exposure);
});

test('an MX outside the policy fails under enforce and warns in testing', () => {
  const other = plantedHost({ name: 'other.example', preference: 20 });
  const hosts = [plantedHost(), other];
  assert.match(
    short(plantedEvidence({ hosts, mtaSts: plantedPolicy('enforce') })),
    /^fail sts-mx-mismatch=fail/,
  );
  assert.match(
    short(plantedEvidence({ hosts, mtaSts: plantedPolicy('testing') })),
    /sts-mx-mismatch=warn/,
  );
});

test('no MX in the policy is one finding on the domain', () => {
  const evidence = plantedEvidence({ mtaSts: plantedPolicy('enforce', ['elsewhere.example']) });
  assert.match(short(evidence), /^fail sts-no-mx-matches=fail/);
  assert.doesNotMatch(short(evidence), /sts-mx-mismatch/);
});

test('no TLS-RPT: info; with enforce: warn', () => {
  const severity = (evidence: Evidence) =>
    grade(evidence).findings.find((f) => f.id === 'tlsrpt-absent')?.severity;
  assert.equal(severity(plantedEvidence()), 'info');
  assert.equal(severity(plantedEvidence({ mtaSts: plantedPolicy('enforce') })), 'warn');
});

test('TLSA: unusable and inert warn, bogus and unanswered fail', () => {
  const tlsa = (status: 'unusable' | 'insecure' | 'bogus' | 'tempfail') =>
    short(
      plantedEvidence({
        hosts: [
          plantedHost({
            dnssec: 'secure',
            tlsa: { status, base: 'mx.planted.example', dnssec: 'secure', records: [] },
          }),
        ],
      }),
    );
  assert.equal(tlsa('unusable'), 'warn dane-unusable=warn');
  assert.equal(tlsa('insecure'), 'warn dane-inert=warn');
  assert.match(tlsa('bogus'), /^fail dane-bogus=fail/);
  assert.match(tlsa('tempfail'), /^fail dane-tempfail=fail/);
});

test('a resolver that strips DNSSEC is one finding, and only DANE cells are unknown', () => {
  const network = {
    ...plantedEvidence().network,
    resolver: [{ label: '192.0.2.53:53', state: 'strips-dnssec' }],
  };
  const tlsa = {
    status: 'tempfail' as const,
    base: 'mx.planted.example',
    dnssec: 'indeterminate' as const,
    records: [],
  };
  const hosts = [plantedHost({ dnssec: 'indeterminate', tlsa })];
  const { findings, exposure, verdict } = grade(
    plantedEvidence({
      network,
      hosts,
      route: { kind: 'mx', dnssec: 'indeterminate', status: 'found' },
    }),
  );
  const own = findings.filter((f) => f.owner === 'own-network' || f.owner === 'dns-host');
  assert.deepEqual(
    own.map((f) => f.id),
    ['resolver-no-dnssec'],
  );
  assert.match(own[0]?.title ?? '', /192\.0\.2\.53/);
  assert.equal(exposure.dane.stripStarttls, 'unknown');
  assert.equal(exposure.opportunistic.stripStarttls, 'cleartext');
  assert.equal(verdict, 'inconclusive');
});

test('null MX and no mail are not applicable', () => {
  for (const kind of ['null-mx', 'none'] as const) {
    assert.equal(
      short(plantedEvidence({ hosts: [], route: { kind, dnssec: 'insecure', status: 'found' } })),
      'not-applicable',
    );
  }
});

test('a dead host warns if another host answers, and fails alone', () => {
  const dead = plantedHost({
    name: 'dead.example',
    addresses: [
      plantedAddress(
        { dial: { code: 'net-refused', detail: '' }, starttls: 'unknown' },
        { ip: '192.0.2.9', status: 'unreachable', reason: 'net-refused' },
      ),
    ],
  });
  assert.match(short(plantedEvidence({ hosts: [dead] })), /^fail mx-unreachable=fail/);
  assert.match(
    short(plantedEvidence({ hosts: [plantedHost(), dead] })),
    /^warn .*mx-unreachable=warn/,
  );
});

test('post-quantum groups are those of RFC 10024 or of a draft', () => {
  const seen = (...groups: string[]): readonly string[] => {
    const connections = groups.map((group) =>
      plantedConnection({ handshake: { ...plantedHandshake([]), group } }),
    );
    const evidence = plantedEvidence({
      hosts: [plantedHost({ addresses: [plantedAddress({}, { connections })] })],
    });
    return grade({ ...evidence, depth: 'verdict' })
      .findings.filter(({ id }) => id.startsWith('tls-pq'))
      .map(({ id, title, reference }) => `${id}: ${/: (.*)$/.exec(title)?.[1]}: ${reference}`);
  };
  for (const group of ['X25519MLKEM768', 'SecP256r1MLKEM768', 'SecP384r1MLKEM1024'])
    assert.deepEqual(seen(group), [`tls-pq-good: ${group}: RFC 10024`]);
  for (const group of ['MLKEM512', 'MLKEM768', 'MLKEM1024', 'X25519Kyber768_DRAFT'])
    assert.deepEqual(seen(group), [`tls-pq-draft-good: ${group}: draft-ietf-tls-mlkem`]);
  assert.deepEqual(seen('MLKEM1024', 'x25519', 'X25519MLKEM768'), [
    'tls-pq-good: X25519MLKEM768: RFC 10024',
    'tls-pq-draft-good: MLKEM1024: draft-ietf-tls-mlkem',
  ]);
  assert.deepEqual(seen('x25519'), []);
});

test('rules outside this depth are listed', () => {
  assert.deepEqual(grade(plantedEvidence()).notLookedAt, [
    'tls-broken-version',
    'tls-old-version',
    'tls-weak-suite',
    'tls-anonymous-suite',
    'tls-broken-suite',
    'tls-renegotiation',
    'tls-large-hello',
    'tls-sni-required',
    'cert-depends-on-sni',
    'tls-hello-intolerant',
    'tls-pq-good',
    'tls-pq-draft-good',
    'injection-vulnerable',
    'sts-record-misplaced',
    'tlsrpt-misplaced',
    ...Object.keys(continuityFindings),
  ]);
});

test('every finding has a rule, and no advice begins with enforcement', () => {
  assert.deepEqual(Object.keys(catalogue).sort(), Object.keys(baseline.rules).sort());
  for (const mode of ['enforce', 'testing', 'none'] as const) {
    for (const found of grade(plantedEvidence({ mtaSts: plantedPolicy(mode) })).findings) {
      assert.doesNotMatch(found.fix, /^.{0,20}mode: enforce/);
      if (mode !== 'enforce') assert.doesNotMatch(found.steps[0]?.text ?? '', /mode: enforce/);
    }
  }
});

test('evidence and results satisfy their schemas, mutated results do not', () => {
  const evidence = plantedEvidence({ mtaSts: plantedPolicy('enforce') });
  assert.ok(evidenceSchema.safeParse(JSON.parse(JSON.stringify(evidence))).success);
  const result = JSON.parse(JSON.stringify(grade(evidence))) as CheckResult;
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(
    JSON.parse(readFileSync('schemas/hermetic.check-1.json', 'utf8')) as object,
  );
  assert.ok(validate(result), JSON.stringify(validate.errors));
  assert.ok(checkResultSchema.safeParse(result).success);
  const mutations: object[] = [
    { ...result, extra: 1 },
    { ...result, verdict: 'fine' },
    { ...result, exposure: { ...result.exposure, dane: undefined } },
    { ...result, hosts: [{ ...result.hosts[0], note: 'x' }] },
    { ...result, connections: -1 },
  ];
  for (const mutated of mutations) {
    const value: unknown = JSON.parse(JSON.stringify(mutated));
    assert.ok(!validate(value));
    assert.ok(!checkResultSchema.safeParse(value).success);
  }
});
