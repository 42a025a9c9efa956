import fc from 'fast-check';
import { formatTime } from '../../../src/base/index.js';
import type {
  CaaEvidence,
  ContinuityEvidence,
  PolicyAddressEvidence,
  ReferenceEvidence,
  ServerSignature,
  SignatureEvidence,
} from '../../../src/evidence/index.js';

const DAY = 86_400_000;
const failure = { code: 'dns-timeout', detail: '192.0.2.53' };

/** Returns the facts that decide whether mail keeps working, in any combination. */
export function randomContinuity(
  now: number,
  hosts: readonly string[],
): fc.Arbitrary<ContinuityEvidence> {
  const day = (days: number): string => formatTime(now + days * DAY);
  const signature = fc
    .record({
      age: fc.integer({ min: 1, max: 30 }),
      left: fc.integer({ min: -1, max: 30 }),
      registry: fc.constantFrom(undefined, true as const),
      soaExpire: fc.constantFrom(undefined, 604_800, 3_628_800),
    })
    .map(({ age, left, ...rest }): SignatureEvidence => ({
      zone: 'planted.example',
      rrset: '_25._tcp.mx1.planted.example TLSA',
      inception: day(-age),
      expiration: day(left),
      ...rest,
    }));
  const server = fc
    .record({
      left: fc.option(fc.integer({ min: -3, max: 30 })),
      failed: fc.boolean(),
      place: fc.integer({ min: 1, max: 4 }),
    })
    .map(({ left, failed, place }): ServerSignature => ({
      server: `ns${place}.planted.example`,
      address: `192.0.2.${200 + place}`,
      inception: left === null || failed ? undefined : day(left - 14),
      expiration: left === null || failed ? undefined : day(left),
      failure: failed ? failure : undefined,
    }));
  return fc.record({
    signatures: fc.array(signature, { maxLength: 6 }),
    servers: fc.array(server, { maxLength: 6 }),
    caa: fc.array(caaOf([...hosts.slice(0, 3), 'mta-sts.planted.example']), { maxLength: 6 }),
    references: fc.array(referenceOf(hosts), { maxLength: 8 }),
  });
}

function caaOf(hosts: readonly string[]): fc.Arbitrary<CaaEvidence> {
  const record = fc.record({
    critical: fc.boolean(),
    tag: fc.constantFrom('issue', 'issuewild', 'iodef', 'tbs'),
    value: fc.constantFrom(
      ';',
      'letsencrypt.org',
      'ca.example; accounturi=https://ca.example/1',
      '%',
    ),
  });
  return fc
    .record({
      host: fc.constantFrom(...hosts),
      wildcard: fc.boolean(),
      status: fc.constantFrom<CaaEvidence['status']>('found', 'absent', 'failed'),
      alias: fc.constantFrom(undefined, 'elsewhere.example'),
      records: fc.array(record, { maxLength: 4 }),
      dnssec: fc.constantFrom<CaaEvidence['dnssec']>(
        'secure',
        'insecure',
        'bogus',
        'indeterminate',
      ),
    })
    .map(({ host, wildcard, records, ...rest }): CaaEvidence => ({
      host,
      certificateName: wildcard ? '*.planted.example' : host,
      at: 'planted.example',
      records: rest.status === 'found' ? records : [],
      failure: rest.status === 'failed' ? failure : undefined,
      ...rest,
    }));
}

function referenceOf(hosts: readonly string[]): fc.Arbitrary<ReferenceEvidence> {
  return fc
    .record({
      role: fc.constantFrom<ReferenceEvidence['role']>(
        'policy-host',
        'sts-record',
        'policy-mx',
        'mx',
        'report',
      ),
      value: fc.constantFrom(
        ...hosts.slice(0, 2),
        'token.invalid',
        '*.elsewhere.example',
        'mailto:a@elsewhere.example',
      ),
      alias: fc.constantFrom(undefined, true as const),
      status: fc.constantFrom<ReferenceEvidence['status']>(
        'receives',
        'nothing',
        'nxdomain',
        'refused',
        'failed',
      ),
      dnssec: fc.constantFrom<ReferenceEvidence['dnssec']>('secure', 'insecure', 'bogus'),
      denied: fc.boolean(),
      service: fc.constantFrom(undefined, 'Hosted Pages'),
    })
    .map(({ denied, ...rest }): ReferenceEvidence => ({
      ...rest,
      target: rest.alias ? 'customer.service.example' : rest.value,
      deniedDomain: denied && rest.status === 'nxdomain' ? 'service.example' : undefined,
      failure: rest.status === 'failed' ? failure : undefined,
    }));
}

/**
 * Returns the addresses of the policy host, some of them broken or with another policy.
 */
export function randomPolicyAddresses(): fc.Arbitrary<readonly PolicyAddressEvidence[]> {
  const address = fc
    .record({
      place: fc.integer({ min: 1, max: 4 }),
      digest: fc.constantFrom('aa', 'bb'),
      code: fc.constantFrom(
        undefined,
        'sts-policy-webpki-invalid',
        'net-no-route',
        'http-unreachable',
      ),
    })
    .map(({ place, digest, code }): PolicyAddressEvidence => ({
      address: `192.0.2.${230 + place}`,
      policySha256: code === undefined ? digest.repeat(32) : undefined,
      failure: code === undefined ? undefined : { code, detail: 'planted' },
    }));
  return fc.array(address, { minLength: 1, maxLength: 4 });
}
