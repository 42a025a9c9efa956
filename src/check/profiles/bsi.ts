import { baseline } from './baseline.js';
import type { Profile } from './profile.js';
import { allBut12, allBut13, asked, groupsNamed, isBroken, where12 } from './sets.js';

/**
 * BSI TR-03108-1 with TR-03116-4 and TR-02102-2: providers have to use DNSSEC and DANE.
 * ChaCha20, X25519 and X448 are not on its lists.
 */
export const bsiOf2023: Profile = {
  ...baseline,
  name: 'bsi-tr-03108-2023-06',
  source: 'BSI TR-03108-1, TR-03116-4, TR-02102-2',
  date: '2023-06',
  requiresDane: true,
  /**
   * An RSA key below 2000 bits is a failure and one below 3000 bits a warning; a curve
   * needs 250 bits.
   */
  keys: [
    { finding: 'cert-weak-key', rsaBelow: 2000, ecBelow: 250 },
    { finding: 'cert-short-key', rsaBelow: 3000, ecBelow: 250 },
  ],
  tls: {
    versions: baseline.tls.versions,
    required: ['TLSv1.2'],
    sets: [
      { finding: 'tls-broken-suite', suites: where12(isBroken) },
      {
        finding: 'tls-unlisted-suite',
        suites: [
          ...allBut12(
            where12(isBroken),
            where12(
              (cipherSuite) =>
                (cipherSuite.keyExchange === 'ECDHE' ||
                  cipherSuite.keyExchange === 'DHE' ||
                  cipherSuite.keyExchange === 'ECDH') &&
                cipherSuite.authentication !== 'none' &&
                cipherSuite.cipher === 'AES' &&
                (cipherSuite.mode === 'GCM' ||
                  cipherSuite.mode === 'CCM' ||
                  (cipherSuite.mode === 'CBC' && /^SHA(256|384)$/.test(cipherSuite.hash))),
            ),
          ),
          ...allBut13(0x1301, 0x1302, 0x1304),
        ],
      },
      {
        finding: 'tls-phase-out-group',
        groups: groupsNamed('TLSv1.3', ['x25519', 'x448', 'ffdhe2048']),
        version: 'TLSv1.3',
      },
    ],
    dheBits: 3000,
  },
  rules: {
    ...baseline.rules,
    'tls-old-version': asked('fail', 'TR-03116-4 §2.1'),
    'tls-missing-version': asked('fail', 'TR-03116-4 §2.1'),
    'tls-unlisted-suite': asked('warn', 'TR-02102-2 §3.3'),
    'tls-phase-out-group': asked('info', 'TR-02102-2 §3.3'),
    'tls-weak-dhe': asked('warn', 'TR-02102-2 §3.3'),
    'cert-weak-key': { severity: 'fail', clause: 'TR-02102-2 §3.6' },
    'cert-short-key': { severity: 'warn', clause: 'TR-02102-2 §3.6' },
    'dane-required': { severity: 'fail', clause: 'TR-03108-1 §4.3' },
  },
};

/** The severities of missing DANE: info under an enforced MTA-STS policy. */
const daneOrMtaSts = {
  none: 'fail',
  testing: 'fail',
  enforce: 'info',
  daneTa: 'info',
  daneEe: 'info',
} as const;

/**
 * BSI TR-02102-2 of January 2026 with TR-03108-1 version 2. This profile was written
 * without access to either text. Secondary sources agree on these changes: suites with
 * DHE until the end of 2029, TLS 1.2 and classical key agreement without a post-quantum
 * part until the end of 2031, signatures of PKCS #1 v1.5 deprecated, MTA-STS as an
 * alternative to DANE. The suites and key sizes are those of the edition of 2023. Not
 * graded, because not known: X25519 and X448, the hybrid groups, PKCS #1 v1.5 in
 * handshakes, and whether TLS reporting is required.
 */
export const bsiOf2026: Profile = {
  ...bsiOf2023,
  name: 'bsi-tr-03108-2026-01',
  source:
    'BSI TR-02102-2 2026-01 and TR-03108-1 2.0, according to secondary sources. It permits DHE until 2029 and TLS 1.2 until 2031. All other rules are those of 2023-06',
  date: '2026-01',
  tls: {
    ...bsiOf2023.tls,
    sets: [
      ...bsiOf2023.tls.sets.filter(({ finding }) => finding !== 'tls-phase-out-group'),
      {
        finding: 'tls-phase-out-suite',
        suites: where12(
          (cipherSuite) =>
            cipherSuite.keyExchange === 'DHE' &&
            cipherSuite.authentication !== 'none' &&
            cipherSuite.cipher === 'AES',
        ),
      },
    ],
  },
  rules: {
    ...bsiOf2023.rules,
    'tls-phase-out-suite': asked('info', 'TR-02102-2 2026-01 (DHE suites to the end of 2029)'),
    'dane-required': { severity: daneOrMtaSts, clause: 'TR-03108-1 2.0 (DANE or MTA-STS)' },
  },
};
