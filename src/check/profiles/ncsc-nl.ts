import { baseline } from './baseline.js';
import type { Profile } from './profile.js';
import { allBut12, allBut13, groupsNamed, suitesNamed, sha1Schemes, where12 } from './sets.js';

/** Groups with the level "good", by their names in the IANA registry. */
const goodGroups = [
  'secp256r1',
  'secp384r1',
  'secp521r1',
  'brainpoolP256r1',
  'brainpoolP384r1',
  'brainpoolP512r1',
  'brainpoolP256r1tls13',
  'brainpoolP384r1tls13',
  'brainpoolP512r1tls13',
  'x25519',
  'x448',
];
/** Groups with the level "phase out". */
const phaseOutGroups = ['secp224r1', 'ffdhe3072', 'ffdhe4096', 'ffdhe6144', 'ffdhe8192'];
/** Groups with ML-KEM; they exist in TLS 1.3 only. */
const hybrids = [
  'X25519MLKEM768',
  'SecP256r1MLKEM768',
  'SecP384r1MLKEM1024',
  'MLKEM512',
  'MLKEM768',
  'MLKEM1024',
];

/** Suites of TLS 1.2 that are not to be phased out. */
const sufficient = suitesNamed(
  'ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256',
  'ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
  'ECDHE_RSA_WITH_AES_256_GCM_SHA384',
  'ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
  'ECDHE_RSA_WITH_AES_128_GCM_SHA256',
  'ECDHE_ECDSA_WITH_AES_256_CCM',
  'ECDHE_ECDSA_WITH_AES_128_CCM',
);
/**
 * Suites to be phased out: with forward secrecy and SHA-2, but with CBC, Camellia, ARIA,
 * or a finite field.
 */
const phaseOut = where12(
  (cipherSuite) =>
    (cipherSuite.keyExchange === 'ECDHE' || cipherSuite.keyExchange === 'DHE') &&
    (cipherSuite.authentication === 'RSA' || cipherSuite.authentication === 'ECDSA') &&
    ['AES', 'CAMELLIA', 'ARIA', 'CHACHA20'].includes(cipherSuite.cipher) &&
    (cipherSuite.mode === 'GCM' ||
      cipherSuite.mode === 'CCM' ||
      cipherSuite.mode === 'POLY1305' ||
      (cipherSuite.mode === 'CBC' && /^SHA(256|384)$/.test(cipherSuite.hash))) &&
    !cipherSuite.name.endsWith('_OLD') &&
    !sufficient.includes(cipherSuite.codePoint),
);

/**
 * NCSC-NL, ICT-beveiligingsrichtlijnen voor Transport Layer Security, 2025-05. A setting
 * that the guideline calls insufficient gets a failure; a setting that the guideline
 * phases out gets a warning.
 */
export const ncscNl: Profile = {
  ...baseline,
  name: 'ncsc-nl-2025-05',
  source: 'NCSC-NL, IT Security Guidelines for TLS',
  date: '2025-05',
  keys: [
    { finding: 'cert-weak-key', rsaBelow: 2048, ecBelow: 224 },
    { finding: 'cert-short-key', rsaBelow: 3072, ecBelow: 256 },
  ],
  tls: {
    versions: {
      SSLv2: 'tls-broken-version',
      SSLv3: 'tls-broken-version',
      TLSv1: 'tls-old-version',
      'TLSv1.1': 'tls-old-version',
    },
    required: [],
    sets: [
      {
        finding: 'tls-unlisted-suite',
        suites: [...allBut12(sufficient, phaseOut), ...allBut13(0x1301, 0x1302, 0x1303, 0x1304)],
      },
      { finding: 'tls-phase-out-suite', suites: phaseOut },
      {
        finding: 'tls-weak-group',
        groups: groupsNamed('TLSv1.2', [...goodGroups, ...phaseOutGroups], true),
        version: 'TLSv1.2',
      },
      {
        finding: 'tls-weak-group',
        groups: groupsNamed('TLSv1.3', [...goodGroups, ...phaseOutGroups, ...hybrids], true),
        version: 'TLSv1.3',
      },
      { finding: 'tls-weak-handshake-signature', schemes: sha1Schemes },
    ],
    order: { finding: 'tls-order', worse: allBut12(sufficient) },
    dheBits: 3072,
    compression: 'tls-compression',
    extendedMasterSecret: 'tls-no-extended-master-secret',
    secureRenegotiation: 'tls-no-secure-renegotiation',
  },
  rules: {
    ...baseline.rules,
    'tls-old-version': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.3.1 table 1',
      depth: 'verdict',
    },
    'tls-unlisted-suite': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 Appendix B',
      depth: 'verdict',
    },
    'tls-phase-out-suite': {
      severity: 'warn',
      clause: 'NCSC-NL 2025-05 Appendix B',
      depth: 'verdict',
    },
    'tls-weak-group': { severity: 'fail', clause: 'NCSC-NL 2025-05 §3.3.3', depth: 'verdict' },
    'tls-weak-dhe': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.3.3 table 7',
      depth: 'verdict',
    },
    // The severity is info, as in every profile for mail: see the catalogue.
    'tls-weak-handshake-signature': {
      severity: 'info',
      clause: 'NCSC-NL 2025-05 §3.3.5 table 9',
      depth: 'verdict',
    },
    'tls-order': { severity: 'warn', clause: 'NCSC-NL 2025-05 §3.3', depth: 'verdict' },
    'tls-compression': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.4.1 table 10',
      depth: 'verdict',
    },
    'tls-no-extended-master-secret': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.4',
      depth: 'verdict',
    },
    'tls-no-secure-renegotiation': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.4.2 table 11',
      depth: 'verdict',
    },
    'tls-renegotiation': {
      severity: 'info',
      clause: 'NCSC-NL 2025-05 §3.4.2 table 11',
      depth: 'intrusive',
    },
    'cert-weak-key': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.3.2.1 tables 3 to 5',
      depth: 'triage',
    },
    'cert-short-key': {
      severity: 'warn',
      clause: 'NCSC-NL 2025-05 §3.3.2.1 tables 3 to 5',
      depth: 'triage',
    },
    'cert-weak-signature': {
      severity: 'fail',
      clause: 'NCSC-NL 2025-05 §3.3.5 table 9',
      depth: 'triage',
    },
  },
};
