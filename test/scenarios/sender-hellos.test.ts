import assert from 'node:assert/strict';
import test from 'node:test';
import { check, renderTerminal, type CheckOptions } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult, MailAddress } from '../../src/evidence/index.js';
import { createLab, type Scenario } from '../../src/lab/index.js';
import { senderHellos } from '../../src/tls/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';

const domain = 'one.example';
const enforced = { mode: 'enforce' } as const;
const signed = { signed: {} };

async function look(parts: Partial<Scenario>, more: CheckOptions = {}): Promise<CheckResult> {
  const lab = await createLab({ scenarios: [{ ...unjudged(domain), ...parts }] });
  try {
    return await check(domain, { ...labOptions(lab), ...more });
  } finally {
    await lab.close();
  }
}

const severityOf = ({ findings }: CheckResult, id: string): string | undefined =>
  findings.find((finding) => finding.id === id)?.severity;

function addressOf({ hosts }: CheckResult): MailAddress {
  const address = hosts[0]?.addresses[0];
  assert.ok(address);
  return address;
}

// [8461-7.1-4, 7672-8.1-2]
for (const [name, parts] of Object.entries({
  'without a policy': {},
  'with MTA-STS': { sts: enforced },
  'with DANE': { zone: signed, tlsa: ['ee'] as const },
}))
  test(`a server that demands SNI fails ${name}`, async () => {
    const { tlsa, ...rest } = { tlsa: [] as const, ...parts };
    const result = await look({ ...rest, hosts: [{ withoutSni: 'refused', tlsa }] });
    assert.equal(severityOf(result, 'tls-sni-required'), 'fail');
    assert.equal(addressOf(result).withoutSni, 'refused');
    assert.equal(result.verdict, 'fail');
    assert.ok(result.connections <= 14);
  });

for (const [name, parts, severity] of [
  ['DANE-EE', { zone: signed, hosts: [{ withoutSni: 'other-name', tlsa: ['ee'] }] }, 'warn'],
  ['MTA-STS', { sts: enforced, hosts: [{ withoutSni: 'other-name' }] }, 'info'],
  [
    'a policy in testing',
    { sts: { mode: 'testing' }, hosts: [{ withoutSni: 'other-name' }] },
    'info',
  ],
  ['no policy', { hosts: [{ withoutSni: 'other-name' }] }, undefined],
] as const)
  test(`another certificate without SNI, with ${name}: ${severity ?? 'no finding'}`, async () => {
    const result = await look(parts);
    assert.equal(severityOf(result, 'cert-depends-on-sni'), severity);
    assert.equal(addressOf(result).withoutSni, 'other-key');
    assert.ok(
      addressOf(result).certificates.every(({ names }) => !names.includes('www.elsewhere.example')),
      'the fallback certificate is not judged as the certificate of the host',
    );
  });

test('DANE-TA: a fallback certificate of the same CA but another name warns', async () => {
  const hosts = [{ withoutSni: 'other-name', tlsa: ['ta'] }] as const;
  assert.equal(severityOf(await look({ zone: signed, hosts }), 'cert-depends-on-sni'), 'warn');
});

test('the same certificate without SNI raises nothing', async () => {
  const result = await look({ sts: enforced });
  assert.equal(addressOf(result).withoutSni, 'same-key');
  assert.equal(severityOf(result, 'cert-depends-on-sni'), undefined);
});

test('depth triage does not try a handshake without SNI', async () => {
  const hosts = [{ withoutSni: 'refused' }] as const;
  const result = await look({ hosts, sts: enforced }, { depth: 'triage' });
  assert.equal(addressOf(result).withoutSni, undefined);
  assert.equal(severityOf(result, 'tls-sni-required'), undefined);
});

test('a budget spent before the handshake without SNI leaves its rules open', async () => {
  const open = ['tls-sni-required', 'cert-depends-on-sni'];
  const spent = await look({ sts: enforced }, { budget: 4 });
  assert.deepEqual(
    open.filter((id) => !spent.undecided?.includes(id)),
    [],
  );
  assert.ok((await look({ sts: enforced })).undecided?.every((id) => !open.includes(id)) ?? true);
});

test('every sender gets a session from a good server, and the report shows it', async () => {
  const senders = senderHellos().map(({ id }) => id);
  const result = await look({ sts: enforced }, { senders });
  const seen = addressOf(result).senders ?? [];
  assert.deepEqual(
    seen.map(({ sender }) => sender),
    senders,
  );
  for (const { sender, result: outcome, version, suite, group } of seen) {
    assert.deepEqual([outcome, version], ['session', 'TLSv1.3'], sender);
    assert.match(suite ?? '', /^TLS_/);
    assert.ok(group !== undefined, sender);
  }
  const page = renderTerminal(result, { width: 100 });
  for (const { name } of seen) assert.ok(page.includes(`${name}: TLS 1.3, `), name);
});

test('a server with TLS 1.2 and few suites answers each sender by its hello', async () => {
  const hosts = [{ certificate: 'rsa', suites: 'ECDHE-RSA-AES256-GCM-SHA384' }] as const;
  const result = await look({ sts: enforced, hosts }, { senders: ['java', 'go', 'exchange'] });
  for (const { sender, version, suite } of addressOf(result).senders ?? [])
    assert.deepEqual(
      [version, suite],
      ['TLSv1.2', 'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384'],
      sender,
    );
});

test('senders blocked by a middlebox have no session', async () => {
  const result = await look(
    { sts: enforced, attack: { largeHellos: 'reset' } },
    { senders: ['postfix-openssl-3.0', 'postfix-openssl-3.5', 'go'] },
  );
  assert.deepEqual(
    addressOf(result).senders?.map(({ result: outcome }) => outcome),
    ['session', 'refused', 'refused'],
  );
  assert.equal(severityOf(result, 'tls-large-hello'), 'warn');
});

test('without a post-quantum group a recording can be decrypted later', async () => {
  const hosts = [{ certificate: 'rsa', suites: 'ECDHE-RSA-AES256-GCM-SHA384' }] as const;
  const result = await look({ sts: enforced, hosts });
  assert.equal(addressOf(result).decryptedLater, 'possible');
  assert.match(renderTerminal(result), /recorded today, decrypted later: possible/);
  const triage = await look({ sts: enforced }, { depth: 'triage' });
  assert.equal(addressOf(triage).decryptedLater, 'unknown');
  assert.doesNotMatch(renderTerminal(triage), /decrypted later/);
});
