import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRollover } from '../tlsa/step-rollover.js';
import { hostCertificates } from './host-certificates.js';
import { stepCertificates } from './step-certificates.js';
import type { CertificateObservation } from './types.js';

const host = 'mx.example.com';
const [minute, day] = [60_000, 86_400_000];
const now = Date.UTC(2026, 10, 25);

const key = (n: number) => ({
  name: `ecdsa-${n}`,
  type: 'ecdsa' as const,
  sha256: `${n}a`.repeat(32),
  sha512: `${n}b`.repeat(64),
});
const certificate = {
  issuer: 'CN=Lab',
  notBefore: now - day,
  notAfter: now + 89 * day,
  sha256: 'new',
};
const state = {
  ...startRollover(host),
  slots: { ecdsa: { current: key(1), next: key(2), made: 2 } },
};
const showing = (notAfter: number, sha256 = key(1).sha256) => ({
  address: '192.0.2.1',
  shown: [{ key: sha256, notBefore: certificate.notBefore, notAfter }],
});

/** The server presents the files of its folder and was reloaded an hour ago. */
const calm: CertificateObservation = {
  at: now,
  ring: [
    { ...key(1), certified: true, certificate },
    { ...key(2), certified: false },
  ],
  installed: ['ecdsa-1'],
  reloaded: { ecdsa: { chain: 'new', at: now - 60 * minute } },
  addresses: [showing(certificate.notAfter)],
};
const desired = { acme: true, folder: '/tls' };
const step = (change: Partial<CertificateObservation>, given = state) => {
  const { steps, alerts } = stepCertificates(given, { ...calm, ...change }, desired);
  return [
    ...steps.map(({ action }) => `${action.kind} ${action.key}`),
    ...alerts.map(({ code }) => code),
  ];
};

test('a server that shows the deployed chain needs no action and no reload', () => {
  assert.deepEqual(step({}), []);
});

test('a renewed chain is deployed with the key in use, also after a failed reload', () => {
  assert.deepEqual(step({ installed: [] }), ['deploy ecdsa-1']);
  assert.deepEqual(step({ reloaded: {} }), ['deploy ecdsa-1']);
  assert.deepEqual(step({ reloaded: { ecdsa: { chain: 'old', at: now } } }), ['deploy ecdsa-1']);
});

test('two types that are due in one round are deployed together', () => {
  const rsa = { ...key(3), name: 'rsa-1', type: 'rsa' as const };
  const both = { ...state, slots: { ...state.slots, rsa: { current: rsa, made: 1 } } };
  const ring = [...calm.ring, { ...rsa, certified: true, certificate }];
  const deploys = (installed: readonly string[]) =>
    stepCertificates(both, { ...calm, ring, installed, reloaded: {} }, desired).steps.map(
      ({ action }) => action,
    );
  assert.deepEqual(deploys([]), [{ kind: 'deploy', host, key: 'ecdsa-1', also: ['rsa-1'] }]);
});

test('an old certificate a minute after a reload raises one alert for each address', () => {
  const old = [showing(certificate.notAfter), { ...showing(now + day), address: '192.0.2.2' }];
  assert.deepEqual(step({ addresses: old }), ['publish-certificate-not-shown']);
  assert.deepEqual(
    step({ addresses: old, reloaded: { ecdsa: { chain: 'new', at: now - minute / 2 } } }),
    [],
  );
  assert.deepEqual(
    step({ addresses: [{ address: '192.0.2.1', shown: 'unknown' }] }),
    [],
    'nothing is known',
  );
});

test('during the deployment of the next key only the rollover deploys', () => {
  const moving = {
    ...state,
    slots: { ecdsa: { current: key(1), next: key(2), deploying: true as const, made: 2 } },
  };
  assert.deepEqual(step({ installed: [], reloaded: {} }, moving), []);
});

test('a key in use without a matching certificate is certified, and the fault reported', () => {
  const ring = [{ ...key(1), certified: false, flaw: 'is for another key' }];
  assert.deepEqual(step({ ring }), ['certify ecdsa-1', 'publish-certificate-unfit']);
  assert.deepEqual(stepCertificates(state, { ...calm, ring }, { acme: false }).steps, []);
});

test('a certificate whose renewal failed raises an alert before it ends', () => {
  assert.deepEqual(step({ at: certificate.notAfter - 15 * day }), []);
  assert.deepEqual(step({ at: certificate.notAfter - 13 * day }), ['publish-certificate-ending']);
});

test('without an install folder the operator deploys until the certificate is shown', () => {
  const { installed: _, ...rest } = calm;
  const by = (addresses: CertificateObservation['addresses']) =>
    stepCertificates(state, { ...rest, addresses }, { acme: true }).steps.length;
  assert.deepEqual([by(calm.addresses), by([showing(now + day)])], [0, 1]);
});

test('the status of a certificate has issuer, dates, pinning, folder and reload', () => {
  const records = [`3 1 1 ${key(1).sha256}`];
  const [first, second] = hostCertificates(
    { ...state, alive: [{ records, ttl: 3600 }] },
    calm,
    desired,
    () => now + 59 * day,
  );
  assert.deepEqual(first, {
    key: 'ecdsa-1',
    use: 'in use',
    pinned: true,
    issuer: 'CN=Lab',
    notBefore: certificate.notBefore,
    notAfter: certificate.notAfter,
    renewed: now + 59 * day,
    installed: '/tls/ecdsa',
    told: now - 60 * minute,
    shown: true,
  });
  assert.deepEqual(second, { key: 'ecdsa-2', use: 'next', pinned: false });
});
