import fc from 'fast-check';
import {
  policyTypes,
  resultTypes,
  type FailureDetails,
  type ReportedPolicy,
  type TlsReport,
} from '../../src/tls-rpt/index.js';

const domain = fc.constantFrom(
  'rcpt.example',
  'mx1.rcpt.example',
  'mail.other.example',
  'xn--bcher-kva.example',
);
const address = fc.constantFrom('192.0.2.1', '198.51.100.7', '2001:db8::1', '2001:db8:1::25');
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });

const details: fc.Arbitrary<FailureDetails> = fc.record(
  {
    resultType: fc.constantFrom(...resultTypes),
    sendingMtaIp: some(address),
    receivingMxHostname: some(domain),
    receivingMxHelo: some(domain),
    receivingIp: some(address),
    failedSessionCount: fc.integer({ min: 1, max: 100_000 }),
    additionalInformation: some(fc.constant('https://reports.sender.example/1')),
    failureReasonCode: some(fc.constantFrom('CERT_HAS_EXPIRED', 'Zertifikat abgelaufen: "müde"')),
  },
  { noNullPrototype: true },
);

/** Policies as a sender counts them: details add up to the failures. */
export const somePolicy: fc.Arbitrary<ReportedPolicy> = fc
  .record({
    policyType: fc.constantFrom(...policyTypes),
    policyDomain: domain,
    ok: fc.integer({ min: 0, max: 1_000_000 }),
    failureDetails: fc.array(details, { maxLength: 4 }),
  })
  .map(({ policyType, policyDomain, ok, failureDetails }) => ({
    policyType,
    policyDomain,
    policyString:
      policyType === 'sts'
        ? ['version: STSv1', 'mode: enforce', 'mx: *.rcpt.example', 'max_age: 86400']
        : policyType === 'tlsa'
          ? [`3 1 1 ${'ab'.repeat(32)}`]
          : [],
    mxHost: policyType === 'sts' ? ['*.rcpt.example'] : [],
    totalSuccessfulSessionCount: ok,
    totalFailureSessionCount: failureDetails.reduce((n, d) => n + d.failedSessionCount, 0),
    failureDetails,
  }));

/** Reports that RFC 8460 allows, each of one day in 2026. */
export const someReport: fc.Arbitrary<TlsReport> = fc
  .record({
    day: fc.integer({ min: 0, max: 364 }),
    id: fc.uuid(),
    policies: fc.array(somePolicy, { minLength: 1, maxLength: 4 }),
  })
  .map(({ day, id, policies }) => {
    const date = new Date(Date.UTC(2026, 0, 1) + day * 86_400_000).toISOString().slice(0, 10);
    return {
      organizationName: 'Sender Example',
      startDatetime: `${date}T00:00:00Z`,
      endDatetime: `${date}T23:59:59Z`,
      contactInfo: 'tlsrpt@sender.example',
      reportId: id,
      policies,
    };
  });
