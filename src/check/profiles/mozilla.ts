import type { TlsSettings } from '../../tls/index.js';
import { baseline } from './baseline.js';
import type { Profile } from './profile.js';
import { allBut12, allBut13, asked, isBroken, suitesNamed, pqSet, where12 } from './sets.js';

/**
 * The settings of an "intermediate" server in Mozilla's guidelines 6.0 [9325-4.2-1]. The
 * guidelines leave the choice among these suites to the client, because a phone without
 * AES hardware is faster with ChaCha20.
 */
export const mozillaSettings: TlsSettings = {
  suites: suitesNamed(
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

/**
 * Mozilla's "intermediate" server configuration, guidelines 6.0. The guidelines are for
 * the web, so a deviation is usually only a warning: old mail servers need weaker
 * settings.
 */
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
    'tls-broken-suite': asked('fail', 'Mozilla 6.0 intermediate, ciphersuites'),
    'tls-unlisted-suite': asked('warn', 'Mozilla 6.0 intermediate, ciphersuites'),
    'tls-missing-version': asked('warn', 'Mozilla 6.0 intermediate, versions'),
    'tls-old-version': asked('warn', 'Mozilla 6.0 intermediate, versions'),
  },
};
