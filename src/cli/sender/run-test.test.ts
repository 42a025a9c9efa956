import assert from 'node:assert/strict';
import test from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTransport } from 'nodemailer';
import { runCli } from '../../../test/support/run-cli.js';
import {
  renderSenderHtml,
  renderSenderJunit,
  renderSenderTest,
  senderCases,
  type SenderTestResult,
} from '../../sender/index.js';
import { deliverWithOwnSender, TEST_SENDER, type Submit } from './submit.js';
import type { Receivers } from './open-receivers.js';
import { runSenderTest, type SenderTestOptions } from './run-test.js';

function options(submit: (receivers: Receivers) => Submit): SenderTestOptions {
  return {
    exposed: false,
    submit,
    from: TEST_SENDER,
    durationMs: 60_000,
    patienceMs: 0,
    withdrawAfterMs: 0,
    concurrency: 8,
    signal: new AbortController().signal,
  };
}

// [5321-5.1-1] The case second-mx is among them.
const verdicts = (result: SenderTestResult): Record<string, string> =>
  Object.fromEntries(result.cases.map((one) => [one.case, one.verdict]));
const mechanisms = (result: SenderTestResult): Record<string, string> =>
  Object.fromEntries(result.mechanisms.map((one) => [one.mechanism, one.verdict]));

/** Cases whose result depends on the TLS library of this Node.js. */
const byLibrary = ['tls10', 'tls11', 'old-ciphers', 'large-hello'];

test('the sender of this program applies every policy and delivers all other mail', async () => {
  const result = await runSenderTest(options(deliverWithOwnSender));
  const unmet = result.cases.filter(({ met }) => met === 'no' || met === 'open');
  assert.deepEqual(unmet, []);
  const verified = result.cases.filter(({ verdict }) => verdict === 'delivered-verified');
  assert.deepEqual(
    verified.map((one) => one.case),
    ['sts', 'dane', 'dane-expired', 'dane-ta', 'both', 'requiretls', 'requiretls-absent'],
  );
  const { clear, ...others } = verdicts(result);
  assert.equal(clear, 'delivered-in-plaintext');
  assert.equal(others['sts-cached'], 'refused');
  assert.equal(others['dane-ok-sts-bad'], 'refused');
  const seen = Object.entries(others).filter(([id]) => !byLibrary.includes(id));
  assert.ok(seen.every(([, verdict]) => !verdict.startsWith('not-') && verdict !== 'deferred'));
  assert.deepEqual(mechanisms(result), {
    starttls: 'observes-only',
    'mta-sts': 'enforces',
    dane: 'enforces',
    dnssec: 'enforces',
    requiretls: 'cannot-tell',
  });
  assert.equal(result.tls?.sni, 'always');
  const row = (name: 'bothCached' | 'mtaStsFirst'): string[] =>
    Object.values(result.exposure[name]);
  assert.deepEqual(row('bothCached'), ['verified', 'deferred', 'deferred', 'deferred', 'deferred']);
  assert.deepEqual(row('mtaStsFirst').slice(3), ['to-attacker', 'cleartext']);
  const text = renderSenderTest(result, { width: 80, color: false });
  assert.match(text, /^Sender test: \d+ of \d+ cases started; 0 not as expected\n/);
  assert.ok(text.split('\n').every((line) => line.length <= 80));
  assert.doesNotMatch(renderSenderJunit(result), /<failure/);
  assert.match(renderSenderHtml(result), /<td role="cell" data-column="Verdict">/);
});

test('nodemailer alone delivers against every policy', async () => {
  const ids = [
    'plain',
    'clear',
    'self-signed',
    'sts',
    'sts-clear',
    'sts-self-signed',
    'sts-cached',
  ];
  ids.push('dane', 'dane-clear', 'dane-mismatch', 'bogus-mx', 'needs-sni');
  const cases = senderCases.filter(({ id }) => ids.includes(id));
  const result = await runSenderTest({ ...options(plainNodemailer), cases });
  assert.deepEqual(verdicts(result), {
    plain: 'delivered-unverified',
    clear: 'delivered-in-plaintext',
    'self-signed': 'delivered-unverified',
    'needs-sni': 'deferred',
    sts: 'delivered-unverified',
    'sts-self-signed': 'delivered-unverified',
    'sts-clear': 'delivered-in-plaintext',
    'sts-cached': 'delivered-in-plaintext',
    dane: 'delivered-unverified',
    'dane-mismatch': 'delivered-unverified',
    'dane-clear': 'delivered-in-plaintext',
    'bogus-mx': 'delivered-unverified',
  });
  assert.deepEqual(mechanisms(result), {
    starttls: 'observes-only',
    'mta-sts': 'does-not-use',
    dane: 'does-not-use',
    dnssec: 'does-not-use',
    requiretls: 'cannot-tell',
  });
  const text = renderSenderTest(result, { width: 100, color: false });
  assert.match(text, /Next steps:\n {2}- Connect a policy service/);
  assert.match(text, /! sts-clear +delivered in PLAINTEXT/);
  assert.match(renderSenderJunit(result), /name="sts-clear" time="0">\s*<failure/);
});

test('the cases of a server that accepts no message are not started', async () => {
  const cases = senderCases.filter(({ id }) => id === 'plain' || id === 'dane-clear');
  const refuses: Submit = () => Promise.resolve({ ok: false, reason: '550 relaying denied' });
  const result = await runSenderTest({ ...options(() => refuses), cases });
  assert.deepEqual(verdicts(result), { plain: 'not-started', 'dane-clear': 'not-started' });
});

test('a sender that accepts messages and sends nothing has no result', async () => {
  const cases = senderCases.filter(({ id }) => id === 'plain' || id === 'dane-clear');
  const takes: Submit = () => Promise.resolve({ ok: true });
  const result = await runSenderTest({ ...options(() => takes), cases, durationMs: 400 });
  assert.deepEqual(verdicts(result), { plain: 'not-seen', 'dane-clear': 'not-seen' });
});

test('garbage collection does not disable the time limit', async () => {
  const cases = senderCases.filter(({ id }) => id === 'plain');
  const takes: Submit = () => Promise.resolve({ ok: true });
  const limits = { cases, durationMs: 600, onProgress: collectGarbage };
  const result = await runSenderTest({ ...options(() => takes), ...limits });
  assert.deepEqual(verdicts(result), { plain: 'not-seen' });
});

/** Runs the garbage collector now, for weakly referenced objects too. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

test('invalid senders, cases and times are refused before a port opens', async () => {
  for (const flags of [
    ['--smtp', 'mail.example.com'],
    ['--smtp', '127.0.0.1:0'],
    ['--smtp', '127.0.0.1', '--lab'],
    ['--lab', '--only', 'plain,unknown'],
    ['--lab', '--for', '0'],
  ]) {
    const { code, err } = await runCli(['sender', 'test', ...flags]);
    assert.equal(code, 2, flags.join(' '));
    assert.match(err, /^hermetic: /);
  }
});

/**
 * Returns nodemailer as a sender without policies: opportunistic TLS, no verification.
 */
function plainNodemailer(receivers: Receivers): Submit {
  return async ({ senderCase, from, to, message }) => {
    const { address: host = '', port = 0 } = receivers.mailHostOf(senderCase.id) ?? {};
    const transport = createTransport({
      host,
      port,
      opportunisticTLS: true,
      tls: { rejectUnauthorized: false },
      connectionTimeout: 2000,
      greetingTimeout: 2000,
      socketTimeout: 2000,
    });
    await transport.sendMail({ envelope: { from, to }, raw: Buffer.from(message) });
    return { ok: true };
  };
}
