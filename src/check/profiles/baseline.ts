import type { Severity } from '../../evidence/index.js';
import type { TrustMechanism, Profile, Rule } from './profile.js';
import { isBroken, isWeak, pqSet, where12 } from './sets.js';

/**
 * Returns a severity for each mechanism, since a fault of a certificate concerns only
 * senders whose mechanism refuses it.
 */
const byMechanism = (
  severity: Severity,
  except: Partial<Record<TrustMechanism, Severity>>,
): Record<TrustMechanism, Severity> => ({
  none: severity,
  testing: severity,
  enforce: severity,
  daneTa: severity,
  daneEe: severity,
  ...except,
});

/** Returns a rule of the profile, which without a depth applies at every depth. */
const rule = (severity: Rule['severity'], clause: string, depth?: Rule['depth']): Rule => {
  if (depth) return { severity, clause, depth };
  return { severity, clause };
};

/**
 * The rule on a certificate without a path to a public CA. DANE senders need no public
 * CA, so the certificate is acceptable with a matching record.
 */
const untrusted = rule(
  byMechanism('warn', { enforce: 'fail', daneTa: 'good', daneEe: 'good' }),
  'RFC 8461 §4.2, RFC 7672 §3.1.1',
);
/**
 * The rule on a certificate outside its dates. DANE-TA senders check dates and defer;
 * DANE-EE senders must ignore them (RFC 7672 §3.1.1), so the severity is then info.
 */
const outOfDate = rule(
  byMechanism('warn', { enforce: 'fail', daneTa: 'fail', daneEe: 'info' }),
  'RFC 8461 §4.2, RFC 7672 §3.1.1',
);
/**
 * The rule on a key below the limit of RFC 9325: for opportunistic mail, a weak key is
 * still better than plaintext.
 */
const weak = rule('warn', 'RFC 9325 §4');
/**
 * The rule on a published policy that no sender obtains or enforces: the policy does not
 * protect the domain, and the domain loses no mail.
 */
const noPolicy = rule('warn', 'RFC 8461 §3');

/**
 * The rule on a finding that this profile never raises, because the profile does not test
 * for the fault. The catalogue and the profiles list the same ids, so every id has a
 * rule.
 */
const unasked = rule('info', 'RFC 9325');

/**
 * The rules of the RFCs on mail transport. Because of RFC 7435 on opportunistic security,
 * weak TLS gets a warning and missing TLS a failure.
 */
export const baseline: Profile = {
  name: 'baseline',
  source: 'RFC 3207, RFC 7672, RFC 8460, RFC 8461',
  date: '2018-09',
  /**
   * A sixth of the lifetime is two weeks for a certificate of 90 days: the operator
   * should have renewed it when a third of the lifetime was left.
   */
  nearExpiry: { share: 1 / 6, days: 14 },
  /** The minimum lengths of RFC 9325: 2048 bits of RSA, 224 bits of a curve. */
  keys: [{ finding: 'cert-weak-key', rsaBelow: 2048, ecBelow: 224 }],
  tls: {
    versions: {
      SSLv2: 'tls-broken-version',
      SSLv3: 'tls-broken-version',
      TLSv1: 'tls-old-version',
      'TLSv1.1': 'tls-old-version',
    },
    required: [],
    sets: [
      { finding: 'tls-broken-suite', suites: where12(isBroken) },
      {
        finding: 'tls-weak-suite',
        suites: where12(
          (cipherSuite) => isWeak(cipherSuite) && cipherSuite.authentication !== 'none',
        ),
      },
      {
        finding: 'tls-anonymous-suite',
        suites: where12(
          (cipherSuite) => cipherSuite.authentication === 'none' && !isBroken(cipherSuite),
        ),
      },
      pqSet,
    ],
  },
  /** Policies that expire within a day protect no sender that delivers less often. */
  maxAge: 86400,
  rules: {
    'starttls-absent': rule('fail', 'RFC 3207 §4'),
    'starttls-mangled': rule('fail', 'RFC 3207 §6'),
    'starttls-refused': rule('fail', 'RFC 3207 §4'),
    'starttls-promised': rule('fail', 'RFC 7672 §2.2, RFC 8461 §5'),
    'own-network-strips': rule('info', 'RFC 3207 §6'),
    'tls-handshake-failed': rule('fail', 'RFC 3207 §4.1'),
    'tls-session-refused': rule('fail', 'RFC 3207 §4.2'),
    'starttls-intermittent': rule('fail', 'RFC 8461 §5, RFC 7672 §2.2'),
    'tls-broken-version': rule('fail', 'RFC 7568 §3', 'verdict'),
    'tls-outdated': rule(byMechanism('warn', { enforce: 'fail' }), 'RFC 9325 §3.1.1, RFC 8996 §4'),
    'tls-outdated-suites': rule(
      byMechanism('warn', { enforce: 'fail' }),
      'RFC 10015 §2, §3, §4, RFC 9325 §4.1',
    ),
    'tls-old-version': rule('warn', 'RFC 8996 §2', 'verdict'),
    'tls-weak-suite': rule('warn', 'RFC 9325 §4.1', 'verdict'),
    'tls-anonymous-suite': rule('info', 'RFC 7672 §8.2', 'verdict'),
    'tls-broken-suite': rule('fail', 'RFC 9325 §4.1', 'verdict'),
    'tls-unlisted-suite': unasked,
    'tls-phase-out-suite': unasked,
    'tls-missing-version': unasked,
    'tls-weak-group': unasked,
    'tls-phase-out-group': unasked,
    'tls-weak-dhe': unasked,
    'tls-weak-handshake-signature': unasked,
    'tls-order': unasked,
    'tls-compression': unasked,
    'tls-no-extended-master-secret': unasked,
    'tls-no-secure-renegotiation': unasked,
    'cert-short-key': unasked,
    'dane-required': unasked,
    'tls-renegotiation': rule('info', 'RFC 9325 §3.5', 'intrusive'),
    'tls-unsettled': rule('info', 'RFC 9325 §4'),
    'hosts-skipped': rule('info', 'RFC 5321 §5.1'),
    'tls-large-hello': rule('warn', 'RFC 9846 §4.2.2', 'verdict'),
    // A server must not demand SNI: a sender without SNI would otherwise get no TLS
    // session.
    'tls-sni-required': rule('fail', 'RFC 8461 §7.1, RFC 7672 §8.1', 'verdict'),
    // Senders with MTA-STS or DANE have to send SNI. Some senders with DANE do not send
    // it.
    'cert-depends-on-sni': rule(
      byMechanism('info', { daneTa: 'warn', daneEe: 'warn' }),
      'RFC 7672 §8.1, RFC 8461 §7.1',
      'verdict',
    ),
    'tls-hello-intolerant': rule('warn', 'RFC 9846 §4.2.2', 'verdict'),
    'tls-pq-good': rule('good', 'RFC 10024', 'verdict'),
    'tls-pq-draft-good': rule('good', 'draft-ietf-tls-mlkem', 'verdict'),
    'starttls-differs': rule('warn', 'RFC 3207 §4'),
    'injection-vulnerable': rule('fail', 'RFC 3207 §4.2', 'intrusive'),
    'cert-self-signed': untrusted,
    'cert-unknown-ca': untrusted,
    'cert-not-acceptable': rule(
      byMechanism('warn', { enforce: 'fail', daneTa: 'good', daneEe: 'good' }),
      'RFC 5280 §4.2, §6.1, RFC 8461 §4.2',
    ),
    'cert-chain-outdated': outOfDate,
    'cert-chain-incomplete': untrusted,
    'cert-expired': outOfDate,
    'cert-not-yet-valid': outOfDate,
    'cert-name-mismatch': rule(
      byMechanism('warn', { enforce: 'fail', daneTa: 'good', daneEe: 'info' }),
      'RFC 8461 §4.2, RFC 7672 §3.1.1, §3.2.2',
    ),
    'cert-near-expiry': rule(byMechanism('warn', { daneEe: 'info' }), 'RFC 8461 §4.2'),
    'cert-weak-key': weak,
    // MTA-STS senders reject a hash that no validator accepts any more.
    'cert-weak-signature': rule(
      byMechanism('warn', { enforce: 'fail', daneEe: 'info' }),
      'RFC 9155 §2, RFC 8461 §4.2',
    ),
    'sts-absent': rule('info', 'RFC 8461 §3'),
    'sts-record-invalid': noPolicy,
    'sts-record-ignored': noPolicy,
    'sts-lookup-failed': rule('info', 'RFC 8461 §3.1'),
    'sts-policy-not-fetched': rule('info', 'RFC 8461 §3.3'),
    'sts-policy-odd': rule('warn', 'RFC 8461 §3.2'),
    'sts-policy-note': rule('info', 'RFC 8461 §3'),
    'sts-record-multiple': noPolicy,
    'sts-policy-unreachable': noPolicy,
    'sts-policy-redirect': noPolicy,
    'sts-policy-webpki-invalid': noPolicy,
    'sts-policy-wrong-type': noPolicy,
    'sts-policy-invalid': noPolicy,
    'sts-mode-testing': noPolicy,
    'sts-mode-none': noPolicy,
    'sts-mx-mismatch': rule(byMechanism('warn', { enforce: 'fail' }), 'RFC 8461 §4.1'),
    'sts-no-mx-matches': rule(byMechanism('warn', { enforce: 'fail' }), 'RFC 8461 §4.1'),
    'sts-policy-cert-near-expiry': rule('warn', 'RFC 8461 §3.3'),
    'sts-max-age-short': rule('info', 'RFC 8461 §3.2'),
    'sts-good': rule('good', 'RFC 8461 §5'),
    'no-enforcement': rule('warn', 'RFC 8461 §1'),
    'tlsrpt-absent': rule(byMechanism('info', { enforce: 'warn' }), 'RFC 8460 §3'),
    'tlsrpt-lookup-failed': rule('info', 'RFC 8460 §3'),
    'tlsrpt-invalid': rule('warn', 'RFC 8460 §3'),
    'tlsrpt-ignored': rule(byMechanism('info', { enforce: 'warn' }), 'RFC 8460 §3'),
    'tlsrpt-odd': rule('warn', 'RFC 8460 §3, RFC 6068 §2'),
    'dane-mismatch': rule('fail', 'RFC 7672 §2.2'),
    'dane-misplaced': rule('info', 'RFC 7672 §2.2.3'),
    'sts-record-misplaced': rule('info', 'RFC 8461 §3.1', 'inventory'),
    'tlsrpt-misplaced': rule('info', 'RFC 8460 §3', 'inventory'),
    'dane-partial': rule('warn', 'RFC 7672 §2.2.1'),
    'dane-unusable': rule('warn', 'RFC 7672 §3.1.3'),
    'dane-inert': rule('warn', 'RFC 7672 §2.1.1'),
    'dane-alias-dangling': rule('warn', 'RFC 7672 §2.2.3'),
    'dane-bogus': rule('fail', 'RFC 7672 §2.1.2'),
    'dane-tempfail': rule('fail', 'RFC 7672 §2.1.2'),
    'dane-leftover': rule('info', 'RFC 7671 §8.1'),
    'dane-rollover-good': rule('good', 'RFC 7671 §8.1'),
    'dane-good': rule('good', 'RFC 7672 §2.2'),
    'dnssec-bogus': rule('fail', 'RFC 4035 §5.5'),
    'dnssec-indeterminate': rule('info', 'RFC 4035 §4.3'),
    'resolver-no-dnssec': rule('info', 'RFC 4035 §3.2.1'),
    'own-validation-fails': rule('info', 'RFC 4035 §4.4'),
    'mx-unreachable': { severity: 'warn', whenAll: 'fail', clause: 'RFC 5321 §5.1' },
    'mx-takes-no-mail': { severity: 'warn', whenAll: 'fail', clause: 'RFC 7504 §3' },
    'mx-address-unroutable': { severity: 'warn', whenAll: 'fail', clause: 'RFC 6890 §2.2' },
    'mx-nonexistent': { severity: 'warn', whenAll: 'fail', clause: 'RFC 5321 §5.1' },
    'mx-is-address': { severity: 'warn', whenAll: 'fail', clause: 'RFC 1035 §3.3.9' },
    'mx-special-name': { severity: 'info', whenAll: 'fail', clause: 'RFC 6761 §6' },
    'null-mx-beside': rule('warn', 'RFC 7505 §3'),
    'mx-inconclusive': rule('info', 'RFC 5321 §4.2.1'),
    'mx-is-cname': rule(byMechanism('warn', { enforce: 'fail' }), 'RFC 2181 §10.3, RFC 8461 §4.1'),
    'address-family-failed': rule('info', 'RFC 7672 §2.1.2, RFC 5321 §5.1'),
    'mx-lookup-failed': rule('info', 'RFC 5321 §5.1'),
    'port-25-blocked': rule('info', 'RFC 5321 §4.5.4.2'),
    'no-ipv6': rule('info', 'RFC 5321 §5.2'),
    'null-mx': rule('info', 'RFC 7505 §3'),
    'no-mail': rule('info', 'RFC 5321 §5.1'),
    'implicit-mx': rule('info', 'RFC 5321 §5.1'),
    'domain-nonexistent': rule('info', 'RFC 2308 §2.1'),
    'sts-policy-address-broken': rule('warn', 'RFC 8461 §3.3', 'verdict'),
    'sts-policy-differs': rule('warn', 'RFC 8461 §3.3', 'verdict'),
    'sts-host-claimable': rule('fail', 'RFC 8461 §8.2, §10.1', 'verdict'),
    'sts-host-dangling': rule('warn', 'RFC 8461 §8.2', 'verdict'),
    'sts-record-dangling': rule('warn', 'RFC 8461 §8.2', 'verdict'),
    'sts-mx-dangling': rule('warn', 'RFC 8461 §4.1, §10.2', 'verdict'),
    'mx-claimable': rule('warn', 'RFC 5321 §5.1', 'verdict'),
    'tlsrpt-target-claimable': rule('warn', 'RFC 8460 §7', 'verdict'),
    'tlsrpt-target-dead': rule('info', 'RFC 8460 §3', 'verdict'),
    'caa-excludes-issuer': rule('warn', 'RFC 8659 §4', 'verdict'),
    'issuance-bogus': rule('warn', 'RFC 8659 §3, RFC 4035 §5.5', 'verdict'),
    'caa-lookup-failed': rule('info', 'RFC 8659 §3', 'verdict'),
    'caa-absent': rule('info', 'RFC 8659 §4.2', 'verdict'),
    'caa-good': rule('good', 'RFC 8657 §3, §4', 'verdict'),
    'dnssec-signature-near-expiry': rule('warn', 'RFC 4035 §5.3.1', 'verdict'),
    'dnssec-signature-late': rule('info', 'RFC 6781 §4.4.2', 'verdict'),
    'dnssec-expire-long': rule('info', 'RFC 6781 §4.4.1', 'verdict'),
    'dnssec-stale-server': rule('warn', 'RFC 4035 §5.3.1', 'verdict'),
  },
};
