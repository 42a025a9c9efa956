import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import { Name } from '../../base/index.js';
import { decodeMessage, encodeMessage, responseTo, RRType, type Message } from '../../dns/index.js';
import { allocateSlot, SlotTable, type Slot } from '../../sender/index.js';
import { migrateStore } from '../../store/index.js';
import { FakeClock } from '../../../test/support/fake-clock.js';
import { openedStore } from '../../../test/support/opened-store.js';
import type { JobContext, Service } from '../service.js';
import { senderTestSchema } from './job-sections.js';
import { senderTestJob } from './sender-test.js';

const zone = 'sender.example';

interface Running {
  readonly service: Service;
  readonly table: SlotTable;
  readonly clock: FakeClock;
  readonly slot: Slot;
  ask(name: string, type: number, from?: string): Message & { readonly octets: number };
}

/** Starts the job with one allocated slot. */
async function running(t: TestContext): Promise<Running> {
  const keys = mkdtempSync(join(tmpdir(), 'hermetic-sender-job-'));
  t.after(() => rmSync(keys, { recursive: true }));
  const { store } = await openedStore(t, []);
  const clock = new FakeClock(Date.UTC(2026, 11, 1), 'skip');
  const note = (): void => undefined;
  const log = { info: note, warn: note, error: note };
  const settings = senderTestSchema.parse({
    zone,
    nameServers: { [`ns.${zone}`]: ['192.0.2.53'] },
    mailAddresses: ['192.0.2.25'],
    policyAddresses: ['192.0.2.80'],
    keys,
    dns: { listen: '127.0.0.1:0' },
  });
  for (const { job, migrations } of (await senderTestJob.tables?.(settings)) ?? [])
    migrateStore(store, job, migrations);
  const table = new SlotTable(store);
  const allocated = await allocateSlot('192.0.2.1', { table, clock, limits: limits, hours: 72 });
  assert.ok(allocated.ok);
  const service = await senderTestJob.start(settings, {
    store,
    clock: { ...clock, now: () => clock.now(), sleep: neverWakes },
    log,
  } as unknown as JobContext);
  const [port] = service.datagramPorts ?? [];
  return {
    service,
    table,
    clock,
    slot: allocated.slot,
    ask(name, type, from = '203.0.113.53') {
      const query = encodeMessage(
        responseTo(Name.of(name), type, {
          response: false,
          edns: { version: 0, udpSize: 1232, dnssecOk: true, options: [] },
        }),
      );
      const bytes = port?.answer(query, { address: from, port: 5353 }, false) ?? new Uint8Array(0);
      const decoded = decodeMessage(bytes);
      assert.ok(decoded.ok);
      return { ...decoded.value, octets: bytes.length };
    },
  };
}

const limits = { slots: 20, perClient: 2 };

/**
 * Waits until the signal aborts. Periodic work therefore runs once, and observations are
 * written when the test stops the job.
 */
function neverWakes(_ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((_resolve, reject) => {
    const end = (): void => reject(signal?.reason as Error);
    if (signal?.aborted) end();
    else signal?.addEventListener('abort', end);
  });
}

test('DNS questions about a slot become observations, once for each resolver', async (t) => {
  const { service, table, slot, ask } = await running(t);
  const domain = `dane.${slot.slot}.${zone}`;
  assert.equal(ask(domain, RRType.MX).answers.length, 2);
  ask(domain.toUpperCase(), RRType.MX);
  ask(`_25._tcp.mx.${domain}`, RRType.TLSA);
  ask(domain, RRType.MX, '198.51.100.53');
  ask(zone, RRType.NS);
  ask(`dane.otherslot.${zone}`, RRType.MX);
  ask(`nothing.${slot.slot}.${zone}`, RRType.MX);
  await service.stop?.();
  const seen = table.observations(slot.slot);
  assert.deepEqual(
    seen.map((one) => one.kind === 'dns' && [one.source, one.case, one.type, one.dnssecOk]),
    [
      ['203.0.113.53', 'dane', 'MX', true],
      ['203.0.113.53', 'dane', 'TLSA', true],
      ['198.51.100.53', 'dane', 'MX', true],
    ],
  );
});

test('a flood of DNS questions leaves room for connections of the slot', async (t) => {
  const { service, table, slot, ask } = await running(t);
  for (let index = 0; index < 2200; index++) ask(`x${index}.dane.${slot.slot}.${zone}`, RRType.A);
  await service.stop?.();
  assert.ok(table.observations(slot.slot).length <= 2000);
  const dropped = service
    .metrics?.()
    .find(({ name }) => name === 'sender_observations_dropped_total');
  assert.ok((dropped?.samples[0]?.value ?? 0) >= 200);
});

test('names of no slot get small answers over UDP', async (t) => {
  const { service, slot, ask } = await running(t);
  const unknown = ask(`dane.otherslot.${zone}`, RRType.MX);
  assert.deepEqual([unknown.truncated, unknown.octets < 100], [true, true]);
  assert.equal(ask(`nothing.dane.${slot.slot}.${zone}`, RRType.A).truncated, false);
  await service.stop?.();
});

test('a withdrawn policy and a deleted slot disappear from DNS', async (t) => {
  const { service, table, slot, clock, ask } = await running(t);
  const record = `_mta-sts.sts-cached.${slot.slot}.${zone}`;
  assert.equal(ask(record, RRType.TXT).answers.length, 1);
  await table.withdraw(slot.slot, clock.now());
  assert.equal(ask(record, RRType.TXT).answers.length, 0);
  const domain = `plain.${slot.slot}.${zone}`;
  assert.equal(ask(domain, RRType.MX).answers.length, 1);
  await table.purge(slot.endsAt + 15 * 86_400_000);
  assert.equal(ask(domain, RRType.MX).answers.length, 0);
  await service.stop?.();
});
