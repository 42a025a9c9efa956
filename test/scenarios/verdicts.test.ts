import assert from 'node:assert/strict';
import test from 'node:test';
import {
  check,
  collect,
  collectOptions,
  grade,
  nameOf,
  renderHtml,
  renderTerminal,
  type CheckOptions,
} from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab, type Scenario, type SmtpHabit } from '../../src/lab/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';

const domain = 'one.example';
type Parts = Partial<Scenario>;
const sts = { mode: 'enforce' } as const;

async function look(parts: Parts, options: CheckOptions = {}): Promise<CheckResult> {
  const lab = await createLab({ scenarios: [{ ...unjudged(domain), ...parts }] });
  try {
    return await check(domain, { ...labOptions(lab), ...options });
  } finally {
    await lab.close();
  }
}

const ids = ({ findings }: CheckResult, ...severities: readonly string[]): string[] =>
  findings.filter((f) => severities.includes(f.severity)).map((f) => f.id);
const shown = (result: CheckResult): string =>
  renderTerminal(result, { width: 120 }).replace(/\s+/g, ' ');
const found = ({ findings }: CheckResult, id: string): string =>
  findings.find((f) => f.id === id)?.why ?? '';
const today = ({ exposure }: CheckResult): Set<string> =>
  new Set(Object.values(exposure).map((row) => row.none));

// RFC 3207 §4.2 [3207-4.2-5].
test('EHLO refused inside TLS fails, with the reply', async () => {
  const result = await look({ hosts: [{ habit: 'refuses-inside' }], sts });
  assert.equal(result.verdict, 'fail');
  assert.ok(ids(result, 'fail').includes('tls-session-refused'));
  assert.ok(!ids(result, 'good').includes('sts-good'));
  assert.match(shown(result), /550 5\.7\.1 Client host rejected/);
  assert.deepEqual([...today(result)], ['deferred']);
  // RFC 5321 §4.3.2: 250 is the only success of EHLO.
  const twice = await look({ hosts: [{ habit: 'greets-inside' }], sts });
  assert.ok(ids(twice, 'fail').includes('tls-session-refused'));
  assert.match(shown(twice), /answers "220 mx\.one\.example ESMTP" to EHLO inside TLS/);
});

// A handshake without a usable session never counts as success, and proves no fault.
for (const [habit, words] of [
  ['defers-inside', /451 4\.7\.1 Try again later/],
  ['hangs-up-inside', /no session inside TLS \(smtp-closed\)/],
  ['silent-inside', /no session inside TLS \(smtp-silent\)/],
  ['closes-inside', /221 2\.0\.0 Closing/],
] as const)
  test(`a session that ${habit} is inconclusive`, async () => {
    const result = await look({ hosts: [{ habit }], sts }, { timeoutMs: 1500 });
    assert.equal(result.verdict, 'inconclusive');
    assert.deepEqual(ids(result, 'fail', 'good'), []);
    assert.match(shown(result), words);
    assert.deepEqual([...today(result)], ['unknown']);
  });

// Temporary refusals, and refusals of one client. RFC 3207 §4 [3207-4-4].
const refusals: readonly (readonly [SmtpHabit, RegExp])[] = [
  ['defers-tls', /454 4\.7\.0 Error: too many new TLS sessions/],
  ['busy', /421 4\.7\.0 mx\.one\.example Too many connections/],
  ['greylists', /450 4\.7\.1 Greylisted/],
  ['closed', /554 5\.7\.1 mx\.one\.example No SMTP service here/],
];
for (const [habit, reply] of refusals)
  test(`a server that ${habit}: could not tell, and its reply is shown`, async () => {
    const result = await look({ hosts: [{ habit }], sts });
    assert.equal(result.verdict, 'inconclusive');
    assert.deepEqual(ids(result, 'fail'), []);
    assert.match(shown(result), reply);
    assert.match(renderHtml([result]).replace(/&quot;|&#34;/g, '"'), reply);
    assert.match(result.hosts[0]?.addresses[0]?.reply ?? '', reply);
  });

test('a permanent refusal of STARTTLS fails, with the reply', async () => {
  const result = await look({ hosts: [{ habit: 'refuses-tls' }], sts });
  assert.ok(ids(result, 'fail').includes('starttls-refused'));
  assert.match(shown(result), /502 5\.5\.1 STARTTLS is disabled/);
});

// RFC 7504 §3 [7504-3-1].
test('521: the host accepts no mail; another host is not affected', async () => {
  const alone = await look({ hosts: [{ habit: 'takes-no-mail' }] });
  assert.deepEqual([alone.verdict, ids(alone, 'fail')], ['fail', ['mx-takes-no-mail']]);
  assert.match(shown(alone), /521 mx\.one\.example no mail here/);
  const two = await look({
    hosts: [{ name: 'mx1', habit: 'takes-no-mail' }, { name: 'mx2' }],
    sts,
  });
  assert.deepEqual([two.verdict, two.exposure.mtaStsCached.none], ['warn', 'verified']);
});

// Names without addresses.
for (const [record, ...raised] of [
  ['@ MX 32767 token.invalid.'],
  ['@ MX 0 ms12345678.msv1.invalid.'],
  ['@ MX 0 localhost.'],
  ['@ MX 0 mail.onion.'],
  ['@ MX 0 mail.local.'],
  ['@ MX 0 gone', 'mx-nonexistent'],
  ['@ MX 32767 mx.unregistered.example.', 'mx-nonexistent', 'mx-claimable'],
  ['@ MX 0 192.0.2.7.', 'mx-is-address'],
  ['@ MX 0 [192.0.2.7].', 'mx-is-address'],
  ['@ MX 0 2001:db8::7.', 'mx-is-address'],
] as readonly (readonly [string, ...string[]])[])
  test(`"${record}" next to a mail host is ignored`, async () => {
    const result = await look({ zone: { records: record }, sts });
    assert.deepEqual(
      [result.verdict, ids(result, 'fail', 'warn')],
      raised.length === 0 ? ['pass', []] : ['warn', raised],
    );
    assert.equal(result.exposure.mtaStsCached.none, 'verified');
    const advice = result.findings.flatMap((f) => f.steps.map((s) => s.text)).join('\n');
    assert.doesNotMatch(
      advice,
      /^mx: .*(invalid|localhost|onion|local|gone|unregistered|192|2001)/m,
    );
  });

test('an MX set that does not resolve fails in the DNS, and no advice uses it', async () => {
  for (const record of ['@ MX 10 token.invalid.', '@ MX 10 gone', '@ MX 10 192.0.2.7.']) {
    const result = await look({
      zone: { withoutMx: true, records: record },
      hosts: [],
      sts: { mode: 'testing', mx: ['mx.one.example'] },
    });
    assert.equal(result.verdict, 'fail', record);
    const [first] = result.findings;
    assert.equal(first?.owner, 'domain', record);
    const steps = result.findings.flatMap((f) => f.steps.map((s) => s.text)).join('\n');
    assert.doesNotMatch(steps, /^mx: (token|gone|192)|ss -ltn|firewall/im, record);
  }
});

// RFC 1035 §3.3.9.
test('a missing final dot is reported with the intended host', async () => {
  const own = await look({
    zone: { withoutMx: true, records: '@ MX 10 mx.one.example' },
  });
  assert.deepEqual(ids(own, 'fail'), ['mx-nonexistent']);
  assert.match(own.findings[0]?.steps[1]?.text ?? '', /IN MX 10 mx\.one\.example\.$/);
  // The host of a provider does not exist in this lab, so the check asserts nothing about
  // the host.
  const other = await look({
    zone: { withoutMx: true, records: '@ MX 10 mx.provider.example' },
  });
  assert.doesNotMatch(other.findings[0]?.why ?? '', /final dot/);
});

// RFC 7505 §3 [7505-3-1].
test('a null MX next to another MX warns; alone it accepts no mail', async () => {
  for (const record of ['@ MX 0 .', '@ MX 10 .', '@ MX 50 .'])
    assert.deepEqual(ids(await look({ zone: { records: record }, sts }), 'fail', 'warn'), [
      'null-mx-beside',
    ]);
  const idle = await look({
    zone: { withoutMx: true, records: '@ MX 0 .\n@ MX 10 gone' },
    hosts: [],
  });
  assert.deepEqual(ids(idle, 'fail', 'warn'), ['mx-nonexistent', 'null-mx-beside']);
  const alone = await look({ zone: { withoutMx: true, records: '@ MX 0 .' }, hosts: [] });
  assert.equal(alone.verdict, 'not-applicable');
});

// RFC 6890 §2.2 [6890-2.2-1].
test('an unreachable kind of address is not dialled', async () => {
  for (const address of ['127.0.0.1', '10.1.2.3', '100.64.0.9', '169.254.1.1', '192.168.7.7']) {
    const result = await look({
      zone: { withoutMx: true, records: `@ MX 10 mail\nmail A ${address}` },
      hosts: [],
    });
    assert.deepEqual([result.verdict, ids(result, 'fail')], ['fail', ['mx-address-unroutable']]);
    assert.equal(result.connections, 0);
    assert.deepEqual(result.hosts[0]?.addresses[0]?.reason, 'net-guarded');
  }
  for (const address of ['::1', 'fd00::25', 'fe80::25', '::ffff:127.0.0.1', '64:ff9b::7f00:1']) {
    const result = await look({
      zone: { withoutMx: true, records: `@ MX 10 mail\nmail AAAA ${address}` },
      hosts: [],
    });
    assert.deepEqual(ids(result, 'fail'), ['mx-address-unroutable'], address);
  }
});

test('a private address next to a public one warns', async () => {
  const result = await look({ zone: { records: 'mx A 10.0.0.25' }, sts });
  assert.deepEqual(
    [result.verdict, ids(result, 'fail', 'warn')],
    ['warn', ['mx-address-unroutable']],
  );
  assert.equal(result.exposure.mtaStsCached.none, 'verified');
});

// RFC 8461 §5: intermittent STARTTLS.
test('STARTTLS on only some connections is a separate failure', async () => {
  const result = await look({ hosts: [{ habit: 'sometimes-tls' }], sts });
  assert.deepEqual([result.verdict, ids(result, 'fail')], ['fail', ['starttls-intermittent']]);
  assert.deepEqual(
    [result.exposure.opportunistic.none, result.exposure.mtaStsCached.none],
    ['cleartext', 'verified'],
  );
  assert.match(shown(result), /\d of \d+ connections offered STARTTLS/);
  assert.ok(result.connections <= 14);
});

test('a refusal on only some connections is a separate failure', async () => {
  for (const [habit, says, today] of [
    ['sometimes-refuses-tls', /accepted STARTTLS\. .*plaintext/, 'cleartext'],
    ['sometimes-refuses-inside', /accepted EHLO inside TLS\. Senders defer part/, 'unverified'],
  ] as const) {
    const result = await look({ hosts: [{ habit }], sts });
    assert.deepEqual([result.verdict, ids(result, 'fail')], ['fail', ['starttls-intermittent']]);
    assert.match(found(result, 'starttls-intermittent'), says);
    assert.deepEqual(
      [result.exposure.opportunistic.none, result.exposure.mtaStsCached.none],
      [today, 'verified'],
    );
  }
});

test("STARTTLS lost because of the check's own visits is not a fault of the server", async () => {
  const admits = { connections: 3, within: 60_000, then: 'no-starttls' } as const;
  const result = await look({ hosts: [{ admits }], sts });
  assert.deepEqual([result.verdict, ids(result, 'fail')], ['inconclusive', []]);
});

test('only the first connection lacks STARTTLS: the next one shows it', async () => {
  let visits = 0;
  const lab = await createLab({ scenarios: [{ ...unjudged(domain), sts }] });
  try {
    const end = await lab.attack(domain, 'strip');
    const network: typeof lab.network = {
      exchange: (request) => lab.network.exchange(request),
      dial(request) {
        if (request.port === 25 && ++visits === 2) end();
        return lab.network.dial(request);
      },
    };
    const result = await check(domain, { ...labOptions(lab), network });
    assert.deepEqual(ids(result, 'fail'), ['starttls-intermittent']);
  } finally {
    await lab.close();
  }
});

// RFC 8461 §3.2.
test('max_age 0 protects no better than a first contact', async () => {
  const { exposure } = await look({ sts: { mode: 'enforce', maxAge: 0 } });
  assert.deepEqual(exposure.mtaStsCached, exposure.mtaStsFirst);
  assert.deepEqual(exposure.bothCached, exposure.bothFirst);
  const second = await look({ sts: { mode: 'enforce', maxAge: 1 } });
  assert.equal(second.exposure.mtaStsCached.suppress, 'deferred');
});

// RFC 8461 §4.1.
test('an MX alias whose target is in policy and certificate: one advice', async () => {
  const zone = { withoutMx: true, records: '@ MX 20 mail\nmail CNAME mx' };
  const both = await look({ zone, sts });
  assert.deepEqual([both.verdict, ids(both, 'fail', 'warn')], ['fail', ['mx-is-cname']]);
  assert.match(both.findings[0]?.steps[0]?.text ?? '', /IN MX 20 mx\.one\.example\.$/);
  const listed = await look({
    zone,
    sts: { mode: 'enforce', mx: ['mail.one.example', 'mx.one.example'] },
  });
  assert.deepEqual(
    ids(listed, 'fail'),
    ['mx-is-cname'],
    'the certificate alone has the other name',
  );
  const testing = await look({ zone, sts: { mode: 'testing' } });
  assert.deepEqual([testing.verdict, ids(testing, 'fail')], ['warn', []]);
  assert.match(found(testing, 'mx-is-cname'), /With MTA-STS in mode enforce/);
  const open = await look({ zone });
  assert.ok(!ids(open, 'warn').includes('cert-name-mismatch'), 'no policy: the same advice');
  assert.match(found(open, 'mx-is-cname'), /The certificate already names it\./);
  const neither = await look({
    zone,
    hosts: [{ certificate: 'wrong-name' }],
    sts: { mode: 'enforce', mx: ['mail.one.example'] },
  });
  assert.ok(ids(neither, 'fail').includes('cert-name-mismatch'), 'another fault keeps its advice');
});

test('an MX alias with an expired certificate: the record is corrected first', async () => {
  const zone = { withoutMx: true, records: '@ MX 20 mail\nmail CNAME mx' };
  const { findings } = await look({ zone, sts, hosts: [{ certificate: 'expired' }] });
  assert.deepEqual(
    findings.slice(0, 2).map(({ id }) => id),
    ['mx-is-cname', 'cert-expired'],
  );
  assert.ok(!findings.some(({ id }) => id === 'cert-name-mismatch' || /^sts-/.test(id)));
});

test('a dangling MX alias is reported with its target, without nonexistent records', async () => {
  const dangling = await look({ sts, zone: { records: '@ MX 50 al\nal CNAME gone' } });
  assert.match(found(dangling, 'mx-nonexistent'), /^It is an alias of gone\.one\.example, which/);
  const zone = { withoutMx: true, records: '@ MX 10 al\nal CNAME loop\nloop A 127.0.0.1' };
  const loopback = await look({ zone, hosts: [] });
  const advice = loopback.findings.flatMap((f) => f.steps.map((s) => s.text)).join('\n');
  assert.match(advice, /^loop\.one\.example\. IN A 127\.0\.0\.1$/m);
  assert.doesNotMatch(advice, /IN MX 10 loop|^al\.one\.example\. IN A/m);
});

// The headline names the smaller group of addresses.
test('some addresses without STARTTLS: the headline counts them', async () => {
  const result = await look({
    hosts: [{ beside: { habit: 'no-starttls' } }],
    sts,
  });
  assert.match(
    shown(result),
    /1 of 2 addresses offers no STARTTLS: part of the mail travels in plaintext/,
  );
  assert.match(shown(result), /mail from senders with MTA-STS travels encrypted and verified/);
  assert.match(shown(result), /Reason for FAIL: STARTTLS is not offered/);
  const equal = await look({
    zone: { withoutMx: true, records: '@ MX 10 a\n@ MX 10 b\n@ MX 10 c' },
    hosts: [{ name: 'a' }, { name: 'b' }, { name: 'c', habit: 'no-starttls' }],
  });
  assert.match(shown(equal), /1 of 3 addresses offers no STARTTLS/);
  const backup = await look({ hosts: [{ name: 'a' }, { name: 'b', habit: 'no-starttls' }] });
  assert.equal(backup.exposure.opportunistic.none, 'unverified', 'a backup host is not used today');
});

// A hello as large as one with ML-KEM.
for (const habit of ['drops-large-hellos', 'resets-large-hellos'] as const)
  test(`a middlebox that ${habit} warns, within the budget`, async () => {
    const result = await look({ hosts: [{ habit }], sts }, { timeoutMs: 1500 });
    assert.deepEqual([result.verdict, ids(result, 'fail', 'warn')], ['warn', ['tls-large-hello']]);
    assert.ok(result.connections <= 14, `${result.connections} connections`);
    assert.ok(
      !Object.values(result.hosts[0]?.addresses[0]?.tls.versions ?? {}).includes('unknown'),
    );
  });

// RFC 9846 §4.2.2: an alert may refuse the size, so it proves nothing about versions.
test('a middlebox that refuses large hellos with an alert warns', async () => {
  for (const [certificate, suites] of [['rsa-and-ecdsa'], ['trusted', 'DEFAULT']] as const) {
    const hosts = [{ certificate, suites }];
    const result = await look({ hosts, sts, attack: { largeHellos: 'alert' } });
    assert.deepEqual([result.verdict, ids(result, 'fail', 'warn')], ['warn', ['tls-large-hello']]);
    assert.match(found(result, 'tls-large-hello'), /refused with alert 50, but a smaller one/);
    assert.equal(result.hosts[0]?.addresses[0]?.tls.versions['TLSv1.2'], 'accepted');
    assert.ok(result.connections <= 14, `${result.connections} connections`);
  }
});

test('a run has large hellos of each form, and a server that answers them passes', async () => {
  const lab = await createLab({ scenarios: [{ ...unjudged(domain), sts }] });
  try {
    const options = { ...labOptions(lab), depth: 'verdict' as const };
    const evidence = await collect(nameOf(domain), collectOptions(options));
    const forms = evidence.hosts.flatMap((h) =>
      h.addresses.flatMap((a) =>
        a.connections.flatMap(({ probe }) =>
          probe?.question.kind === 'hello' && probe.question.octets !== undefined
            ? [[probe.question.octets, probe.question.segments, probe.question.keyShare]]
            : [],
        ),
      ),
    );
    assert.deepEqual(forms, [
      [1550, undefined, undefined],
      [1550, undefined, true],
      [1550, 2, undefined],
    ]);
    const result = grade(evidence);
    assert.deepEqual([result.verdict, ids(result, 'warn')], ['pass', []]);
  } finally {
    await lab.close();
  }
});

test('a version without an answer is printed as unknown', async () => {
  const admits = { connections: 3, within: 60_000, then: 'busy' } as const;
  const result = await look({ hosts: [{ admits }], sts });
  assert.match(shown(result), /TLS 1\.3 \(unknown: .*TLS 1\.0/);
  assert.match(shown(result), /421 4\.7\.0 mx\.one\.example Too many connections/);
  assert.match(shown(await look({ sts }, { depth: 'triage' })), /TLS 1\.3 \(others not tested\)/);
});
