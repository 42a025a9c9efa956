/**
 * Mail hosts with unusual answers, with answers at one address only, or without an
 * address: the verdict, its reason, and the host that the advice names.
 */
import assert from 'node:assert/strict';
import test from 'node:test';
import { check, headline, renderTerminal } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, type Scenario } from '../../src/lab/index.js';
import { missingRecords } from '../../src/publish/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { domain, found, ids, look, scored, steps, type World } from '../support/checked-domain.js';

const sts = { mode: 'enforce' } as const;
const ehlo = '250-mx.one.example\r\n250 STARTTLS\r\n';

for (const refusal of ['500 unknown command', '502 5.5.1 not implemented', '550 5.5.0 use HELO'])
  test(`RFC 5321 §3.2: "${refusal}" to EHLO, then HELO: no TLS, with the reply`, async () => {
    const replies = () => ({ EHLO: `${refusal}\r\n`, HELO: '250 mx.one.example\r\n' });
    const result = await look({ sts, replies });
    assert.deepEqual(
      [result.verdict, result.exposure.opportunistic.none, result.exposure.mtaStsCached.none],
      ['fail', 'cleartext', 'deferred'],
    );
    assert.equal(found(result, 'starttls-absent').reason, `The server answered "${refusal}"`);
  });

test('EHLO and HELO refused: could not tell, with the reply to EHLO', async () => {
  const refusal = '550 5.7.1 Client host rejected';
  const replies = () => ({ EHLO: `${refusal}\r\n`, HELO: '550 5.7.1 no\r\n' });
  const result = await look({ sts, replies });
  assert.deepEqual([result.verdict, ids(result, 'fail')], ['inconclusive', []]);
  assert.match(found(result, 'mx-inconclusive').reason ?? '', new RegExp(refusal));
});

// RFC 3207 §4 [3207-4-4].
test('any 4yz reply to STARTTLS leaves TLS open; a 5yz reply is a refusal', async () => {
  for (const reply of ['421 4.7.0 too many errors', '450-wait\r\n450 4.7.1 wait', '454 later']) {
    const result = await look({ sts, replies: () => ({ EHLO: ehlo, STARTTLS: `${reply}\r\n` }) });
    assert.deepEqual([result.verdict, ids(result, 'fail')], ['inconclusive', []], reply);
    assert.match(
      found(result, 'mx-inconclusive').reason ?? '',
      new RegExp(`"${reply.slice(0, 3)}`),
    );
  }
  const denied = () => ({ EHLO: ehlo, STARTTLS: '554 5.7.3 security subsystem\r\n' });
  const result = await look({ sts, replies: denied });
  assert.equal(result.verdict, 'fail');
  assert.match(found(result, 'starttls-refused').reason ?? '', /554 5\.7\.3/);
});

// RFC 7504 §3 [7504-3-1].
test('521 at one of two addresses: the address record is removed, the MX stays', async () => {
  const result = await look({ sts, hosts: [{ beside: { habit: 'takes-no-mail' } }] });
  assert.deepEqual([result.verdict, result.exposure.mtaStsCached.none], ['warn', 'verified']);
  assert.match(found(result, 'mx-takes-no-mail').title, /^The address 198\.51\.100\.2 of/);
  assert.match(steps(result), /^Delete this address record.*\nmx\.one\.example\. IN A 198/m);
  assert.doesNotMatch(steps(result), /^Delete[^\n]*\n?one\.example\. IN MX/m);
});

test('521 at the only host: its MX record is replaced, not deleted', async () => {
  const result = await look({ hosts: [{ habit: 'takes-no-mail' }] });
  assert.match(steps(result), /^Replace the MX record that names mx\.one\.example/m);
  assert.doesNotMatch(steps(result), /^Delete/m);
  const two = await look({ hosts: [{ name: 'a', habit: 'takes-no-mail' }, { name: 'b' }] });
  assert.match(steps(two), /^Delete this record\.\none\.example\. IN MX 10 a\.one/m);
});

test('the headline counts an address where the TLS handshake fails', async () => {
  const result = await look({ sts, hosts: [{ beside: { habit: 'breaks-tls' } }] });
  assert.match(
    headline(result),
    /^1 of 2 addresses offers no working TLS: part of the mail travels in plaintext/,
  );
});

// RFC 5321 §5.1: senders try every address.
test('a host that answers only at its sixth address is reached', async () => {
  const places = [1, 2, 3, 4, 5, 6];
  const records = ['@ MX 10 m', ...places.map((place) => `m A 198.51.100.${place}`)].join('\n');
  const result = await look({
    zone: { withoutMx: true, records },
    hosts: places.map((place) => ({
      name: `h${place}`,
      ...(place < 6 && { dial: 'refuse' as const }),
    })),
  });
  const [host] = result.hosts;
  assert.ok(host?.addresses.some(({ ip, status }) => ip.endsWith('.6') && status === 'reachable'));
  assert.equal(result.verdict, 'warn');
});

// RFC 10015 §2: senders that require TLS do not offer static RSA.
test('only static RSA fails under a policy; with ECDHE it passes', async () => {
  const rsa = { certificate: 'rsa', suites: 'AES128-SHA256:AES128-SHA' } as const;
  const alone = await look({ sts, hosts: [rsa] });
  assert.deepEqual(ids(alone, 'fail'), ['tls-outdated-suites']);
  assert.equal(alone.exposure.mtaStsCached.none, 'deferred');
  const suites = `${rsa.suites}:ECDHE-RSA-AES128-SHA256`;
  const both = await look({ sts, hosts: [{ ...rsa, suites }] });
  assert.deepEqual([both.verdict, both.exposure.mtaStsCached.none], ['pass', 'verified']);
});

// RFC 8461 §5: intermittent TLS.
test('a TLS handshake that fails on some connections is a separate failure', async () => {
  const result = await look({ sts, hosts: [{ habit: 'sometimes-breaks-tls' }] });
  assert.ok(ids(result, 'fail').includes('starttls-intermittent'), ids(result, 'fail').join());
  assert.ok(!ids(result, 'fail').includes('tls-handshake-failed'));
  const { title, why } = found(result, 'starttls-intermittent');
  assert.match(
    `${title}. ${why}`,
    /some connections only\. \d of \d connections completed the TLS/,
  );
  assert.equal(result.exposure.opportunistic.none, 'cleartext');
  assert.match(
    headline(result),
    /^1 of 1 address offers working TLS on some connections only: part/,
  );
  assert.equal(scored(result, 'starttls'), 'fail works at 0 of 1 address');
  const broken = await look({ sts, hosts: [{ habit: 'breaks-tls' }] });
  assert.deepEqual(ids(broken, 'fail'), ['tls-handshake-failed'], 'always broken');
});

// RFC 8461 §4.1: a name that may not exist does not enter the policy.
const lookups: Readonly<Record<string, World>> = {
  SERVFAIL: {
    zone: { records: '@ MX 20 mx2' },
    faults: { 'mx2.one.example A': 'servfail', 'mx2.one.example AAAA': 'servfail' },
  },
  REFUSED: {
    zone: { records: '@ MX 20 mx2' },
    faults: { 'mx2.one.example A': 'refused', 'mx2.one.example AAAA': 'refused' },
  },
  'an alias loop': { zone: { records: '@ MX 20 mx2\nmx2 CNAME mx3\nmx3 CNAME mx2' } },
};
for (const [says, world] of Object.entries(lookups))
  test(`an MX host whose lookup ends in ${says} is not added to the policy`, async () => {
    const result = await look({ ...world, sts });
    assert.deepEqual([result.verdict, ids(result, 'fail')], ['inconclusive', []]);
    assert.doesNotMatch(steps(result), /^mx: mx[23]/m);
  });

// RFC 1035 §3.3.9, §5.1.
test('an address without final dot in the MX record is reported as an address', async () => {
  for (const [record, address] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7'],
    ['[192.0.2.7]', '192.0.2.7'],
  ] as const) {
    const zone = { withoutMx: true, records: `@ MX 10 ${record}` };
    const result = await look({ zone, hosts: [] });
    assert.deepEqual(ids(result, 'fail'), ['mx-is-address'], record);
    const { title } = found(result, 'mx-is-address');
    assert.equal(title, `The MX record names the address ${address}, not a host`);
  }
  const beside = await look({ sts, zone: { records: '@ MX 20 192.0.2.7' } });
  assert.deepEqual([beside.verdict, ids(beside, 'warn')], ['warn', ['mx-is-address']]);
  const name = await look({ sts, zone: { records: '@ MX 20 mail.1' } });
  assert.deepEqual(ids(name, 'warn'), ['mx-nonexistent'], 'a label of digits is not an address');
});

// RFC 8461 §4.1, RFC 9525 §6.3.
test('a certificate with a common name only: graded by the mechanism in force', async () => {
  const certificate = 'common-name-only' as const;
  const severity = async (parts: Partial<Scenario>): Promise<string> =>
    found(await look(parts), 'cert-name-mismatch').severity;
  const zone = { signed: {} };
  assert.equal(await severity({ hosts: [{ certificate }] }), 'warn');
  assert.equal(await severity({ hosts: [{ certificate }], sts }), 'fail');
  assert.equal(await severity({ hosts: [{ certificate, tlsa: ['ee'] }], zone }), 'info');
  const anchored = await look({ hosts: [{ certificate, tlsa: ['ta'] }], zone });
  assert.deepEqual(ids(anchored, 'fail'), ['cert-name-mismatch'], 'the TLSA record is right');
});

// RFC 7672 §3.1.2: the trust anchor matches, but the chain below it is not valid.
test('a TLSA record of the right CA is not blamed for a faulty chain', async () => {
  for (const [certificate, says] of [
    ['client-purpose', /extendedKeyUsage is clientAuth/],
    ['sha1-chain', /signed with ecdsa-with-SHA1/],
  ] as const) {
    const result = await look({ zone: { signed: {} }, hosts: [{ certificate, tlsa: ['ta'] }] });
    const { reason = '', fix } = found(result, 'dane-mismatch');
    assert.match(reason, says);
    assert.match(fix, /^Replace the faulty certificate: the record is correct\./);
  }
});

// RFC 8461 §3.2.
test('max_age 0: no protection from a cache, and no fault of a withdrawn policy', async () => {
  const zone = { signed: {} };
  const dane = await look({ zone, hosts: [{ tlsa: ['ee'] }], sts: { ...sts, maxAge: 0 } });
  assert.deepEqual(dane.exposure.mtaStsCached, dane.exposure.mtaStsFirst);
  assert.equal(dane.exposure.bothCached.suppress, 'deferred', 'DANE protects without a cache');
  const testing = await look({ sts: { mode: 'testing', maxAge: 0 } });
  assert.deepEqual(testing.exposure.mtaStsCached, testing.exposure.opportunistic);
  const withdrawn = await look({ sts: { mode: 'none', maxAge: 0 } });
  assert.deepEqual(ids(withdrawn, 'warn'), ['sts-mode-none']);
});

test('without a mail host nothing is left undecided', async () => {
  const zone = { withoutMx: true, records: '@ MX 0 .' };
  assert.equal((await look({ zone, hosts: [] })).undecided, undefined);
  assert.equal((await look({ zone: { withoutMx: true }, hosts: [] })).undecided, undefined);
});

// RFC 8461 §3.3: a temporary failure of the fetch proves neither a policy nor its
// absence.
const unfetched: Readonly<Record<string, World>> = {
  'no answer': { sts: { ...sts, habit: 'silent' } },
  'status 503': { sts: { ...sts, habit: 'overloaded' } },
  'SERVFAIL for the policy host': {
    sts,
    faults: { 'mta-sts.one.example A': 'servfail', 'mta-sts.one.example AAAA': 'servfail' },
  },
};
for (const [says, world] of Object.entries(unfetched))
  test(`a policy that cannot be fetched now is unknown: ${says}`, async () => {
    const result = await look(world, { timeoutMs: 400 });
    assert.deepEqual(
      [result.verdict, ids(result, 'fail', 'warn'), result.exposure.mtaStsCached.none],
      ['inconclusive', ['sts-policy-unreachable'], 'unknown'],
    );
    assert.equal(result.exposure.mtaStsFirst.stripStarttls, 'unknown');
    assert.equal(result.exposure.opportunistic.none, 'unverified', 'no sender class else');
    assert.match(
      headline(result),
      /^Today mail from senders with MTA-STS could not be determined from here/,
    );
    assert.doesNotMatch(steps(result), /mode: /, 'the policy stays unchanged');
  });

test('a policy that cannot be fetched now: DANE alone counts as proved', async () => {
  const zone = { signed: {} };
  const hosts = [{ tlsa: ['ee'] as const }];
  const result = await look({ zone, hosts, sts: { ...sts, habit: 'overloaded' } });
  assert.match(
    headline(result),
    /senders with DANE are defeated\. .* unprotected senders; for other senders it could not be/,
  );
  const missing = await look({ zone, hosts, sts: { ...sts, habit: 'not-found' } });
  assert.deepEqual([missing.verdict, missing.exposure.mtaStsCached.none], ['warn', 'unverified']);
});

test('a host with a failed lookup: the steps state that and omit the host', async () => {
  for (const { zone, faults } of Object.values(lookups)) {
    const result = await look({ zone, faults: faults ?? {} });
    assert.match(
      steps(result),
      /^This check saw no address of mx2\.one\.example, so the texts below do not contain it/m,
    );
    assert.doesNotMatch(steps(result), /^mx: mx[23]/m);
    const listed = missingRecords(result).filter(({ kind }) => kind === 'file');
    assert.deepEqual(listed, [], 'hermetic records writes no policy either');
    assert.match(steps(result), /^First make sure that mx2\.one\.example offers TLS/m);
    assert.equal(result.hosts[1]?.addressLookup, 'failed');
    assert.match(renderTerminal(result), /20 mx2\.one\.example {2}its address lookup failed/);
    assert.match(found(result, 'mx-inconclusive').why, /addresses of the host could not be/);
  }
  const many = Array.from(
    { length: 12 },
    (_, n) => `@ MX ${n + 20} far${n}\nfar${n} A 203.0.113.${n + 20}`,
  );
  const skipped = await look({ zone: { records: many.join('\n') } });
  assert.match(steps(skipped), /^This check saw no address of far9\.one\.example, far10/m);
  const alone = await look({
    faults: { 'mx.one.example A': 'servfail', 'mx.one.example AAAA': 'servfail' },
  });
  assert.doesNotMatch(steps(alone), /^version: STSv1/m, 'no policy without a known host');
});

test('a host without acceptable TLS comes before enforcement in the steps', async () => {
  for (const habit of ['no-starttls', 'greylists', 'breaks-tls'] as const) {
    const result = await look({ hosts: [{ habit }] });
    assert.match(steps(result), /^First make sure that mx\.one\.example offers TLS/m, habit);
  }
  assert.doesNotMatch(steps(await look({})), /^First make sure/m);
});

test('a name below a top-level name that does not exist cannot be claimed', async () => {
  for (const record of ['@ MX 5 mail.lan.', '@ MX 5 mx.office.localdomain.'])
    assert.deepEqual(ids(await look({ sts, zone: { records: record } }), 'warn'), [
      'mx-nonexistent',
    ]);
  const reserved = await look({ sts, zone: { records: '@ MX 5 mail.internal.' } });
  assert.equal(found(reserved, 'mx-special-name').severity, 'info');
});

// RFC 8460 §3, RFC 8461 §3.
test('records that senders discard are shown with the fault', async () => {
  const reason = async (rpt: string, id: string): Promise<string> =>
    found(await look({ sts, rpt }), id).reason ?? '';
  assert.match(await reason('v=TLSRPTv1; rua=http://one.example/', 'tlsrpt-invalid'), /https only/);
  assert.match(await reason('v=TLSRPTv1; ruf=mailto:a@one.example', 'tlsrpt-invalid'), /no field/);
  assert.match(await reason('v=spf1 -all', 'tlsrpt-absent'), /"v=spf1 -all" does not begin with/);
  const other = await look({ sts: { ...sts, record: 'v=MTASTSv1; id=1' } });
  assert.match(found(other, 'no-enforcement').reason ?? '', /TXT at _mta-sts: "v=MTASTSv1; id=1"/);
  const spaced = ['version: STSv1', 'mode : enforce', 'mx: mx.one.example', 'max_age: 604800'];
  const odd = await look({ sts: { ...sts, lines: spaced } });
  assert.match(found(odd, 'sts-policy-odd').reason ?? '', /"mode : enforce".* before the colon/);
});

// RFC 8461 §4.1 [8461-4.1-1].
test('a wildcard with the wrong number of labels is the reason', async () => {
  const at = (name: string, mx: readonly string[]) =>
    look({
      zone: { withoutMx: true, records: `@ MX 10 ${name}` },
      hosts: [{ name }],
      sts: { ...sts, mx },
    });
  const deep = await at('mx.o-v1', ['*.one.example']);
  assert.match(
    found(deep, 'sts-no-mx-matches').reason ?? '',
    /"mx: \*\.one\.example" does not match mx\.o-v1\.one\.example: \*\. stands for exactly one/,
  );
  const own = await at('mail', ['*.mail.one.example']);
  assert.match(found(own, 'sts-no-mx-matches').reason ?? '', /does not match mail\.one\.example/);
  const other = await at('mail', ['*.two.example']);
  assert.equal(
    found(other, 'sts-no-mx-matches').reason,
    'the policy lists *.two.example; the MX records name mail.one.example',
  );
});

// RFC 7672 §2.2.1: TLSA records below an unsigned MX record.
test('hosts with DANE and an unsigned MX record: no claim that nothing requires TLS', async () => {
  const zone = { withoutMx: true, records: '@ MX 10 mx.two.example.' };
  const lab = await createLab({
    scenarios: [
      { ...unjudged(domain), zone, hosts: [] },
      { ...unjudged('two.example'), zone: { signed: {} }, hosts: [{ tlsa: ['ee'] }] },
    ],
  });
  try {
    const result = await check(domain, labOptions(lab));
    assert.match(found(result, 'no-enforcement').title, /does not protect the unsigned MX record/);
    assert.equal(scored(result, 'dane'), 'absent TLSA for 1 of 1 host, MX record unsigned');
  } finally {
    await lab.close();
  }
});

test('the scorecard counts existing hosts and lists the others', async () => {
  const records = '@ MX 20 gone\n@ MX 30 mx3';
  const faults = { 'mx3.one.example A': 'servfail', 'mx3.one.example AAAA': 'servfail' } as const;
  const result = await look({ sts, zone: { records }, faults });
  assert.equal(
    scored(result, 'mx'),
    'warn 2 hosts, 1 address, 1 not looked up, 1 record without a host',
  );
});
