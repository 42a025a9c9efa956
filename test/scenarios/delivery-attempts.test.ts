import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import type { Lab, Scenario } from '../../src/lab/index.js';
import { createSender, type SenderOptions } from '../../src/send/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, inLab, mailTo, smallLab } from '../conformance/testing-senders.js';

const three = [{ name: 'mx1' }, { name: 'mx2' }, { name: 'mx3' }] as const;
const dead = three.map((host) => ({ ...host, dial: 'refuse' as const }));
const scenarios: readonly Scenario[] = [
  {
    ...unjudged('good.example'),
    zone: { signed: {} },
    hosts: [{ tlsa: ['ee'] }],
    sts: { mode: 'enforce' },
  },
  {
    ...unjudged('equal.example'),
    zone: { withoutMx: true, records: '@ MX 10 mx1\n@ MX 10 mx2\n@ MX 5 mx3' },
    hosts: [...three],
  },
  { ...unjudged('dead.example'), hosts: dead },
  { ...unjudged('refused.example'), hosts: [{ habit: 'closed' }] },
  { ...unjudged('no-service.example'), hosts: [{ habit: 'takes-no-mail' }] },
  {
    ...unjudged('half-service.example'),
    hosts: [{ name: 'mx1', habit: 'takes-no-mail' }, { name: 'mx2' }],
  },
  { ...unjudged('breaks.example'), hosts: [{ habit: 'breaks-tls' }] },
];

let lab: Lab;
before(async () => {
  ({ lab } = await smallLab(scenarios));
});
after(() => lab.close());

const sender = (more: SenderOptions = {}) => createSender(inLab(lab, more));

test('equal hosts are tried in random order, never before a preferred one', async () => {
  const orders = new Set<string>();
  for (const lots of [
    [0.1, 0.5, 0.9],
    [0.9, 0.5, 0.1],
  ]) {
    const backs = lab.hostsOf('equal.example').map(({ ip }) => lab.cutOff(ip));
    let at = 0;
    const { outcomes } = await mailTo(sender({ random: () => lots[at++] ?? 0 }), 'equal.example');
    backs.forEach((back) => back());
    const hosts = outcomes[0]?.attempts.map(({ host }) => host.slice(0, 3)) ?? [];
    assert.equal(hosts[0], 'mx3');
    orders.add(hosts.join(' '));
  }
  assert.deepEqual([...orders].sort(), ['mx3 mx1 mx2', 'mx3 mx2 mx1']);
});

test('a message is tried at no more servers than allowed', async () => {
  const { outcomes } = await mailTo(sender({ maxAttempts: 2 }), 'dead.example');
  assert.equal(outcomes[0]?.attempts.length, 2);
});

test('a guarded sender connects to no special address for mail or policies', async () => {
  const guarded = sender({ publicOnly: true });
  const delivery = await mailTo(guarded, 'good.example');
  assert.equal(ended(delivery), 'deferred send-no-server');
  assert.equal(delivery.outcomes[0]?.attempts[0]?.failure?.code, 'net-guarded');
  assert.match(
    (await guarded.policy('good.example')).mtaSts.trouble?.code ?? '',
    /^sts-policy-host-not-public$/,
  );
});

test('a permanent refusal by one server is retried: another may accept', async () => {
  const delivery = await mailTo(sender(), 'refused.example');
  assert.equal(ended(delivery), 'deferred send-no-server');
  assert.equal(delivery.outcomes[0]?.attempts[0]?.failure?.code, 'smtp-refused');
  assert.deepEqual(delivery.outcomes[0].attempts[0].results, [], 'no session, nothing to report');
});

// [7504-3-1]
test('RFC 7504 §3: 521 returns the mail with the reply, other hosts are tried first', async () => {
  const alone = await mailTo(sender(), 'no-service.example');
  assert.equal(ended(alone), 'rejected send-no-mail');
  assert.match(alone.recipients[0]?.failure?.detail ?? '', /521 .*no mail here/);
  assert.equal(ended(await mailTo(sender(), 'half-service.example')), 'delivered');
});

test('a chosen destination never receives plaintext', async () => {
  assert.equal(ended(await mailTo(sender(), 'breaks.example')), 'delivered');
  assert.equal(
    ended(await mailTo(sender({ require: 'tls' }), 'breaks.example')),
    'deferred send-no-server',
  );
});

test('a caller can abort a wait for a server', async () => {
  const stop = new AbortController();
  const end = await lab.attack('good.example', 'policy-hangs');
  setTimeout(() => stop.abort(new Error('enough')), 100);
  await assert.rejects(sender().connect('good.example', { signal: stop.signal }), /enough/);
  end();
});

test('due policies are fetched without a message, until the signal', async () => {
  const { memoryStsCache } = await import('../../src/mta-sts/index.js');
  const stsCache = memoryStsCache();
  const keeper = sender({ stsCache });
  await keeper.policy('good.example');
  const entry = stsCache.get('good.example');
  assert.ok(entry?.policy);
  const old = entry.policy.fetchedAt - 2 * 86_400_000;
  await stsCache.put({ ...entry, policy: { ...entry.policy, fetchedAt: old } });
  const stop = new AbortController();
  const done = keeper.keepFresh(stop.signal);
  while (stsCache.get('good.example')?.policy?.fetchedAt === old)
    await new Promise((resolve) => setTimeout(resolve, 20));
  stop.abort();
  await done;
});

test('an invalid EHLO name is refused before the first connection', () => {
  assert.throws(() => sender({ helo: 'mail.example\r\nMAIL FROM:<x>' }), /not a host name/);
});
