import assert from 'node:assert/strict';
import test from 'node:test';
import type { AddressEvidence } from '../../evidence/index.js';
import { testServer, testVisit, type TestServer } from '../../../test/support/scan-observations.js';
import type { VisitObservation } from '../facts/observations.js';
import { PROBED_NAMES } from './inference.js';
import { afterServerVisit, planServerName, type ServerAtAddress } from './server-names.js';

const address = '192.0.2.1';
const hosting = testServer(['server1.hosting.example']);
const renewed = testServer(['server1.hosting.example']);
const names = Array.from({ length: 300 }, (_, index) => `mail.customer${index}.example`);

/**
 * Returns the state after visits to names that all receive the certificate of one server.
 */
function visited(hosts: readonly string[], server: TestServer = hosting): ServerAtAddress {
  const after = hosts.reduce<ServerAtAddress | undefined>(
    (state, host) => afterServerVisit(state, testVisit(host, server)),
    undefined,
  );
  assert.ok(after);
  return after;
}

function plan(state: ServerAtAddress, host: string, equalInScan = 0): string {
  const { address: model } = testVisit(state.model, hosting);
  return planServerName(state, { host, address, seed: 'a' }, { model, equalInScan });
}

/** Returns the visit with replaced evidence of its connection. */
function changed(visit: VisitObservation, connection: object): VisitObservation {
  const [first] = visit.address.connections;
  const connections = [{ ...first, ...connection }] as AddressEvidence['connections'];
  return { ...visit, address: { ...visit.address, connections } };
}

const withoutStarttls = { starttls: 'absent', handshake: undefined, ehloAfterTls: undefined };
const refusing = { ...withoutStarttls, dial: { code: 'net-refused', detail: '' } };

test("names outside a server's certificates are inferred after eight equal ones", () => {
  const state = visited(names.slice(0, PROBED_NAMES + 1));
  const plans = names.slice(20).map((host) => plan(state, host));
  assert.ok(plans.filter((planned) => planned === 'infer').length > 250);
  assert.ok(plans.includes('check'));
  assert.ok(!plans.includes('visit'));
});

test('at a further server of the same operator one equal name is enough', () => {
  const state = visited(names.slice(0, 1));
  assert.equal(state.operator, 'hosting.example');
  assert.equal(plan(state, names[5] ?? '', PROBED_NAMES - 1), 'visit');
  assert.equal(plan(state, names[5] ?? '', PROBED_NAMES), 'infer');
});

test('an untrusted certificate counts only at its own address', () => {
  const visit = testVisit(names[0] ?? '', hosting);
  const [{ handshake } = {}] = visit.address.connections;
  for (const pkix of [
    { chain: 'self-signed', validity: 'valid', problems: [] },
    { chain: 'trusted', validity: 'expired', problems: [] },
  ]) {
    const state = afterServerVisit(
      undefined,
      changed(visit, { handshake: { ...handshake, pkix } }),
    );
    assert.equal(state?.operator, undefined);
    assert.equal(state?.model, names[0]);
  }
});

test('a server with a certificate for one of the names ends inference', () => {
  const state = visited(names.slice(0, PROBED_NAMES + 1));
  const own = testVisit(names[40] ?? '', testServer([names[40] ?? '']));
  const after = afterServerVisit(state, own);
  assert.equal(after?.ended, true);
  assert.equal(plan(after, names[41] ?? '', 100), 'visit');
});

test('another certificate at the same server ends inference', () => {
  const after = afterServerVisit(visited(names.slice(0, 3)), testVisit(names[4] ?? '', renewed));
  assert.equal(after?.ended, true);
});

test('a name in the certificate is not inferred from other names', () => {
  const shared = testServer(['server1.hosting.example', '*.customer.example']);
  const state = visited(names.slice(0, PROBED_NAMES + 1), shared);
  const { address: model } = testVisit(names[0] ?? '', shared);
  const planned = planServerName(
    state,
    { host: 'mail.customer.example', address, seed: 'a' },
    { model, equalInScan: 100 },
  );
  assert.equal(planned, 'visit');
});

test('a name in the certificate represents no other name', () => {
  const visit = testVisit('server1.hosting.example', hosting);
  assert.equal(afterServerVisit(undefined, visit), undefined);
});

test('a session that ends before TLS is the same for every name', () => {
  for (const connection of [withoutStarttls, refusing]) {
    const visit = changed(testVisit(names[0] ?? '', hosting), connection);
    const state = afterServerVisit(undefined, visit);
    assert.ok(state?.beforeTls);
    const model = visit.address;
    const plans = names
      .slice(1)
      .map((host) =>
        planServerName(state, { host, address, seed: 'a' }, { model, equalInScan: 0 }),
      );
    assert.ok(!plans.includes('visit') && plans.includes('check'));
  }
});

test('STARTTLS that appears between two names ends inference', () => {
  const before = changed(testVisit(names[0] ?? '', hosting), withoutStarttls);
  const after = afterServerVisit(
    afterServerVisit(undefined, before),
    testVisit(names[1] ?? '', hosting),
  );
  assert.equal(after?.ended, true);
});

test('a broken session is not a difference', () => {
  const state = visited(names.slice(0, 4));
  const visit = testVisit(names[5] ?? '', hosting);
  const lost = { handshake: undefined, failure: { code: 'tls-closed', detail: '' } };
  for (const connection of [refusing, lost])
    assert.equal(afterServerVisit(state, changed(visit, connection)), state);
  assert.equal(afterServerVisit(undefined, changed(visit, lost)), undefined);
});
