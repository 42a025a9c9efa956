import assert from 'node:assert/strict';
import test from 'node:test';
import { explainReason } from './reason-texts-registry.js';

/**
 * Reasons as mail servers and large senders write them, each with a word of the expected
 * meaning.
 */
const known: readonly (readonly [string, RegExp])[] = [
  ['MX_HOSTS_MISMATCH', /not in the MTA-STS policy/],
  ['mx-mismatch', /not in the MTA-STS policy/],
  ['MX not authorized by policy.', /not in the MTA-STS policy/],
  ['mx1.example.com is not listed in the MTA-STS policy', /not in the MTA-STS policy/],
  ['sts policy does not list mx host', /not in the MTA-STS policy/],
  [
    'x509: certificate has expired or is not yet valid: current time 2026-11-20T00:00:00Z is after 2026-11-01T00:00:00Z',
    /has expired/,
  ],
  [
    'x509: certificate has expired or is not yet valid: current time 2026-11-20T00:00:00Z is before 2026-12-01T00:00:00Z',
    /not valid yet/,
  ],
  ['certificate has expired', /has expired/],
  ['CERT_HAS_EXPIRED', /has expired/],
  ['X509_V_ERR_CERT_NOT_YET_VALID', /not valid yet/],
  ['self-signed certificate in certificate chain', /self-signed/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed/],
  ['x509: certificate signed by unknown authority', /trusted CA/],
  ['unable to get local issuer certificate', /trusted CA/],
  ['certificate-not-trusted: untrusted issuer', /trusted CA/],
  ['x509: certificate is valid for a.example, not mx1.rcpt.example', /another name/],
  ['hostname mismatch', /another name/],
  ['Hostname/IP does not match certificate: server name does not match', /another name/],
  ['TLSA record mismatch', /No TLSA record/],
  ['tlsa-mismatch', /No TLSA record/],
  ['No matching TLSA records found', /No TLSA record/],
  ['DNSSEC validation failed: bogus', /DNSSEC/],
  ['lookup mta-sts.rcpt.example: no such host', /does not exist/],
  ['NXDOMAIN', /does not exist/],
  ['SERVFAIL', /lookup failed/],
  ['HTTP status 404', /did not find the policy/],
  ['HTTP/1.1 301 Moved Permanently', /redirects/],
  ['policy fetch returned status 403', /refuses/],
  ['HTTP 429 Too Many Requests', /limits/],
  ['status code 503', /server failed/],
  ['STARTTLS not offered', /not offered/],
  ['server does not support STARTTLS', /not offered/],
  ['connection timed out', /in time/],
  ['context deadline exceeded', /in time/],
  ['mx1 did not answer in time', /in time/],
  ['connect ECONNREFUSED 192.0.2.1:25', /refused/],
  ['read: connection reset by peer', /closed early/],
  ['no shared cipher', /handshake failed/],
  ['error:0A00018A:SSL routines::dh key too small', /handshake failed/],
  ['tlsv1 alert protocol version', /TLS version/],
  ['wrong content-type text/html', /text\/plain/],
  ['TLS is required, but was not offered by host mx1.rcpt.example[192.0.2.1]', /not offered/],
  ['454 4.7.0 TLS not available due to local problem', /the handshake failed/],
  ['Server certificate not verified', /trusted CA/],
  ['Server certificate not trusted', /trusted CA/],
  ['450 4.4.317 Cannot connect [Message=TLSFailureException: UntrustedRoot]', /trusted CA/],
  ["451 4.4.8 MX hosts of 'rcpt.example' failed MTA-STS validation.", /not in the MTA-STS policy/],
  ['No MX host matched', /not in the MTA-STS policy/],
  ['certificate does not match hostname', /another name/],
  ['CN=www.rcpt.example does not match mx1.rcpt.example', /another name/],
  ['certificate relies on legacy Common Name field, use SANs instead', /another name/],
  ['CertificateExpired', /has expired/],
  ['non DNSSEC destination', /found no TLSA record/],
  ['no TLSA records found', /found no TLSA record/],
  ['lost connection with mx1 while performing the EHLO handshake', /closed early/],
  ['max_age missing', /grammar/],
];

/** Reasons that no rule may match, because a word of a rule has another meaning there. */
const unknown: readonly string[] = [
  'VALIDATION_FAILURE',
  'policy id 404123 was not in use',
  'chain of custody unknown',
  'mx1 closed for maintenance in the policy of the operator',
  'see https://rcpt.example/expired-policies.html',
  'the reset button was pressed',
  'delivered in 500 ms',
  'certificate',
  'certificate not expired, but revoked',
  'certificate valid; mx not reachable',
  'dane',
  'starttls',
  'host 10.0.0.5 was used, see RFC 5280',
  'name of the reporter: unreachable.example',
  '',
];

test('a reason is explained by its whole text', () => {
  for (const [reason, meaning] of known) assert.match(explainReason(reason) ?? '', meaning, reason);
});

test('a reason that no rule matches stays without an explanation', () => {
  for (const reason of unknown) assert.equal(explainReason(reason), undefined, reason);
});

test('a long reason is read quickly', () => {
  const began = process.cpuUsage();
  for (const part of [
    'mx not ',
    'policy does not ',
    'tlsa ',
    'certificate ',
    'status ',
    'starttls no ',
    'a.',
    'mx a b c not in ',
  ])
    explainReason(part.repeat(2000));
  assert.ok(process.cpuUsage(began).user < 1_000_000);
});

test('a reason that denies a fault is not explained by it', () => {
  for (const reason of [
    'the certificate is not expired',
    'certificate valid for another 3 days, not expired',
    'certificate not yet expired',
    'DNSSEC is not invalid',
    'redirected to backup mx',
    'certificate has been redirected',
    'Failed to connect to mx not in maintenance, policy retry',
    'the certificate was not revoked',
    'certificate chain is not self-signed',
    'STARTTLS was not rejected by the server',
    'DNSSEC validation did not fail',
    'the connection was not reset, the message was deferred by policy',
    'no hostname mismatch was found',
    'policy fetched without any redirect',
    'no TLSA mismatch',
    'the lookup has not timed out',
    "the connection wasn't refused",
    'TLS version not allowed by policy',
    'cipher suite not permitted by the policy',
    'policy does not allow delivery to insecure host',
    'the name mismatch was not found',
    'the timeout was not reached',
    'blocked by a filter; try again in time',
  ])
    assert.equal(explainReason(reason), undefined, reason);
  for (const [reason, means] of [
    ['certificate for mx1 (not the backup) expired', /has expired/],
    ['policy server sent a redirect', /redirects/],
    ['redirects are not allowed', /redirects/],
    ['HTTP 301', /redirects/],
    ['mx7.rcpt.example is not listed in the policy', /not in the MTA-STS policy/],
    ['server mail not allowed by STS policy', /not in the MTA-STS policy/],
    ['policy does not list the MX host', /not in the MTA-STS policy/],
    ['TLSA lookup timed out', /DNS lookup failed/],
    ['no shared cipher, handshake failure', /handshake failed/],
    ['server did not answer in time', /in time/],
    ['no reply from mx1 came in time', /in time/],
    ['host mx1 not in policy cache', /no policy in its cache/],
    ['sts policy not found in cache; fetching', /no policy in its cache/],
    ['issued by an authority that is not trusted', /trusted CA/],
    ['RemoteCertificateChainErrors', /trusted CA/],
    ['502 5.5.1 STARTTLS not implemented', /not offered/],
    ["the server doesn't support STARTTLS", /not offered/],
    ['Failed to match any MX in policy', /not in the MTA-STS policy/],
    ['DANE: 0 usable TLSA records', /No TLSA record/],
    ['TLSA records do not match: verification failed', /No TLSA record/],
  ] as const)
    assert.match(explainReason(reason) ?? '', means, reason);
});
