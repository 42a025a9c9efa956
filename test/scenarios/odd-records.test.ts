/**
 * Records with an effect that their owner does not intend: aliases, wildcards, invalid
 * host names, and TLSA records that senders cannot use.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { headline } from '../../src/check/index.js';
import { found, ids, look as lookAt, steps, type World } from '../support/checked-domain.js';

const sts = { mode: 'enforce' } as const;
const signed = { signed: {} } as const;
const hash = 'ab'.repeat(32);

/** Findings on records need only one connection to an address. */
const look = (world: World) => lookAt(world, { depth: 'triage' });
/** Includes the questions that a check asks only at depth `inventory`. */
const lookWidely = (world: World) => lookAt(world, { depth: 'triage', misplaced: true });

// RFC 7672 §2.2.2: the zone of the alias target decides.
test('TLSA records behind an alias into an unsigned zone: the zone is reported', async () => {
  const records = `tlsa TLSA 3 1 1 ${hash}`;
  for (const { alias, zone } of [
    { alias: '_25._tcp.mx CNAME tlsa.two.example.', zone: 'tlsa.two.example' },
    { alias: '*._tcp.mx CNAME tlsa.two.example.', zone: 'tlsa.two.example' },
    {
      alias: '_25._tcp.mx CNAME d.one.example.\nd CNAME tlsa.two.example.',
      zone: 'tlsa.two.example',
    },
  ]) {
    const result = await look({
      zone: { ...signed, records: alias },
      beside: [{ domain: 'two.example', zone: { records } }],
    });
    const { fix, reason } = found(result, 'dane-inert');
    assert.match(fix, new RegExp(`^Sign the zone of ${zone} with DNSSEC`), alias);
    assert.match(reason ?? '', /_25\._tcp\.mx\.one\.example is an alias of tlsa\.two/);
    assert.match(steps(result), /enable DNSSEC for the zone of tlsa\.two\.example/);
  }
  const own = await look({ hosts: [{ tlsa: ['ee'] }] });
  assert.match(found(own, 'dane-inert').fix, /^Sign the zone of mx\.one\.example/);
  const both = await look({
    zone: { records: '_25._tcp.mx CNAME tlsa.two.example.' },
    beside: [{ domain: 'two.example', zone: { ...signed, records } }],
  });
  assert.match(found(both, 'dane-inert').fix, /^Sign the zone of mx\.one\.example/);
});

test('a dangling alias of TLSA records is reported with its target', async () => {
  for (const [records, end] of [
    ['_25._tcp.mx CNAME gone', 'gone.one.example'],
    ['_25._tcp.mx CNAME dane\ndane TXT "no TLSA here"', 'dane.one.example'],
    ['_25._tcp.mx CNAME a\na CNAME b\nb A 192.0.2.1', 'b.one.example'],
  ] as const) {
    const result = await look({ sts, zone: { ...signed, records } });
    assert.deepEqual([result.verdict, ids(result, 'fail')], ['warn', []]);
    assert.equal(
      found(result, 'dane-alias-dangling').reason,
      `_25._tcp.mx.one.example leads to ${end}, which has no TLSA record`,
    );
    assert.match(
      steps(result),
      new RegExp(`^_25\\._tcp\\.mx\\.one\\.example\\. IN CNAME ${end}\\.$`, 'm'),
    );
  }
  const used = await look({ zone: signed, hosts: [{ tlsa: ['ee'], tlsaAt: 'dane' }] });
  assert.deepEqual(ids(used, 'fail', 'warn'), []);
});

// RFC 7672 §2.2: one matching record is sufficient among any number of records.
test('a matching TLSA record counts after hundreds of others', async () => {
  const stale = (parameters: string, count: number): string =>
    Array.from(
      { length: count },
      (_, n) => `_25._tcp.mx TLSA ${parameters} ${(0x1000 + n).toString(16).repeat(16)}`,
    ).join('\n');
  const zone = (records: string) => ({ ...signed, records });
  const ee = await look({ zone: zone(stale('3 1 1', 100)), hosts: [{ tlsa: ['ee'] }] });
  assert.deepEqual([ee.verdict, ee.exposure.dane.none], ['pass', 'verified']);

  const odd = await look({ zone: zone(stale('1 1 1', 100)), hosts: [{ tlsa: ['ee'] }] });
  assert.equal(odd.exposure.dane.none, 'verified', 'unusable records first');
});

test('a server with several certificates: the one without a TLSA record is reported', async () => {
  const zone = signed;
  const both = { tlsa: ['ee'], certificate: 'rsa-and-ecdsa' } as const;
  const pair = await lookAt({ zone, hosts: [both] }, { budget: 14 });
  const { reason, fix } = found(pair, 'dane-mismatch');
  assert.match(reason ?? '', /match the RSA certificate .* none matches its ECDSA certificate$/);
  assert.equal(fix, 'Publish the record 3 1 1 of the ECDSA key next to the existing ones.');
  for (const beside of [
    { certificate: 'rsa' },
    { family: 6, certificate: 'unknown-ca' },
    { certificate: 'self-signed' },
  ] as const) {
    const result = await look({ zone, hosts: [{ tlsa: ['ee'], beside }] });
    const ip = 'family' in beside ? '2001:db8::2' : '198.51.100.2';
    const { reason, fix } = found(result, 'dane-mismatch');
    assert.equal(
      reason,
      `the records match the certificate at 198.51.100.1, and none matches the certificate at ${ip}`,
    );
    assert.ok(fix.startsWith(`Make sure that the server at ${ip} is yours.`), fix);
  }
});

test('TLSA records of another MX host are reported with that host', async () => {
  const records = '_25._tcp.a CNAME _25._tcp.b';
  const hosts = [{ name: 'a' }, { name: 'b', tlsa: ['ee' as const] }];
  const result = await look({ zone: { ...signed, records }, hosts });
  assert.equal(
    found(result, 'dane-mismatch').reason,
    'the records match the certificate of b.one.example, not of a.one.example',
  );
});

// RFC 8461 §3.1, RFC 8460 §3: other TXT records at the name are discarded.
test('records of MTA-STS and TLS-RPT count after hundreds of other texts', async () => {
  for (const count of [100, 300]) {
    const texts = (owner: string): string[] =>
      Array.from({ length: count }, (_, n) => `${owner} TXT "verification=${n}"`);
    const records = [...texts('_mta-sts'), ...texts('_smtp._tls')].join('\n');
    const result = await look({ sts, zone: { records } });
    assert.equal(result.exposure.mtaStsCached.none, 'verified', `${count}`);
    assert.deepEqual(ids(result, 'fail', 'warn'), [], `${count}`);
  }
});

// RFC 7671 §9.
test('a stale stronger digest is deleted next to any record that matches', async () => {
  const other = createHash('sha512').update('another key').digest('hex');
  for (const [tlsa, group] of [
    ['ee', '3 1'],
    ['ta', '2 1'],
    ['ee-certificate', '3 0'],
  ] as const) {
    const records = `_25._tcp.mx TLSA ${group} 2 ${other}`;
    const result = await look({ zone: { ...signed, records }, hosts: [{ tlsa: [tlsa] }] });
    const { fix, steps: some } = found(result, 'dane-mismatch');
    assert.match(fix, new RegExp(`^Delete .* The record ${group} 1 next to it matches`));
    const changes = some.filter(({ kind }) => kind === 'dns').map(({ code }) => code);
    assert.deepEqual(changes, [`_25._tcp.mx.one.example. IN TLSA ${group} 2 ${other}`]);
  }
});

test('matching type 0 without a certificate or key in the data is reported', async () => {
  for (const [data, says] of [
    ['3 0 0 3082', /its data is not a certificate/],
    ['3 1 0 3059aabb', /its data is not a public key/],
    [`3 0 0 ${hash}`, /its data has the size of a digest, which is matching type 1/],
  ] as const) {
    const result = await look({ zone: { ...signed, records: `_25._tcp.mx TLSA ${data}` } });
    assert.match(found(result, 'dane-mismatch').reason ?? '', says, data);
  }
});

// RFC 4592 §2.2.1: an answer that the server synthesises from a wildcard is not a record
// of the name itself.
test('the wildcard of a zone is not a broken alias of MTA-STS', async () => {
  const beside = [{ domain: 'two.example', zone: { records: 'www A 203.0.113.78' } }];
  for (const records of ['* CNAME www.two.example.', '* CNAME gone.two.example.']) {
    const result = await lookAt({ zone: { records }, beside }, { budget: 1 });
    assert.deepEqual(ids(result, 'fail', 'warn'), ['no-enforcement'], records);
  }
  for (const records of ['_mta-sts CNAME gone', '* CNAME www.two.example.\n_mta-sts CNAME gone']) {
    const result = await lookAt({ zone: { records }, beside }, { budget: 1 });
    assert.ok(ids(result, 'warn').includes('sts-record-dangling'), records);
  }
});

// RFC 1123 §2.1.
test('a URL, a mail address or a blank in an MX record is reported', async () => {
  for (const [record, says] of [
    ['https://mx.one.example.', /A host name cannot hold ":", "\/"\./],
    ['mail@one.example.', /A host name cannot hold "@"\./],
    ['10\\032mx.one.example.', /A host name cannot hold a space\./],
  ] as const) {
    const alone = await look({
      hosts: [],
      zone: { withoutMx: true, records: `@ MX 10 ${record}` },
    });
    assert.match(found(alone, 'mx-nonexistent').why, says);
    const next = await look({ sts, zone: { records: `@ MX 20 ${record}` } });
    assert.deepEqual([next.verdict, ids(next, 'warn')], ['warn', ['mx-nonexistent']]);
    assert.match(found(next, 'mx-nonexistent').why, says);
  }
});

// RFC 6890 §2.2: no sender reaches the host, so the policy defers no mail for it.
test('a private MX host that the policy omits is one finding, not two', async () => {
  for (const address of [
    'lan A 10.0.0.1',
    'lan AAAA fd00::25',
    'lan A 192.168.1.1\nlan AAAA fe80::1',
  ]) {
    const result = await look({ sts, zone: { records: `@ MX 20 lan\n${address}` } });
    assert.deepEqual(
      [result.verdict, [...new Set(ids(result, 'fail', 'warn'))]],
      ['warn', ['mx-address-unroutable']],
    );
  }
  const mixed = await look({
    sts,
    zone: { records: '@ MX 20 lan\nlan A 10.0.0.1\nlan A 203.0.113.9' },
  });
  assert.ok(ids(mixed, 'fail').includes('sts-mx-mismatch'));
});

test('a failed DNSSEC proof is explained in a sentence', async () => {
  for (const [fault, says] of [
    ['expired', /A signature has expired \(dnssec-signature-expired\)/],
    ['not-yet-valid', /A signature begins in the future/],
    ['wrong-key', /No key of the zone matches|does not match its record/],
    ['stripped', /arrived without its signature/],
  ] as const) {
    const result = await look({ zone: { ...signed, fault }, hosts: [{ tlsa: ['ee'] }] });
    assert.match(found(result, 'dnssec-bogus').reason ?? '', says, fault);
    assert.match(headline(result), /DNSSEC validation of one\.example fails\./);
  }
});

test('text that is not SMTP: the advice is to find the server, without blame', async () => {
  for (const [greeting, says] of [
    ['SSH-2.0-OpenSSH_9.6\r\n', /^Check that a mail server listens/],
    ['HTTP/1.1 400 Bad Request\r\n\r\n', /^Check that a mail server listens/],
  ] as const) {
    const result = await look({ sts, replies: () => ({ greeting }) });
    assert.match(found(result, 'mx-inconclusive').fix, says);
  }
  const replies = () => ({
    EHLO: '250-mx.one.example\r\n250 STARTTLS\r\n',
    STARTTLS: '220 ready\r\n454 TLS not available due to local problem\r\n',
  });
  const { why, fix } = found(await look({ sts, replies }), 'mx-inconclusive');
  assert.match(why, /from a faulty server or an on-path attacker/);
  assert.match(fix, /^Check the mail server and every proxy in front of it/);
});

// RFC 8461 §3.1, RFC 8460 §3.
test('misplaced records of MTA-STS and TLS-RPT are shown', async () => {
  for (const [owner, at] of [
    ['mta-sts', 'mta-sts.one.example'],
    ['@', 'one.example'],
    ['_mta-sts.one.example', '_mta-sts.one.example.one.example'],
  ] as const) {
    const result = await lookWidely({ zone: { records: `${owner} TXT "v=STSv1; id=1"` } });
    const { reason, why } = found(result, 'sts-record-misplaced');
    assert.equal(reason, `${at} TXT "v=STSv1; id=1"`);
    assert.match(why, /only at _mta-sts\.one\.example,/);
  }
  for (const [owner, at] of [
    ['_tls', '_tls.one.example'],
    ['@', 'one.example'],
    ['_smtp._tls.one.example', '_smtp._tls.one.example.one.example'],
  ] as const) {
    const text = 'v=TLSRPTv1; rua=mailto:a@one.example';
    const result = await lookWidely({
      sts,
      rpt: false,
      zone: { records: `${owner} TXT "${text}"` },
    });
    assert.equal(found(result, 'tlsrpt-misplaced').reason, `${at} TXT "${text}"`);
  }
  const other = await lookWidely({
    zone: { records: '@ TXT "v=spf1 -all"\nmta-sts TXT "x=STSv1"' },
  });
  assert.deepEqual(
    ids(other, 'info').filter((id) => /misplaced/.test(id)),
    [],
  );
  const both = await lookWidely({ sts, zone: { records: 'mta-sts TXT "v=STSv1; id=9"' } });
  assert.deepEqual(
    ids(both, 'info').filter((id) => /misplaced/.test(id)),
    [],
    'one is in place',
  );
});

// RFC 6890 §2.2.
test('a policy host at private addresses serves no sender, and is not called silent', async () => {
  for (const [hostRecords, says] of [
    ['mta-sts A 10.0.0.7', /private or special: 10\.0\.0\.7/],
    ['mta-sts A 127.0.0.1\nmta-sts AAAA fd00::7', /private or special: .*fd00::7/],
  ] as const) {
    const result = await look({ sts: { ...sts, hostRecords } });
    const { title, reason, fix } = found(result, 'sts-policy-unreachable');
    assert.equal(title, 'The MTA-STS policy cannot be fetched');
    assert.match(reason ?? '', says);
    assert.equal(fix, 'Publish a public address for mta-sts.one.example.');
  }
  const none = await look({ sts: { ...sts, hostRecords: 'mta-sts TXT "x"' } });
  const { reason, fix } = found(none, 'sts-policy-unreachable');
  assert.equal(reason, 'mta-sts.one.example has no address');
  assert.equal(fix, 'Publish an address record for mta-sts.one.example.');
});

// RFC 5280 §4.2.1.12, RFC 8461 §3.3.
test('a policy host with a refused certificate: the faulty value is shown', async () => {
  const result = await look({ sts: { ...sts, certificate: 'wrong-name' } });
  assert.match(
    found(result, 'sts-policy-webpki-invalid').reason ?? '',
    /does not contain this name: it names www\.elsewhere\.example/,
  );
});
