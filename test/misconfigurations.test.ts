import assert from 'node:assert/strict';
import test from 'node:test';
import { parsePolicy, parseStsRecord } from '../src/mta-sts/index.js';
import {
  policyId,
  publishSection,
  startRollover,
  stepRollover,
  stsRecord,
  txtRdata,
  type RolloverObservation,
  type DesiredRollover,
} from '../src/publish/index.js';
import { PolicyWorld } from './support/publish/policy-simulation.js';
import type { DesiredPolicy } from '../src/publish/mta-sts/types.js';
import { formatPolicy } from '../src/mta-sts/index.js';
import { parseConfig } from '../src/server/index.js';

/**
 * Mistakes from surveys and trackers. Hermetic refuses or reports each mistake, with the
 * reason.
 */

const problems = (publish: string): readonly string[] => {
  const parsed = parseConfig(`publish:\n${publish}`);
  return parsed.ok ? [] : parsed.failure.map(({ path, says, fix }) => `${path} ${says} ${fix}`);
};
const domainWith = (lines: string): readonly string[] =>
  problems(`  domains:\n    example.com:\n      mx: [mx1.example.com]\n${lines}`);
const hostWith = (lines: string): readonly string[] =>
  problems(`  hosts:\n    mx1.example.com:\n${lines}`);

const wish: DesiredPolicy = {
  mode: 'enforce',
  mx: ['mx1.example.com', 'mx2.example.com'],
  maxAges: [86_400],
  policyHost: 'policy.example.net',
  ttl: 3600,
  reporters: [],
  days: 1,
  minReports: 0,
  confirmed: [],
};
const run = (
  world: PolicyWorld,
  wanted: DesiredPolicy,
  hours: number,
): ReturnType<PolicyWorld['run']> => {
  let step = world.run(wanted);
  for (let i = 1; i < hours; i++) step = world.run(wanted);
  return step;
};

const key = (n: number) => ({
  name: `ecdsa-${n}`,
  type: 'ecdsa' as const,
  sha256: `${n}e`.repeat(32),
  sha512: `${n}e`.repeat(64),
  certified: true,
});
const tlsa = (n: number): string => `3 1 1 ${key(n).sha256}`;
const hostWish: DesiredRollover = {
  publish: true,
  types: ['ecdsa'],
  matchingTypes: [1],
  ttl: 3600,
  retire: [],
};
function host(
  change: Partial<RolloverObservation> = {},
  records: readonly string[] = [tlsa(1)],
): ReturnType<typeof stepRollover> {
  return stepRollover(
    startRollover('mx1.example.com'),
    {
      at: 1e9,
      nameservers: ['a', 'b'].map((server) => ({ server, rrset: { records, ttl: 3600 } })),
      dnssec: 'secure',
      ds: { records: ['1 13 2 ab'], ttl: 3600 },
      addresses: [{ address: '192.0.2.1', starttls: 'offered', keys: [key(1).sha256] }],
      ring: [key(1)],
      ...change,
    },
    hostWish,
  );
}
const change = ({ steps }: ReturnType<typeof stepRollover>): readonly string[] | undefined => {
  const found = steps.find(({ action }) => action.kind === 'set-rrset')?.action;
  return found?.kind === 'set-rrset' ? found.to : undefined;
};

test('enforce without testing: testing comes first', () => {
  const world = new PolicyWorld(wish.mx);
  run(world, wish, 12);
  assert.equal(world.mode, 'testing');
});

// [8461-3.2-13]
test('a policy with no mx, a wrong age or a misspelt mode is refused', () => {
  assert.match(
    problems('  domains: {example.com: {mx: []}}').join(),
    /publish\.domains\.example\.com\.mx/,
  );
  assert.match(domainWith('      maxAges: [120]').join(), /maxAges/);
  assert.match(domainWith('      maxAges: [31557601]').join(), /maxAges/);
  assert.match(domainWith('      maxAges: [604800, 86400]').join(), /ascending/);
  assert.match(domainWith('      mode: enforced').join(), /mode/);
  const written = parsePolicy(formatPolicy({ mode: 'none', maxAge: 86_400, mx: [] }));
  assert.ok(written.ok && written.value.mode === 'none');
});

// [8461-10.4-1, 8461-3.2-14]
test('a wildcard, an address or a URL as MX host is refused; U-labels become A-labels', () => {
  const mx = (host: string): string =>
    problems(`  domains: {example.com: {mx: ["${host}"]}}`).join();
  assert.match(mx('*.example.com'), /wildcard.*name every MX host/i);
  assert.match(mx('*.mx.microsoft'), /wildcard/);
  assert.match(mx('192.0.2.1'), /not a host name/);
  assert.match(mx('https://mx.example.com'), /not a host name/);
  const parsed = publishSection.parse({
    domains: { 'bücher.example': { mx: ['mx.bücher.example'] } },
  });
  assert.deepEqual(parsed.domains['xn--bcher-kva.example']?.mx, ['mx.xn--bcher-kva.example']);
});

test('a misspelt key of the configuration is refused', () => {
  assert.match(domainWith('      max_age: 86400').join(), /max_age/);
  assert.match(hostWith('      dain: true').join(), /Its keys are dane/);
});

// [8461-3.1-15]
test('the policy changes and its id does not: the id is made of the content', () => {
  const policy = { mode: 'enforce', maxAge: 86_400, mx: ['mx1.example.com'] } as const;
  const ids = [
    policy,
    { ...policy, maxAge: 86_401 },
    { ...policy, mode: 'testing' as const },
    { ...policy, mx: ['mx2.example.com'] },
  ].map((p) => policyId(formatPolicy(p)));
  assert.equal(new Set(ids).size, 4);
  assert.equal(policyId(formatPolicy(policy)), ids[0]);
  assert.equal(parseStsRecord([stsRecord(ids[0] ?? '')]).status, 'found');
});

test('an edited policy file is replaced by the announced policy', () => {
  const world = new PolicyWorld(wish.mx);
  run(world, wish, 8);
  const announced = world.bodies[0];
  world.bodies = [announced?.replace('testing', 'enforce'), announced];
  const step = world.run(wish);
  assert.equal(step.steps[0]?.action.kind, 'serve-policy');
  assert.deepEqual(world.bodies, [announced, announced]);
});

test('the record waits until every address serves the policy', () => {
  const world = new PolicyWorld(wish.mx);
  world.certified = false;
  for (let i = 0; i < 10; i++) {
    world.run(wish, { diesAfterOne: true });
    world.certified = false;
  }
  assert.deepEqual(world.txt, [[], []]);
});

test('a failing backup MX delays mode enforce, with any reports', () => {
  const world = new PolicyWorld(wish.mx);
  const reading = world.reading.bind(world);
  world.reading = (blind) => {
    const seen = reading(blind);
    return {
      ...seen,
      hosts: seen.hosts.map((h) =>
        h.host === 'mx2.example.com'
          ? {
              ...h,
              addresses: [{ address: '192.0.2.2', verdict: 'fail' as const, why: 'has expired' }],
            }
          : h,
      ),
    };
  };
  const step = run(world, wish, 24 * 5);
  assert.equal(world.mode, 'testing');
  assert.ok(
    step.waits.some(({ why }) => /mx2\.example\.com \[192\.0\.2\.2\] has expired/.test(why)),
  );
});

test('[8461-8.4-2] an MX host outside the policy delays mode enforce and is reported', () => {
  const world = new PolicyWorld([...wish.mx, 'backup.example.net']);
  const step = run(world, wish, 24 * 5);
  assert.equal(world.mode, 'testing');
  assert.ok(
    step.alerts.some(
      ({ code, detail }) => code === 'publish-mx-unlisted' && detail === 'backup.example.net',
    ),
  );
});

// [8461-3.4-3]
test('a domain removed from the file keeps its policy until a confirmed removal', () => {
  const world = new PolicyWorld(wish.mx);
  run(world, wish, 24 * 4);
  assert.equal(world.mode, 'enforce');
  const step = run(world, { ...wish, mode: 'none' }, 24);
  assert.equal(world.mode, 'enforce');
  assert.match(step.proposals[0]?.what ?? '', /remove MTA-STS/);
});

test('a record longer than 255 octets is cut into strings that join to the same text', () => {
  const text = `v=TLSRPTv1; rua=${'mailto:reports@example.com,'.repeat(20)}mailto:x@example.com`;
  const strings = [...txtRdata(text).matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1] ?? '');
  assert.ok(strings.length === 3 && strings.every((s) => s.length <= 255));
  assert.equal(strings.join(''), text);
});

test('TLSA in an unsigned zone: refused, with the reason', () => {
  const step = host({ dnssec: 'insecure' }, []);
  assert.equal(change(step), undefined);
  assert.equal(step.alerts[0]?.code, 'publish-zone-unsigned');
});

test('an unannounced key of a renewal is matched if known, reported if not', () => {
  const shown = (n: number) => [
    { address: '192.0.2.1', starttls: 'offered' as const, keys: [key(n).sha256] },
  ];
  assert.deepEqual(change(host({ addresses: shown(2), ring: [key(2)] })), [tlsa(1), tlsa(2)]);
  const strange = host({ addresses: shown(9) });
  assert.equal(change(strange), undefined);
  assert.equal(strange.alerts[0]?.code, 'publish-key-unknown');
});

test('[7672-3.1.1-3] a renewal that keeps its key touches no record', () => {
  assert.equal(change(host({}, [tlsa(1)])), undefined);
});

test('a renewal with a new key is used only after its announcement', () => {
  assert.match(hostWith('      certificates: files').join(), /files is empty/);
  assert.match(
    hostWith('      files: [{chain: /a, key: /b}]').join(),
    /only with certificates files/,
  );
  assert.deepEqual(hostWith('      certificates: files\n      files: [{chain: /a, key: /b}]'), []);
});

test('key changes of another program, or every day, are refused', () => {
  assert.match(
    hostWith(
      '      certificates: files\n      files: [{chain: /a, key: /b}]\n      rollKeysEvery: 1y',
    ).join(),
    /creates the keys/,
  );
  assert.match(hostWith('      rollKeysEvery: 1d').join(), /at least 30d/);
  assert.match(hostWith('      rollKeysEvery: yearly').join(), /Write 90d, 26w or 1y/);
  assert.deepEqual(hostWith('      rollKeysEvery: 1y'), []);
});

// [7672-3.1-1]
test('TLSA records of an intermediate, a root or a certificate are never written', () => {
  for (const line of ['matchingTypes: [0]', 'usage: 2', 'selector: 0', 'pin: intermediate'])
    assert.ok(hostWith(`      ${line}`).length > 0, line);
});

test('existing pins of an intermediate and dead records are removed', () => {
  assert.deepEqual(change(host({}, [`2 1 1 ${'ab'.repeat(32)}`])), [tlsa(1)]);
  assert.deepEqual(change(host({}, [tlsa(1), `3 1 1 ${'cd'.repeat(32)}`])), [tlsa(1)]);
  const empty = '3 1 1 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  assert.deepEqual(change(host({}, [empty, tlsa(1)].sort())), [tlsa(1)]);
});

// [7672-2.1-1]
test('a secondary server that lags or gives no TLSA answer delays every change', () => {
  const lagging = [
    { server: 'a', rrset: { records: [], ttl: 3600 } },
    { server: 'b', rrset: { records: [tlsa(1)], ttl: 3600 } },
  ];
  assert.equal(change(host({ nameservers: lagging })), undefined);
  assert.equal(
    change(
      host({
        nameservers: [
          { server: 'a', rrset: { records: [], ttl: 3600 } },
          { server: 'b', rrset: 'unknown' },
        ],
      }),
    ),
    undefined,
  );
});

test('with a lost or changed DS record no change begins', () => {
  const before = host({}, [tlsa(1)]).state;
  const moved = { records: [], ttl: 3600 };
  const step = stepRollover(
    before,
    { ...readingAt(1e9 + 1000), ds: moved, ring: [key(1), key(2)] },
    hostWish,
  );
  assert.equal(change(step), undefined);
  assert.match(step.waits[0]?.why ?? '', /DS/);
});

test('[7671-13-1] a TTL of TLSA records of a week is refused', () => {
  assert.match(hostWith('      ttl: 604800').join(), /ttl/);
});

test('[7672-2.2.3-6] a host of many domains has one RRset at its own name', () => {
  assert.equal(startRollover('mx1.example.com').owner, '_25._tcp.mx1.example.com');
});

function readingAt(at: number): RolloverObservation {
  return {
    at,
    nameservers: [{ server: 'a', rrset: { records: [tlsa(1)], ttl: 3600 } }],
    dnssec: 'secure',
    ds: { records: ['1 13 2 ab'], ttl: 3600 },
    addresses: [{ address: '192.0.2.1', starttls: 'offered', keys: [key(1).sha256] }],
    ring: [key(1)],
  };
}
