import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import { openReceivers } from '../src/cli/sender/open-receivers.js';
import { TEST_SENDER, testMessage } from '../src/cli/sender/submit.js';
import { newKeyPair } from '../src/base/index.js';
import { createSender } from '../src/send/index.js';
import { senderCase, SlotTable, type SenderTestResult } from '../src/sender/index.js';
import { senderTestSection } from '../src/sender/settings.js';
import { openStore, type Store } from '../src/store/index.js';
import { parseReport } from '../src/tls-rpt/index.js';
import { createReceiver, httpsHandler, verifyDkim } from '../src/tls-rpt-receive/index.js';
import {
  composeReportMail,
  countSessions,
  eventsOfOutcome,
  Outbox,
  prepareReporting,
  type SessionEvent,
} from '../src/tls-rpt-send/index.js';
import { FakeClock } from './support/fake-clock.js';
import { keyResolver, reportJson } from './support/report/mail.js';
import { TestPages } from './support/testing-pages.js';

const DAY = 86_400_000;
const HOUR = 3_600_000;
const ZONE = 'sender.example';
const reporter = { organization: 'Reporting Sender', contact: 'tls@reporting.example' };
const key = newKeyPair({ type: 'rsa', modulusLength: 2048 });
const keyText = `v=DKIM1; k=rsa; p=${key.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;

/** Returns a public test with only the slot of the receivers. */
async function opened(t: TestContext, now: number): Promise<PublicTest> {
  const store = await openStore(':memory:');
  const clock = new FakeClock(now, 'wait');
  const senderTest = senderTestSection.parse({
    zone: ZONE,
    nameServers: { [`ns.${ZONE}`]: ['192.0.2.53'] },
    mailAddresses: ['192.0.2.25'],
    policyAddresses: ['192.0.2.80'],
    reportUri: `mailto:reports@${ZONE}`,
    acme: { directory: 'https://ca.example/dir', agreed: true },
  });
  const site = await TestPages.open(t, {}, { store, clock, senderTest });
  const table = new SlotTable(store);
  const slot = { slot: 'me', id: 'secret', client: 'test', lentAt: now, endsAt: now + 2 * DAY };
  await table.allocate(slot, { slots: 1, perClient: 1 });
  await table.markReady('me', now);
  return { store, clock, site, table };
}

interface PublicTest {
  readonly store: Store;
  readonly clock: FakeClock;
  readonly site: TestPages;
  readonly table: SlotTable;
}

/**
 * Delivers a message to the case with Hermetic's own sender, and returns the sessions.
 */
async function deliverOurs(table: SlotTable): Promise<readonly SessionEvent[]> {
  const played = senderCase('report');
  assert.ok(played);
  const receivers = await openReceivers({ cases: [played] });
  try {
    const { network, upstreams, anchors, trustStore } = receivers;
    const sender = createSender({ network, upstreams, anchors, trustStore });
    const { signal } = new AbortController();
    const mail = testMessage(played, { from: TEST_SENDER, now: new Date(), signal });
    const { outcomes } = await sender.deliver({ ...mail, to: [mail.to] });
    await table.add('me', receivers.recorder.observations);
    return outcomes.flatMap(eventsOfOutcome);
  } finally {
    await receivers.close();
  }
}

/**
 * Returns the report mail that Hermetic's own sender makes of the sessions after the end
 * of their day.
 */
async function reportMailOf(events: readonly SessionEvent[], now: number): Promise<Buffer> {
  const store = await openStore(':memory:');
  prepareReporting(store);
  countSessions(store, events);
  const outbox = new Outbox({ store, reporter, random: () => 0 });
  assert.equal(await outbox.close(now), 1);
  const [queued] = outbox.due(Infinity, 1);
  assert.ok(queued);
  assert.equal(queued.uri, `mailto:reports@${ZONE}`);
  const parsed = parseReport(queued.body);
  assert.ok(parsed.ok);
  const { report } = parsed.value;
  const dkim = { domain: 'reporting.example', selector: 's1', privateKey: key.privateKey };
  const to = `reports@${ZONE}`;
  const { domain: policyDomain, body } = queued;
  return composeReportMail({ reporter, report, body, policyDomain, to, dkim, at: now });
}

test('the report of our own sender is added to its test a day later', async (t) => {
  const { store, clock, site, table } = await opened(t, Date.now());
  const page = '/sender/secret';
  const events = await deliverOurs(table);
  assert.match(await site.text(page), /No report about this test has arrived/);
  clock.move(DAY + HOUR);
  const mail = await reportMailOf(events, clock.now());
  const resolver = keyResolver(['reporting.example'], 'nxdomain', keyText);
  const receiver = createReceiver({
    store,
    clock,
    domains: [ZONE],
    verify: (message) => verifyDkim(message, resolver, clock.now()),
  });
  const receipt = await receiver.receive(mail, { via: 'mail', peer: '192.0.2.77', name: 'mail' });
  assert.equal(receipt.status, 'stored');

  const { result } = (await (await site.ask('/api/v1/sender-tests/secret')).json()) as {
    result: SenderTestResult;
  };
  const [joined, ...others] = result.cases.find((one) => one.case === 'report')?.reports ?? [];
  assert.deepEqual(others, []);
  assert.equal(joined?.organization, reporter.organization);
  assert.equal(joined.authenticated, true);
  assert.equal(joined.agrees, 'yes');
  assert.deepEqual(joined.resultTypes, ['certificate-not-trusted']);
  assert.deepEqual([joined.successes, joined.failures, joined.seen], [0, 1, 1]);
  assert.match(await site.text(page), /report: Reporting Sender for [-\d]{10}, signed: 0 sessions/);

  // Any client with the name of the slot can send reports, and the page shows them as not
  // authenticated.
  const today = new Date(clock.now() - DAY).toISOString().slice(0, 10);
  const forged = reportJson(3, 0, '1', today, `report.me.${ZONE}`);
  const post = httpsHandler({ receiver });
  const body = Buffer.from(forged);
  const request = new Request('https://reports.example/tlsrpt', { method: 'POST', body });
  assert.equal((await post(request, { address: '198.51.100.99' })).status, 201);
  const text = await site.text(page);
  assert.match(text, /NOT authenticated: 3 sessions succeeded/);
  assert.ok(text.indexOf('signed: 0 sessions') < text.indexOf('NOT authenticated'));
  await receiver.close();
});
