import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { deliveryOutcomeSchema, type DeliveryOutcome } from '../../src/evidence/index.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import type { DeliveryResult } from '../../src/tls-policy/index.js';
import { createSender, type ConnectResult } from '../../src/send/index.js';
import { inLab } from '../conformance/testing-senders.js';
import { fewAtATime } from '../support/few-at-a-time.js';

let lab: Lab;
before(async () => {
  lab = await createLab();
});
after(() => lab.close());

async function connectTo(
  domain: string,
  sender = createSender(inLab(lab)),
): Promise<ConnectResult> {
  const result = await sender.connect(domain);
  deliveryOutcomeSchema.parse(result.outcome);
  if (result.ok) await result.session.quit();
  return result;
}

function observedIn({ result, attempts }: DeliveryOutcome): DeliveryResult {
  // A domain without mail is rejected before any attempt. A host that accepts no mail
  // causes a bounce.
  if (result === 'rejected') return attempts.length > 0 ? 'deferred' : 'not-applicable';
  const used = attempts.at(-1);
  if (used?.state !== 'used') return 'deferred';
  if (used.cleartext) return 'cleartext';
  return used.authenticate.length > 0 ? 'verified' : 'unverified';
}

test('full protection: an authenticated TLS session, success for both policies', async () => {
  const { ok, outcome } = await connectTo('good.example');
  assert.ok(ok);
  assert.deepEqual(
    outcome.policies.map((p) => `${p.type} ${p.domain} ${p.tlsRpt.status}`),
    ['sts good.example found', 'tlsa mx.good.example absent'],
  );
  assert.deepEqual(
    outcome.attempts[0]?.results.map(({ policy, failure }) => [policy, failure]),
    [
      [0, undefined],
      [1, undefined],
    ],
  );
  assert.deepEqual(
    [
      outcome.attempts[0]?.session?.certificate?.dane,
      outcome.attempts[0]?.session?.certificate?.chain,
    ],
    ['match', 'trusted'],
  );
});

test('every domain of the lab: the delivery matches its scenario', async () => {
  const sender = createSender(inLab(lab));
  const differing: string[] = [];
  await fewAtATime(lab.scenarios, async ({ domain, expect }) => {
    const [predicted] = expect.exposure.bothFirst;
    const { outcome } = await connectTo(domain, sender);
    const observed = observedIn(outcome);
    // A check cannot predict the next attempt after a temporary refusal of STARTTLS.
    const open = predicted === 'unknown' && ['deferred', 'cleartext'].includes(observed);
    if (predicted !== observed && !open)
      differing.push(`${domain}: ${predicted}, but ${observed}: ${JSON.stringify(outcome)}`);
  });
  assert.deepEqual(differing, []);
});

test('an address cannot add a command, and text in a message cannot end it', async () => {
  const sender = createSender(inLab(lab));
  const bad = 'you@good.example>\r\nRCPT TO:<other@good.example';
  const message = Buffer.from('Subject: x\n\nhello\n.\nMAIL FROM:<evil@sender.example>\r.\rlast');
  const { recipients } = await sender.deliver({
    from: 'me@sender.example',
    to: [bad, 'you@good.example'],
    message,
  });
  assert.deepEqual(
    recipients.map(({ status, failure }) => `${status} ${failure?.code ?? ''}`),
    ['rejected smtp-mailbox-invalid', 'delivered '],
  );
  const received = lab.mail.filter(({ server }) => server === 'mx.good.example');
  assert.deepEqual(
    received.map(({ from, to }) => [from, to]),
    [['me@sender.example', ['you@good.example']]],
  );
  assert.match(
    received[0]?.data ?? '',
    /hello\r\n\.\r\nMAIL FROM:<evil@sender\.example>\r\n\.\r\nlast$/,
  );
});
