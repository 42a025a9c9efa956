import { groupTable, suites as known, type Suite, type TlsSettings } from '../tls/index.js';

/**
 * Returns the suites of TLS 1.2 in the list format of OpenSSL and LibreSSL. TLS 1.3
 * suites have a separate setting in these libraries, whose default is good.
 */
export function openSslSuites(settings: TlsSettings): string {
  return tls12(settings).map(openSslName).join(':');
}

/**
 * Returns the groups by their OpenSSL names. Hybrid groups are omitted, except `hybrid`:
 * it comes second, so that the hello has a key share for the classical group only.
 */
export function openSslGroups({ groups }: TlsSettings, separator: string, hybrid?: string): string {
  const names: Readonly<Record<string, string>> = {
    x25519: 'X25519',
    x448: 'X448',
    secp256r1: 'prime256v1',
  };
  const [first = '', ...others] = groups
    .filter((groupName) =>
      groupTable.some((group) => group.name === groupName && group.kind !== 'hybrid'),
    )
    .map((groupName) => names[groupName] ?? groupName);
  const offered = hybrid !== undefined && groups.includes(hybrid) ? [hybrid] : [];
  return [first, ...offered, ...others].join(separator);
}

/**
 * Returns a GnuTLS priority string. The string names key exchanges and ciphers
 * separately, and GnuTLS uses every combination. Throws TypeError if the suites are not
 * all combinations of their key exchanges and ciphers. Groups are removed from the
 * default and never added, because one unknown name makes the whole string invalid.
 */
export function gnuTlsPriority(settings: TlsSettings): string {
  const suites = tls12(settings);
  const exchanges = distinct(
    suites.map((cipherSuite) => `${cipherSuite.keyExchange}-${cipherSuite.authentication}`),
  );
  const ciphers = distinct(suites.map(gnuTlsCipher));
  if (
    exchanges.length * ciphers.length !== suites.length ||
    suites.some((cipherSuite) => cipherSuite.mode === 'CBC')
  )
    throw new TypeError('GnuTLS cannot use exactly these suites');
  const usual = ['secp521r1', 'x448'].filter((groupName) => !settings.groups.includes(groupName));
  const finite = settings.groups.some((groupName) => groupName.startsWith('ffdhe'))
    ? []
    : ['-GROUP-DH-ALL'];
  return [
    ...['NORMAL', '-VERS-ALL', '+VERS-TLS1.3', '+VERS-TLS1.2'],
    ...['-KX-ALL', ...exchanges.map((exchange) => `+${exchange}`)],
    ...['-CIPHER-ALL', ...ciphers.map((cipherName) => `+${cipherName}`), '-MAC-ALL', '+AEAD'],
    ...[...finite, ...usual.map((groupName) => `-GROUP-${groupName.toUpperCase()}`)],
  ].join(':');
}

function tls12({ suites }: TlsSettings): readonly Suite[] {
  return suites.flatMap((id) => known.get(id) ?? []).filter((cipherSuite) => !cipherSuite.tls13);
}

function openSslName({ name }: Suite): string {
  const [exchange = '', cipher = ''] = name.replace(/^TLS_/, '').split('_WITH_');
  return `${exchange}-${cipher.replace(/^AES_(\d+)/, 'AES$1').replace(/(POLY1305)_SHA256$/, '$1')}`.replaceAll(
    '_',
    '-',
  );
}

function gnuTlsCipher({ cipher, bits, mode }: Suite): string {
  return cipher === 'CHACHA20' ? 'CHACHA20-POLY1305' : `${cipher}-${bits}-${mode}`;
}

function distinct(names: readonly string[]): readonly string[] {
  return [...new Set(names)];
}
