import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { deliveryOutcomeSchema, domainDecisionSchema } from '../evidence/index.js';
import { runCli } from '../../test/support/run-cli.js';

const flat = (text: string): string => text.replace(/\s+/g, ' ');

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'hermetic-cli-'));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test('policy: prints hosts in order with requirements, records and expiry', async () => {
  const { code, out } = await runCli(['policy', '--lab', 'good.example']);
  assert.equal(code, 0);
  assert.match(out, /^good\.example +DELIVER$/m);
  assert.match(
    flat(out),
    /10 mx\.good\.example 198\.51\.100\.\d+ TLS is mandatory; the server must match its TLSA records, and have a certificate/,
  );
  assert.match(flat(out), /mx\.good\.example TLSA 3 1 1 [0-9a-f]{64} until 20\d\d-/);
  assert.match(flat(out), /mode: enforce mx: mx\.good\.example until 20\d\d-/);
  for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
});

test('policy: deferred mail exits with 3, returned mail with 1', async () => {
  const waits = await runCli(['policy', '--lab', 'sts-two-label-wildcard.example']);
  assert.deepEqual([waits.code, /Senders must not use this host\./.test(waits.out)], [3, true]);
  const theirs = await runCli(['policy', '--lab', 'bogus.example']);
  assert.match(
    flat(theirs.out),
    /signature has expired: .*\(dnssec-signature-expired\)\. The cause is on the remote side/,
  );
  assert.equal((await runCli(['policy', '--lab', 'null-mx.example'])).code, 1);
});

test('policy: JSON fits its schema and states that it only observes', async () => {
  const { out } = await runCli(['policy', '--lab', '--json', '--observe', 'dane-mismatch.example']);
  const decision = domainDecisionSchema.parse(JSON.parse(out));
  assert.deepEqual(decision.waiver, { kind: 'observe' });
  assert.match(
    (await runCli(['policy', '--lab', '--observe', 'dane-mismatch.example'])).out,
    /The sender enforces nothing: it only observes\./,
  );
});

test('policy: shows a policy that send cached', async (t) => {
  const file = join(folder(t), 'policies.db');
  const sent = await runCli([
    ...['send', '--lab', '--store', file, '--from', 'me@sender.example', 'you@sts-only.example'],
  ]);
  assert.equal(sent.code, 0);
  assert.match(
    (await runCli(['policy', '--lab', '--store', file, 'sts-only.example'])).out,
    /cached and current/,
  );
});

test('[7672-2.2.1-4, 7672-2.2.1-5]: an unsigned MX authenticates only the host', async () => {
  const { out } = await runCli(['policy', '--lab', 'hosted-customer.example']);
  assert.match(flat(out), /the MX is not signed/);
  assert.match(
    flat(out),
    /mx\.hoster\.example .* senders authenticate the host, but not the MX record/,
  );
  const sent = await runCli([
    'send',
    '--lab',
    '--quiet',
    '--from',
    'me@sender.example',
    'you@hosted-customer.example',
  ]);
  assert.match(
    flat(sent.out),
    /mx\.hoster\.example \[198\.51\.100\.\d+\] TLSv1\.3 with \S+( \(post-quantum\))?, the host authenticated by dane/,
  );
  assert.doesNotMatch(sent.out, /hosted-customer\.example.*authenticated/);
});

test('send: the null sender is written as an empty text or as <>', async () => {
  for (const from of ['', '<>']) {
    const { code, out } = await runCli(['send', '--lab', '--from', from, 'you@good.example']);
    assert.equal(code, 0, out);
    assert.match(out, /MAIL FROM:<>/);
  }
  const { code, err } = await runCli(['send', '--lab', '--from', '', '']);
  assert.equal(code, 2);
  assert.match(err, /not a mail address/);
  const dry = await runCli(['send', '--lab', '--dry-run', '--from', '', 'you@good.example']);
  assert.equal(dry.code, 0, dry.out);
});

test('send: prints the conversation and the outcome of each recipient', async () => {
  const { code, out } = await runCli([
    'send',
    '--lab',
    '--from',
    'me@sender.example',
    'you@good.example',
    'they@null-mx.example',
  ]);
  assert.equal(code, 1);
  assert.match(out, /C: STARTTLS\n.*S: 220 .*\n.*-: TLS\n.*C: EHLO/);
  assert.match(out, /C: MAIL FROM:<me@sender\.example>/);
  assert.match(out, /^you@good\.example {2}delivered: 250/m);
  assert.match(
    out,
    /^they@null-mx\.example {2}rejected: The domain accepts no mail. [\s\S]*\(send-no-mail\)$/m,
  );
});

test('send --dry-run: authenticates and sends no MAIL', async () => {
  const good = await runCli([
    'send',
    '--lab',
    '--dry-run',
    '--from',
    'me@sender.example',
    'you@good.example',
  ]);
  assert.deepEqual(
    [good.code, /MAIL FROM/.test(good.out), /ready for mail/.test(good.out)],
    [0, false, true],
  );
  const stripped = await runCli([
    'send',
    '--lab',
    '--dry-run',
    '--json',
    '--from',
    'me@sender.example',
    'you@stripped.example',
  ]);
  assert.equal(stripped.code, 3);
  const outcome = deliveryOutcomeSchema.parse(JSON.parse(stripped.out));
  assert.deepEqual(outcome.attempts[0]?.results[0]?.failure?.resultType, 'starttls-not-supported');
});

test('send: invalid input is refused with a fix, and nothing is sent', async (t) => {
  const message = join(folder(t), 'mail.eml');
  writeFileSync(message, 'just text\n');
  for (const [args, says] of [
    [['--from', 'nobody', 'you@good.example'], /Write it as user@example\.com/],
    [['--from', 'me@sender.example', 'you@good.example\r\nDATA'], /smtp-mailbox-invalid/],
    [
      ['--from', 'me@sender.example', '--message', message, 'you@good.example'],
      /Use a complete message/,
    ],
    [
      ['--from', 'me@sender.example', '--require', 'luck', 'you@good.example'],
      /Choose tls, dane or verified/,
    ],
  ] as const) {
    const { code, out, err } = await runCli(['send', '--lab', ...args]);
    assert.deepEqual([code, out], [2, '']);
    assert.match(err, says);
  }
});
