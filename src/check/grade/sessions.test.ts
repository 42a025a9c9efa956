/** Sessions that end in an unusual way: the verdict, its reason and the advice. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ConnectionEvidence } from '../../evidence/index.js';
import { createCa, issue } from '../../pki/index.js';
import {
  plantedAddress,
  plantedConnection,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import {
  groups12,
  groups13,
  only,
  signatureSchemeTable,
  suites12,
  suites13,
  type HelloVersion,
} from '../../tls/index.js';
import { grade } from './grade.js';

const name = 'mx.planted.example';
const at = Date.parse('2026-06-01T12:00:00Z');
const dates = { notBefore: at - 864e5, notAfter: at + 80 * 864e5 };
const { chain } = issue(createCa({ name: 'Root' }), { names: [name], ...dates });

/**
 * Returns the result for a host with this connection and further ones, under a policy of
 * this mode.
 */
function judged(
  connection: Partial<ConnectionEvidence>,
  mode?: 'enforce' | 'testing',
  further: readonly ConnectionEvidence[] = [],
) {
  const connections = [plantedConnection(connection), ...further];
  const hosts = [plantedHost({ addresses: [plantedAddress({}, { connections })] })];
  return grade(plantedEvidence(mode ? { hosts, mtaSts: plantedPolicy(mode) } : { hosts }));
}

/** Returns a connection on which the server refused a hello with these suites. */
const refusedHello = (version: HelloVersion, suites: readonly number[]): ConnectionEvidence =>
  plantedConnection({
    purpose: 'set:strict',
    starttls: 'offered',
    probe: {
      question: {
        kind: 'hello',
        topic: 'set:strict',
        version,
        suites,
        groups: version === 'TLSv1.3' ? groups13 : groups12,
        schemes: signatureSchemeTable.map(([codePoint]) => codePoint),
      },
      answer: { kind: 'refused', alert: 40 },
    },
  });

/** A refusal excludes ECDSA suites before others: some servers choose the key first. */
const ecdhe12 = ['ECDSA', 'RSA'].map((key) =>
  only(suites12, (suite) => suite.keyExchange === 'ECDHE' && suite.authentication === key),
);
const OLD_SUITES = 'tls-outdated-suites';

// RFC 9325 §3.1.1, RFC 8996 §4.
test('TLS 1.0 or 1.1 as the newest version defers mail of senders that require TLS', () => {
  for (const version of ['TLSv1', 'TLSv1.1'] as const) {
    const handshake = { ...plantedHandshake(chain), version };
    const result = judged({ handshake }, 'enforce');
    const outdated = result.findings.find(({ id }) => id === 'tls-outdated');
    assert.deepEqual([result.verdict, outdated?.severity], ['fail', 'fail'], version);
    assert.match(outdated?.reason ?? '', version === 'TLSv1' ? /TLS 1\.0$/ : /TLS 1\.1$/);
    assert.equal(result.exposure.mtaStsCached.none, 'deferred');
    assert.equal(result.exposure.opportunistic.none, 'unverified');
    assert.ok(!result.findings.some(({ id }) => id === 'sts-good'));
    for (const mode of [undefined, 'testing'] as const) {
      const open = judged({ handshake }, mode).findings.find(({ id }) => id === 'tls-outdated');
      assert.equal(open?.severity, 'warn', mode);
    }
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const suite = version === 'TLSv1.2' ? 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256' : undefined;
    const handshake = { ...plantedHandshake(chain), version, ...(suite && { suite }) };
    const current = judged({ handshake }, 'enforce');
    assert.equal(current.exposure.mtaStsCached.none, 'verified', version);
    assert.ok(!current.findings.some(({ id }) => id === 'tls-outdated'));
  }
});

// RFC 10015 §2, §3: a sender that requires TLS offers ECDHE alone in TLS 1.2.
test('a server without ECDHE defers mail of senders that require TLS', () => {
  for (const suite of [
    'TLS_RSA_WITH_AES_128_GCM_SHA256',
    'TLS_DHE_RSA_WITH_AES_256_GCM_SHA384',
    'TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA',
  ]) {
    const handshake = { ...plantedHandshake(chain), version: 'TLSv1.2', suite } as const;
    const refused = [
      refusedHello('TLSv1.3', suites13),
      ...ecdhe12.map((asked) => refusedHello('TLSv1.2', asked)),
    ];
    const result = judged({ handshake }, 'enforce', refused);
    const { severity, reason } = result.findings.find(({ id }) => id === OLD_SUITES) ?? {};
    assert.deepEqual(
      [result.verdict, severity, reason, result.exposure.mtaStsCached.none],
      ['fail', 'fail', `the server chose ${suite}`, 'deferred'],
    );
    assert.equal(result.exposure.opportunistic.none, 'unverified');
    assert.equal(
      judged({ handshake }, undefined, refused).findings.find(({ id }) => id === OLD_SUITES)
        ?.severity,
      'warn',
    );
    // The server's own order may prefer the old suite to a current one.
    const unasked = judged({ handshake }, 'enforce');
    assert.equal(unasked.verdict, 'inconclusive');
    assert.match(
      unasked.findings.find(({ id }) => id === 'tls-unsettled')?.title ?? '',
      /depth triage omits the test; open: tls-outdated-suites/,
    );
  }
});

test('a greylisting daemon in place of the mail server: could not tell', () => {
  for (const greeting of [
    'mx.planted.example ESMTP spamd IP-based SPAM blocker; Mon Jun  1 12:00:00 2026',
    'ESMTP spamd IP-based spam blocker',
  ]) {
    const result = judged(
      {
        starttls: 'absent',
        greeting: { code: 220, lines: [greeting] },
        ehlo: { code: 250, lines: ['Hello, spam sender. Pleased to be wasting your time.'] },
      },
      'enforce',
    );
    assert.deepEqual(
      [result.verdict, result.exposure.opportunistic.none, result.exposure.mtaStsCached.none],
      ['inconclusive', 'unknown', 'unknown'],
    );
    const { why, fix } = result.findings.find(({ id }) => id === 'mx-inconclusive') ?? {};
    assert.match(why ?? '', /A greylisting daemon answers this client/);
    assert.match(fix ?? '', /allow list/);
  }
  const greeting = { code: 220, lines: ['mx.planted.example ESMTP, no spam please'] };
  assert.equal(judged({ starttls: 'absent', greeting }).verdict, 'fail', 'an ordinary server');
});

// RFC 3207 §4.2.
test('a session that ends inside TLS: the alert or the reply is the reason', () => {
  const inside = (code: string, detail: string) =>
    judged({
      handshake: plantedHandshake(chain),
      starttls: 'offered',
      failure: { code, detail },
    }).findings.find(({ id }) => id === 'tls-session-refused');
  const alert = inside('smtp-tls-alert', 'certificate_required');
  assert.equal(alert?.reason, 'the alert is certificate_required');
  assert.match(alert.why, /^The handshake succeeds, and the server then ends the session/);
  assert.match(alert.fix, /^Do not require client certificates on port 25\./);
  const refused = inside('smtp-ehlo-refused', '550 5.7.1 no');
  assert.equal(refused?.reason, 'The server answered "550 5.7.1 no"');
  assert.match(refused.why, /but the server answers "550 5\.7\.1 no" to EHLO inside TLS/);
  assert.match(refused.fix, /^Accept EHLO/);
});

// RFC 8461 §7.1: only a handshake with SNI at the same time shows that the server demands
// SNI.
test('a server that ends TLS for this client does not demand SNI', () => {
  const failed = { starttls: 'offered', failure: { code: 'tls-alert-40', detail: '' } } as const;
  const without = plantedConnection({ ...failed, purpose: 'without-sni' });
  const after = (...later: readonly ConnectionEvidence[]): readonly string[] =>
    judged({ handshake: plantedHandshake(chain) }, 'enforce', [without, ...later]).findings.map(
      ({ id }) => id,
    );
  assert.ok(after(plantedConnection()).includes('tls-sni-required'));
  assert.ok(!after(plantedConnection(failed)).includes('tls-sni-required'));
});
