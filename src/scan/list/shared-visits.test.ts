import assert from 'node:assert/strict';
import test from 'node:test';
import { FakeClock } from '../../../test/support/fake-clock.js';
import { testServer, testVisit } from '../../../test/support/scan-observations.js';
import type { AddressEvidence } from '../../evidence/index.js';
import { SharedVisits, type SharedVisitsOptions } from './shared-visits.js';

const address = '192.0.2.1';
const provider = testServer(['*.mail.example.net', 'mx.example.com']);

interface Visited {
  readonly host: string;
  readonly at: number;
}

/** A run whose visits take a second, and the visits that it made. */
function run(options: Partial<SharedVisitsOptions> = {}) {
  const clock = new FakeClock();
  const visits = new SharedVisits({
    perVisit: 14,
    perAddress: 60,
    spacingMs: 5000,
    clock,
    ...options,
  });
  const visited: Visited[] = [];
  let open = 0;
  const visit = (host: string, evidence?: AddressEvidence, ip = address) =>
    visits.run(host, ip, async (budget) => {
      assert.equal(open++, 0, 'one visit at a time');
      visited.push({ host, at: clock.monotonic() });
      budget.consume();
      await clock.sleep(1000);
      open--;
      return evidence ?? testVisit(host, provider, ip).address;
    });
  return { clock, visits, visited, visit };
}

test('visits to one address keep the pause, and one host is visited once', async () => {
  const { visit, visited, visits } = run();
  const hosts = ['a.mail.example.net', 'b.mail.example.net', 'a.mail.example.net'];
  const [first, , again] = await Promise.all(hosts.map((host) => visit(host)));
  assert.equal(first, again);
  assert.deepEqual(
    visited.map(({ at }) => at - (visited[0]?.at ?? 0)),
    [0, 6000],
  );
  assert.deepEqual(visits.connections, { connections: 2, addresses: 1 });
});

test('a server that limits connections gets twice the pause after its rest', async () => {
  const { visit, visited, clock } = run();
  const { connections, ...rest } = testVisit('a.example.net', provider).address;
  const busy = { code: 'smtp-busy', detail: '421 Too many connections' };
  const refused: AddressEvidence = {
    ...rest,
    status: 'inconclusive',
    reason: 'smtp-busy',
    connections: connections.map(({ handshake: _, ehlo: __, ...first }) => ({
      ...first,
      failure: busy,
      starttls: 'unknown',
    })),
  };
  await visit('a.example.net', refused);
  const alone = await visit('b.example.net');
  assert.deepEqual(
    [alone.status, alone.reason, alone.connections.length],
    ['inconclusive', 'smtp-busy', 0],
  );
  await clock.sleep(15 * 60_000);
  await visit('c.example.net');
  await visit('d.example.net');
  assert.deepEqual(
    visited.map(({ host }) => host[0]),
    ['a', 'c', 'd'],
  );
  assert.equal((visited[2]?.at ?? 0) - (visited[1]?.at ?? 0), 1000 + 10_000);
});

test('a further name of a provider is inferred until a policy depends on it', async () => {
  const { visit, visited, visits } = run();
  for (let index = 0; index < 12; index++) await visit(`c${index}.mail.example.net`);
  assert.ok(visited.length >= 8 && visited.length < 12, `${visited.length}`);
  const inferred = await visit('c11.mail.example.net');
  assert.equal(inferred.inferredFrom, 'c0.mail.example.net');
  visits.matter('c11.mail.example.net');
  const [own, same] = await Promise.all([1, 2].map(() => visit('c11.mail.example.net')));
  assert.equal(own?.inferredFrom, undefined);
  assert.equal(own, same);
  assert.ok(visits.inference.inferred > 0);
});

test('the budget of an address ends its visits', async () => {
  const { visits, clock } = run({ perAddress: 3, spacingMs: 0 });
  const remaining: number[] = [];
  for (const host of ['a.one.example', 'b.two.example'])
    await visits.run(host, address, async (budget) => {
      remaining.push(budget.remaining);
      budget.consume();
      budget.consume();
      await clock.sleep(1);
      return testVisit(host, provider).address;
    });
  assert.deepEqual(remaining, [3, 1]);
});

test('hosts on the opt-out list are never visited', async () => {
  const { visit, visited } = run({ optOut: (host) => host === 'a.example.net' });
  assert.equal((await visit('a.example.net')).reason, 'opt-out');
  assert.deepEqual(visited, []);
});

test('answers about TLS serve other names, certificates do not', async () => {
  const { visit, visits } = run();
  const { connections, ...rest } = testVisit('a.example.net', provider).address;
  const [handshake] = connections;
  assert.ok(handshake);
  const probe = {
    ...handshake,
    purpose: 'tls12',
    probe: { question: { kind: 'ssl2' }, answer: { kind: 'refused' } },
  } as const;
  await visit('a.example.net', { ...rest, connections: [handshake, probe] });
  const known = visits.knownAt(address);
  assert.deepEqual(
    known?.connections.map(({ purpose, handshake: shown }) => [purpose, shown]),
    [['tls12', undefined]],
  );
});
