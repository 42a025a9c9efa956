import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import {
  comparePrediction,
  predictSender,
  readOpenSmtpd,
  readPostfix,
  senderCases,
  type MechanismVerdict,
  type PolicyServer,
  type SenderModel,
  type SenderTestResult,
} from '../../src/sender/index.js';
import { runSenderTest } from '../../src/cli/sender/run-test.js';
import { ownNetwork } from './own-network.js';
import { tlsLibraryHere } from './prediction.js';
import { expectedVerdicts } from './sender-expectations.js';
import {
  eximSenders,
  openSmtpdSenders,
  postfixSenders,
  ServerFolder,
  smtpdAction,
  swaksSubmit,
  testServer,
  WireTap,
  type PostfixClient,
  type SenderServer,
  type SmtpdRelays,
} from './sender-servers.js';

// OpenSMTPD looks up only addresses of families that this machine has in addition to
// 127.0.0.1 (AI_ADDRCONFIG of its resolver library).
ownNetwork(['192.0.2.2']);

const folder = new ServerFolder();
let tap: WireTap;

before(async () => {
  tap = folder.add(new WireTap(folder.path));
  await tap.ready();
});
after(() => folder.stop());

/**
 * Tests a server. Compares every case with the table, and each plaintext delivery with
 * the packets of this machine.
 */
async function compare(server: SenderServer): Promise<SenderTestResult> {
  tap.take();
  const result = await testServer(server);
  const observed = Object.fromEntries(result.cases.map((one) => [one.case, one.verdict]));
  assert.deepEqual(observed, { ...observed, ...expectedVerdicts[server.name] }, server.name);
  const plaintext = result.cases.filter(({ verdict }) => verdict === 'delivered-in-plaintext');
  assert.deepEqual(tap.take(), plaintext.map((one) => one.case).sort(), server.name);
  return result;
}

/** Returns the verdicts of MTA-STS, DANE and STARTTLS. */
function mechanismsOf({ mechanisms }: SenderTestResult): readonly MechanismVerdict[] {
  return ['mta-sts', 'dane', 'starttls'].map(
    (name) => mechanisms.find(({ mechanism }) => mechanism === name)?.verdict ?? 'cannot-tell',
  );
}

/** The rarer configurations, only with `--full`: the others cover every mechanism. */
const full = process.env['HERMETIC_FULL'] === '1';

/** Tests servers one after another: they use the same addresses. */
async function compareAll(
  servers: readonly SenderServer[],
  check: (server: SenderServer, result: SenderTestResult) => void = () => undefined,
): Promise<Readonly<Record<string, readonly MechanismVerdict[]>>> {
  const found: Record<string, readonly MechanismVerdict[]> = {};
  for (const server of servers) {
    const result = await compare(server);
    check(server, result);
    found[server.name] = mechanismsOf(result);
  }
  return found;
}

/** A Postfix whose policy table replaces the level `dane`. */
const stsResolver: PostfixClient = [
  'sts-resolver',
  'smtp_tls_security_level=dane',
  'smtp_tls_policy_maps=STSRESOLVER',
];

test('Postfix at each TLS level, and with policy servers', async () => {
  const common = ['may', 'encrypt', 'secure', 'dane'];
  const levels = full ? ['none', 'verify', ...common] : common;
  const servers = await postfixSenders(folder, [
    ...levels.map((level): PostfixClient => [level, `smtp_tls_security_level=${level}`]),
    ['socketmap', 'smtp_tls_security_level=may', 'smtp_tls_policy_maps=SOCKETMAP'],
    ...(full ? [stsResolver] : []),
  ]);
  const found = await compareAll(servers, checkPrediction);
  const expected: typeof found = {
    none: ['does-not-use', 'does-not-use', 'does-not-use'],
    verify: ['does-not-use', 'does-not-use', 'enforces'],
    may: ['does-not-use', 'does-not-use', 'observes-only'],
    encrypt: ['does-not-use', 'does-not-use', 'enforces'],
    secure: ['does-not-use', 'does-not-use', 'enforces'],
    dane: ['does-not-use', 'enforces', 'observes-only'],
    socketmap: ['enforces', 'enforces', 'observes-only'],
    'sts-resolver': ['enforces', 'enforces-wrongly', 'observes-only'],
  };
  assert.deepEqual({ ...expected, ...found }, expected);
  assert.equal(Object.keys(found).length, servers.length);
});

/**
 * Asserts that the prediction from the configuration and the TLS library equals the
 * observation in every case.
 */
function checkPrediction({ name }: SenderServer, result: SenderTestResult): void {
  const servers: Readonly<Record<string, readonly [PolicyServer, string]>> = {
    socketmap: ['hermetic', 'may'],
    'sts-resolver': ['mta-sts-resolver', 'dane'],
  };
  const [policyServer, level = name] = servers[name] ?? [];
  const model = readPostfix({
    text: [
      'smtp_dns_support_level = dnssec',
      'smtp_tls_CAfile = roots.pem',
      `smtp_tls_security_level = ${level}`,
      policyServer ? 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:postfix' : '',
    ].join('\n'),
    readTable: () => ({ ok: false, reason: 'no tables' }),
    domain: 'recipient.example',
    policyServer,
    version: '3.7',
    resolver: 'validates',
    tlsLibrary: tlsLibraryHere(),
  });
  assertPredicted(name, model, result);
}

/** Asserts that the prediction equals the observation in every case. */
function assertPredicted(name: string, model: SenderModel, result: SenderTestResult): void {
  const compared = comparePrediction(predictSender(model, senderCases), result);
  assert.equal(compared.length, result.cases.length);
  for (const { case: id, agrees, predicted, observed } of compared) {
    const says = `${name} ${id}: predicted ${predicted}, observed ${observed}`;
    assert.equal(agrees, 'yes', says);
  }
}

test('Exim uses DANE by default, and only with a resolver that it trusts', async () => {
  const withoutDane = { name: 'exim-no-dane', transport: ['hosts_try_dane ='] };
  const withTls = { name: 'exim-tls', transport: ['hosts_try_dane =', 'hosts_require_tls = *'] };
  const servers = await eximSenders(folder, [
    { name: 'exim' },
    { name: 'exim-untrusted' },
    ...(full ? [withoutDane, withTls] : []),
  ]);
  const found = await compareAll(servers);
  const expected: typeof found = {
    exim: ['does-not-use', 'enforces', 'observes-only'],
    'exim-untrusted': ['does-not-use', 'does-not-use', 'observes-only'],
    'exim-no-dane': ['does-not-use', 'does-not-use', 'observes-only'],
    'exim-tls': ['does-not-use', 'does-not-use', 'enforces'],
  };
  assert.deepEqual({ ...expected, ...found }, expected);
  assert.equal(Object.keys(found).length, servers.length);
});

test('swaks is opportunistic, and its case ends with its run', async () => {
  const deliver = swaksSubmit(folder);
  const ended = new AbortController();
  let runs = 0;
  const result = await runSenderTest({
    exposed: true,
    submit: ({ cases }) => {
      // A run of the program delivers one message, and a case that withdraws its policy
      // needs two messages.
      const messages = cases.length + cases.filter(({ withdrawn }) => withdrawn).length;
      return async (message) => {
        const submission = await deliver(message);
        runs += 1;
        // This client never delivers the message to second-mx, so only this limit ends
        // the test.
        if (runs === messages) setImmediate(() => ended.abort());
        return submission;
      };
    },
    from: 'test@sender.example',
    durationMs: 120_000,
    patienceMs: 0,
    withdrawAfterMs: 300,
    concurrency: 8,
    signal: ended.signal,
  });
  const observed = Object.fromEntries(result.cases.map((one) => [one.case, one.verdict]));
  assert.deepEqual(observed, { ...observed, ...expectedVerdicts['swaks'] });
  assert.deepEqual(mechanismsOf(result), ['does-not-use', 'does-not-use', 'observes-only']);
});

test('OpenSMTPD is opportunistic, and verifies if TLS is required', async () => {
  const relays: SmtpdRelays = {
    opensmtpd: '',
    'opensmtpd-tls': 'tls',
    ...(full && { 'opensmtpd-no-verify': 'tls no-verify' }),
  };
  const senders = await openSmtpdSenders(folder, relays);
  const found = await compareAll(senders, ({ name }, result) => {
    const action = `action "out" ${smtpdAction(relays[name])}`;
    const model = readOpenSmtpd({
      text: `${action}\nmatch from any for any action "out"\n`,
      domain: 'recipient.example',
      version: '6.8.0p2',
      resolver: 'validates',
      tlsLibrary: tlsLibraryHere(),
    });
    assertPredicted(name, model, result);
  });
  const expected: typeof found = {
    opensmtpd: ['does-not-use', 'does-not-use', 'observes-only'],
    'opensmtpd-tls': ['does-not-use', 'does-not-use', 'enforces'],
    'opensmtpd-no-verify': ['does-not-use', 'does-not-use', 'enforces'],
  };
  assert.deepEqual({ ...expected, ...found }, expected);
});
