import assert from 'node:assert/strict';
import test from 'node:test';
import {
  testDomain,
  testHost,
  testServer,
  testVisit,
} from '../../../test/support/scan-observations.js';
import type { AddressEvidence, ConnectionEvidence } from '../../evidence/index.js';
import {
  domainInterval,
  firstDue,
  hostInterval,
  nextDue,
  visitInterval,
  visitIsDue,
} from './due.js';
import { decideRest, REST_LEVELS, rested, type RestState } from './rest.js';

const DAY = 86_400_000;
const server = testServer(['mx.example.net']);

test('domains are observed daily, weekly or monthly by their facts', () => {
  const domain = testDomain('example.com', ['mx.example.net']);
  const pace = { domain, tlsa: false, changed: false };
  const none = {
    ...domain,
    route: { kind: 'null-mx', dnssec: 'insecure', status: 'found' },
  } as const;
  const txt = { texts: [], lookup: 'absent', dnssec: 'insecure' } as const;
  const policy = {
    domain: 'example.com',
    observedAt: domain.observedAt,
    mtaSts: { txt, status: 'tempfail', problems: [] },
  } as const;
  const days = [
    domainInterval(pace),
    domainInterval({ ...pace, domain: none }),
    domainInterval({ ...pace, changed: true }),
    domainInterval({ ...pace, tlsa: true }),
    domainInterval({ ...pace, rank: 9_999 }),
    domainInterval({ ...pace, rank: 10_000 }),
    domainInterval({ ...pace, policy }),
  ].map((milliseconds) => milliseconds / DAY);
  assert.deepEqual(days, [7, 30, 1, 1, 1, 7, 1]);
});

test('hosts with TLSA records are looked up daily', () => {
  const host = testHost('mx.example.net', ['192.0.2.1']);
  assert.equal(hostInterval(host), 7 * DAY);
  assert.equal(hostInterval({ ...host, tlsa: { ...host.tlsa, status: 'unusable' } }), DAY);
});

test('an address is visited after 14 days, or the day after its certificate ends', () => {
  assert.equal(visitInterval(testVisit('mx.example.net', server)), 14 * DAY);
  const visit = testVisit(
    'mx.example.net',
    testServer(['mx.example.net'], Date.parse('2026-12-02T00:00:00Z')),
  );
  assert.equal(visitInterval(visit), 3 * DAY);
  const ended = testVisit(
    'mx.example.net',
    testServer(['mx.example.net'], Date.parse('2026-11-02T00:00:00Z')),
  );
  assert.equal(visitInterval(ended), 14 * DAY);
});

test('changed addresses, TLSA records and new policies make a visit due at once', () => {
  const host = testHost('mx.example.net', ['192.0.2.1', '192.0.2.2']);
  const was = { host, policy: false };
  const tlsa = { ...host.tlsa, status: 'usable', records: ['3 1 1 00'] } as const;
  const due = [
    visitIsDue(undefined, was),
    visitIsDue(was, { host: { ...host, addresses: ['192.0.2.2', '192.0.2.1'] }, policy: false }),
    visitIsDue(was, { host: { ...host, addresses: ['192.0.2.3'] }, policy: false }),
    visitIsDue(was, { host: { ...host, tlsa }, policy: false }),
    visitIsDue(was, { host, policy: true }),
    visitIsDue({ host, policy: true }, was),
  ];
  assert.deepEqual(due, [true, false, true, true, true, false]);
});

test('due times spread by a tenth, and first visits over the planned length', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `d${index}.example`);
  const shifts = names.map((name) => (nextDue(name, 0, 7 * DAY) - 7 * DAY) / (7 * DAY));
  assert.ok(shifts.every((shift) => Math.abs(shift) <= 0.1));
  assert.ok(Math.max(...shifts) - Math.min(...shifts) > 0.15);
  const early = names.filter((name) => firstDue(name, 0, 1000) < 250).length;
  assert.ok(early > 180 && early < 320, `${early} in the first quarter`);
  assert.equal(nextDue('a', 0, DAY), nextDue('a', 0, DAY));
});

/** Returns a visit whose only connection ended in this way. */
function ended(
  connection: Partial<ConnectionEvidence>,
  status: AddressEvidence['status'] = 'inconclusive',
): AddressEvidence {
  const [first] = testVisit('mx.example.net', server).address.connections;
  assert.ok(first);
  const { handshake: _, ehlo: __, ehloAfterTls: ___, greeting: ____, ...rest } = first;
  return {
    ip: '192.0.2.1',
    status,
    connections: [{ ...rest, starttls: 'unknown', ...connection }],
  };
}

const busy = ended({ failure: { code: 'smtp-busy', detail: '421 4.7.0 try later' } });
const silent = ended({ dial: { code: 'net-timeout', detail: '' } });
const good = testVisit('mx.example.net', server).address;

test('an address that refuses visits rests longer each time and is then abandoned', () => {
  let state: RestState = rested;
  const rests: number[] = [];
  for (let visit = 0; visit < 5; visit++) {
    const decision = decideRest(state, busy);
    ({ state } = decision);
    rests.push(decision.restMs);
    assert.equal(decision.isFinal, visit === 4);
  }
  assert.deepEqual(rests, [...REST_LEVELS, 0]);
  assert.deepEqual(
    REST_LEVELS.map((ms) => ms / 60_000),
    [15, 60, 360, 1440],
  );
});

test('an answered visit ends the rest', () => {
  const { state } = decideRest(decideRest(rested, busy).state, good);
  assert.deepEqual([state.level, state.answered], [0, true]);
  assert.equal(decideRest(state, busy).restMs, REST_LEVELS[0]);
});

test('three timeouts in succession count as a refusal', () => {
  const first = decideRest(rested, silent);
  const second = decideRest(first.state, silent);
  const third = decideRest(second.state, silent);
  assert.deepEqual([first.restMs, second.restMs, third.reason], [0, 0, 'silent']);
  assert.equal(decideRest(decideRest(second.state, good).state, silent).restMs, 0);
});

test('a refused connection counts only after an earlier success', () => {
  const refused = ended({ dial: { code: 'net-refused', detail: '' } }, 'unreachable');
  assert.equal(decideRest(rested, refused).restMs, 0);
  assert.equal(decideRest({ ...rested, answered: true }, refused).reason, 'refused');
});

test('554 instead of a greeting and 454 after STARTTLS count as refusals', () => {
  const blocked = ended({ failure: { code: 'smtp-refused', detail: '554 5.7.1 blocked' } });
  const deferred = ended({
    ehlo: { code: 250, lines: [] },
    starttls: 'refused',
    starttlsReply: { code: 454, lines: ['TLS not available'] },
  });
  const permanent = ended({
    ehlo: { code: 250, lines: [] },
    starttls: 'refused',
    starttlsReply: { code: 502, lines: ['no TLS'] },
  });
  assert.deepEqual(
    [blocked, deferred, permanent].map((visit) => decideRest(rested, visit).reason),
    ['refused', 'busy', undefined],
  );
});

test('a reply about too many connections doubles the spacing from then on', () => {
  const many = ended({
    failure: { code: 'smtp-busy', detail: '421 Too many connections from you' },
  });
  const { state } = decideRest(rested, many);
  assert.ok(state.slow);
  assert.ok(decideRest(state, good).state.slow);
  assert.ok(!decideRest(rested, busy).state.slow);
});
