import assert from 'node:assert/strict';
import test from 'node:test';
import { testServer, testVisit } from '../../../test/support/scan-observations.js';
import type { VisitObservation } from '../facts/observations.js';
import { familyOf, operatorOf } from './family-of.js';
import {
  afterVisit,
  inferenceError,
  inferVisit,
  newFamily,
  planVisit,
  type FamilyAtAddress,
  type PlannedVisit,
} from './inference.js';

const provider = testServer(['*.mail.example.net']);
const renewed = testServer(['*.mail.example.net']);
const address = '192.0.2.1';
const names = Array.from({ length: 3000 }, (_, index) => `c${index}.mail.example.net`);

/** Plans names one after the other; `serve` returns the visit to the server of a name. */
function planAll(hosts: readonly string[], serve: (host: string) => VisitObservation) {
  let family: FamilyAtAddress = newFamily;
  let model: VisitObservation | undefined;
  const plans = new Map<string, PlannedVisit>();
  for (const host of hosts) {
    const planned = planVisit(
      family,
      { host, address, matters: host.startsWith('policy'), seed: 'a', otherFamilies: 0 },
      model,
    );
    plans.set(host, planned);
    const visit =
      planned === 'infer' && model ? inferVisit(model, { host, serverName: host }) : serve(host);
    family = afterVisit(family, planned, visit);
    if (family.model === host) model = visit;
  }
  return { family, plans };
}

const countOf = (plans: ReadonlyMap<string, PlannedVisit>, plan: PlannedVisit): number =>
  [...plans.values()].filter((planned) => planned === plan).length;

test('after eight equal names the others are inferred, and one in a hundred is visited', () => {
  const { family, plans } = planAll(names, (host) => testVisit(host, provider));
  assert.equal(countOf(plans, 'visit'), 8);
  const checked = countOf(plans, 'check');
  assert.ok(checked > 10 && checked < 60, `${checked} checked`);
  assert.equal(family.inferred, 3000 - 8 - checked);
  assert.deepEqual([family.checked, family.wrong, family.ended], [checked, 0, false]);
});

test('the sample depends only on seed, address and name', () => {
  const first = planAll(names, (host) => testVisit(host, provider)).plans;
  const again = planAll([...names].reverse(), (host) => testVisit(host, provider)).plans;
  const both = names.filter((host) => first.get(host) === 'check' && again.get(host) === 'infer');
  assert.deepEqual(both, []);
});

test('one difference ends inference and is counted as an error', () => {
  const { plans: before } = planAll(names, (host) => testVisit(host, provider));
  const [odd] = names.filter((host) => before.get(host) === 'check');
  assert.ok(odd);
  const { family, plans } = planAll(names, (host) =>
    testVisit(host, host === odd ? renewed : provider),
  );
  assert.deepEqual([family.ended, family.wrong], [true, 1]);
  assert.ok(names.slice(names.indexOf(odd) + 1).every((host) => plans.get(host) === 'visit'));
  assert.ok(inferenceError([family]).atMost >= 1 / family.checked);
});

test('a difference among the first eight names ends inference too', () => {
  const { plans } = planAll(names.slice(0, 50), (host) =>
    testVisit(host, host === names[3] ? renewed : provider),
  );
  assert.equal(countOf(plans, 'visit'), 50);
});

test('a visit without an answer neither confirms nor ends inference', () => {
  const silent: VisitObservation = {
    ...testVisit('c0.mail.example.net', provider),
    address: { ip: address, status: 'inconclusive', reason: 'net-timeout', connections: [] },
  };
  assert.deepEqual(afterVisit(newFamily, 'visit', silent), newFamily);
});

test('at a further address of the same provider one equal name is enough', () => {
  const model = testVisit('c0.mail.example.net', provider);
  const family = afterVisit(newFamily, 'visit', model);
  const plan = (equalElsewhere: number, state = family): PlannedVisit =>
    planVisit(
      state,
      {
        host: 'c5.mail.example.net',
        address,
        matters: false,
        seed: 'a',
        otherFamilies: 0,
        equalElsewhere,
      },
      state.model ? model : undefined,
    );
  assert.deepEqual([plan(6), plan(7), plan(100, newFamily)], ['visit', 'infer', 'visit']);
  assert.equal(plan(100, { ...family, ended: true }), 'visit');
});

test('names with a policy or TLSA records are always visited', () => {
  const hosts = [...names.slice(0, 20), 'policy.mail.example.net', 'policy2.mail.example.net'];
  const { plans } = planAll(hosts, (host) => testVisit(host, provider));
  assert.equal(plans.get('policy.mail.example.net'), 'visit');
  assert.equal(plans.get('policy2.mail.example.net'), 'visit');
});

test('a name outside the certificate is visited', () => {
  const hosts = [...names.slice(0, 20), 'a.b.mail.example.net', 'mail.example.net'];
  const { plans } = planAll(hosts, (host) => testVisit(host, provider));
  assert.deepEqual(
    ['a.b.mail.example.net', 'mail.example.net'].map((host) => plans.get(host)),
    ['visit', 'visit'],
  );
});

test('at an address with over fifty families only a sample of the others is visited', () => {
  const plan = (host: string, matters = false): PlannedVisit =>
    planVisit(newFamily, { host, address, matters, seed: 'a', otherFamilies: 50 }, undefined);
  const plans = Array.from({ length: 2000 }, (_, index) => plan(`mail.customer${index}.example`));
  const visited = plans.filter((planned) => planned === 'visit').length;
  assert.ok(visited > 5 && visited < 45, `${visited} visited`);
  assert.equal(plans.length - visited, plans.filter((planned) => planned === 'leave').length);
  assert.equal(plan('mail.customer1.example', true), 'visit');
});

test('an inferred observation contains the host that was visited', () => {
  const model = testVisit('c1.mail.example.net', provider);
  const inferred = inferVisit(model, {
    host: 'c2.mail.example.net',
    serverName: 'c2.mail.example.net',
  });
  assert.equal(inferred.address.inferredFrom, 'c1.mail.example.net');
  assert.equal(inferred.address.connections, model.address.connections);
});

test('a family is the organisational domain by the public suffix list', () => {
  assert.equal(familyOf('x.mail.protection.outlook.com'), 'outlook.com');
  assert.equal(familyOf('mx.shop.example.co.uk'), 'example.co.uk');
  assert.equal(familyOf('localhost'), 'localhost');
  assert.equal(operatorOf('mx.example.co.uk', 'www.example.co.uk'), 'own');
  assert.equal(operatorOf('mx.example.co.uk', 'other.co.uk'), 'example.co.uk');
});
