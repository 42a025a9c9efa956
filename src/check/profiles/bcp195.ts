import { baseline } from './baseline.js';
import type { Profile } from './profile.js';
import { asked, isBroken, isWeak, pqSet, where12 } from './sets.js';

/**
 * BCP 195 as of November 2022: RFC 8996 and RFC 9325. §5.2 of RFC 9325 permits weaker
 * settings for opportunistic mail, so a discouraged practice gets a warning, and a
 * forbidden practice a failure.
 */
export const bcp195Of2022: Profile = {
  ...baseline,
  name: 'bcp195-2022-11',
  source: 'BCP 195: RFC 8996, RFC 9325',
  date: '2022-11',
  keys: [{ finding: 'cert-weak-key', rsaBelow: 2048, ecBelow: 224 }],
  tls: {
    versions: baseline.tls.versions,
    required: ['TLSv1.2'],
    sets: [
      { finding: 'tls-broken-suite', suites: where12(isBroken) },
      {
        finding: 'tls-weak-suite',
        suites: where12(
          (cipherSuite) =>
            !isBroken(cipherSuite) && (cipherSuite.cipher === 'RC4' || cipherSuite.bits < 112),
        ),
      },
      {
        finding: 'tls-phase-out-suite',
        suites: where12(
          (cipherSuite) =>
            cipherSuite.keyExchange === 'RSA' && !isBroken(cipherSuite) && !isWeak(cipherSuite),
        ),
      },
      { finding: 'tls-weak-handshake-signature', schemes: [0x0101, 0x0201, 0x0203] },
      pqSet,
    ],
    /** RFC 9325 §4.3 requires at least 2048 bits of a finite-field group. */
    dheBits: 2048,
    compression: 'tls-compression',
    extendedMasterSecret: 'tls-no-extended-master-secret',
    secureRenegotiation: 'tls-no-secure-renegotiation',
  },
  rules: {
    ...baseline.rules,
    'tls-broken-version': asked('fail', 'RFC 9325 §3.1.1'),
    'tls-old-version': asked('fail', 'RFC 9325 §3.1.1, RFC 8996 §4'),
    'tls-missing-version': asked('fail', 'RFC 9325 §3.1.1'),
    'tls-broken-suite': asked('fail', 'RFC 9325 §4.1'),
    'tls-weak-suite': asked('fail', 'RFC 9325 §4.1'),
    'tls-phase-out-suite': asked('warn', 'RFC 9325 §4.1'),
    'tls-weak-dhe': asked('warn', 'RFC 9325 §4.3'),
    'tls-weak-handshake-signature': asked('info', 'RFC 9155 §2'),
    'tls-compression': asked('warn', 'RFC 9325 §3.3'),
    'tls-no-extended-master-secret': asked('warn', 'RFC 9325 §3.5'),
    'tls-no-secure-renegotiation': asked('warn', 'RFC 9325 §3.5'),
    'cert-weak-key': { severity: 'fail', clause: 'RFC 9325 §4.5' },
  },
};

/**
 * Key exchanges that RFC 10015 forbids or discourages: without forward secrecy, or with
 * parameters that a client cannot verify.
 */
const obsoleteKeyExchanges: readonly string[] = ['RSA', 'DHE', 'DH', 'ECDH'];

/**
 * BCP 195 as of July 2026: RFC 9325 with the updates of RFC 9852 and RFC 10015. RFC 10015
 * forbids suites of TLS 1.2 with static RSA, static Diffie-Hellman and finite-field DHE,
 * and discourages static ECDH (§2 to §4). The severity is warn and not fail: a sender
 * without ECDHE would fall back to plaintext (RFC 9325 §5.2). RFC 9852 applies to new
 * protocols only.
 */
export const bcp195Of2026: Profile = {
  ...bcp195Of2022,
  name: 'bcp195-2026-07',
  source: 'BCP 195: RFC 8996, RFC 9325, RFC 9852; RFC 10015 (TLS 1.2 is frozen: RFC 9851)',
  date: '2026-07',
  tls: {
    ...bcp195Of2022.tls,
    sets: bcp195Of2022.tls.sets.map((tlsSet) => {
      if (tlsSet.finding === 'tls-phase-out-suite')
        return {
          finding: tlsSet.finding,
          suites: where12(
            (cipherSuite) =>
              obsoleteKeyExchanges.includes(cipherSuite.keyExchange) &&
              !isBroken(cipherSuite) &&
              !isWeak(cipherSuite),
          ),
        };
      return tlsSet;
    }),
  },
  rules: {
    ...bcp195Of2022.rules,
    'tls-phase-out-suite': asked('warn', 'RFC 10015 §2, §3, §4'),
  },
};
