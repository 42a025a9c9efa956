import type { TlsSettings } from '../../tls/index.js';
import { baseline } from './baseline.js';
import type { Profile, Rule } from './profile.js';
import {
  allBut12,
  allBut13,
  groupsNamed,
  isBroken,
  isWeak,
  named,
  pqSet,
  where12,
} from './sets.js';

const at = (severity: Rule['severity'], clause: string): Rule => ({
  severity,
  clause,
  depth: 'verdict',
});

/** What Mozilla's guidelines 6.0 set an "intermediate" server to [9325-4.2-1]. They leave the choice among it to the client. */
export const mozillaSettings: TlsSettings = {
  suites: named(
    'ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
    'ECDHE_RSA_WITH_AES_128_GCM_SHA256',
    'ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
    'ECDHE_RSA_WITH_AES_256_GCM_SHA384',
    'ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
    'ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
    'AES_128_GCM_SHA256',
    'AES_256_GCM_SHA384',
    'CHACHA20_POLY1305_SHA256',
  ),
  groups: ['X25519MLKEM768', 'x25519', 'secp256r1', 'secp384r1'],
};

/** Mozilla's "intermediate" server configuration, guidelines 6.0. Written for the web: what it leaves out warns, since old mail servers need more. */
export const mozillaIntermediate: Profile = {
  ...baseline,
  name: 'mozilla-intermediate-6.0',
  source: 'Mozilla, Server Side TLS 6.0, intermediate',
  date: '2026-04',
  tls: {
    versions: baseline.tls.versions,
    required: ['TLSv1.2', 'TLSv1.3'],
    sets: [
      { finding: 'tls-broken-suite', suites: where12(isBroken) },
      {
        finding: 'tls-unlisted-suite',
        suites: [
          ...allBut12(mozillaSettings.suites, where12(isBroken)),
          ...allBut13(...mozillaSettings.suites),
        ],
      },
      pqSet,
    ],
  },
  rules: {
    ...baseline.rules,
    'tls-broken-suite': at('fail', 'Mozilla 6.0 intermediate, ciphersuites'),
    'tls-unlisted-suite': at('warn', 'Mozilla 6.0 intermediate, ciphersuites'),
    'tls-missing-version': at('warn', 'Mozilla 6.0 intermediate, versions'),
    'tls-old-version': at('warn', 'Mozilla 6.0 intermediate, versions'),
  },
};

/** RFC 9325 with RFC 8996. Its §5.2 lets opportunistic mail go below it: what it recommends against warns, what it forbids fails. */
export const bcp195: Profile = {
  ...baseline,
  name: 'bcp195',
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
        suites: where12((s) => !isBroken(s) && (s.cipher === 'RC4' || s.bits < 112)),
      },
      {
        finding: 'tls-phase-out-suite',
        suites: where12((s) => s.keyExchange === 'RSA' && !isBroken(s) && !isWeak(s)),
      },
      { finding: 'tls-weak-handshake-signature', schemes: [0x0101, 0x0201, 0x0203] },
      pqSet,
    ],
    dheBits: 2048,
    compression: 'tls-compression',
    extendedMasterSecret: 'tls-no-extended-master-secret',
    secureRenegotiation: 'tls-no-secure-renegotiation',
  },
  rules: {
    ...baseline.rules,
    'tls-broken-version': at('fail', 'RFC 9325 §3.1.1'),
    'tls-old-version': at('fail', 'RFC 9325 §3.1.1, RFC 8996 §4'),
    'tls-missing-version': at('fail', 'RFC 9325 §3.1.1'),
    'tls-broken-suite': at('fail', 'RFC 9325 §4.1'),
    'tls-weak-suite': at('fail', 'RFC 9325 §4.1'),
    'tls-phase-out-suite': at('warn', 'RFC 9325 §4.1'),
    'tls-weak-dhe': at('warn', 'RFC 9325 §4.3'),
    'tls-weak-handshake-signature': at('info', 'RFC 9155 §2'),
    'tls-compression': at('warn', 'RFC 9325 §3.3'),
    'tls-no-extended-master-secret': at('warn', 'RFC 9325 §3.5'),
    'tls-no-secure-renegotiation': at('warn', 'RFC 9325 §3.5'),
    'cert-weak-key': { severity: 'fail', clause: 'RFC 9325 §4.5' },
  },
};

/** BSI TR-03108-1 with TR-03116-4 and TR-02102-2: DNSSEC and DANE are asked of providers; ChaCha20, X25519 and X448 are not on its lists. */
export const bsi: Profile = {
  ...baseline,
  name: 'bsi-tr-03108',
  source: 'BSI TR-03108-1, TR-03116-4, TR-02102-2',
  date: '2023-06',
  requiresDane: true,
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
              (s) =>
                (s.keyExchange === 'ECDHE' ||
                  s.keyExchange === 'DHE' ||
                  s.keyExchange === 'ECDH') &&
                s.authentication !== 'none' &&
                s.cipher === 'AES' &&
                (s.mode === 'GCM' ||
                  s.mode === 'CCM' ||
                  (s.mode === 'CBC' && /^SHA(256|384)$/.test(s.hash))),
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
    'tls-old-version': at('fail', 'TR-03116-4 §2.1'),
    'tls-missing-version': at('fail', 'TR-03116-4 §2.1'),
    'tls-unlisted-suite': at('warn', 'TR-02102-2 §3.3'),
    'tls-phase-out-group': at('info', 'TR-02102-2 §3.3'),
    'tls-weak-dhe': at('warn', 'TR-02102-2 §3.3'),
    'cert-weak-key': { severity: 'fail', clause: 'TR-02102-2 §3.6' },
    'cert-short-key': { severity: 'warn', clause: 'TR-02102-2 §3.6' },
    'dane-required': { severity: 'fail', clause: 'TR-03108-1 §4.3' },
  },
};
