import { groupTable, suites as known, type Suite, type TlsSettings } from '../tls/index.js';

/**
 * The suites of TLS 1.2 as OpenSSL and LibreSSL list them. Those of TLS 1.3 are set apart
 * there, and are by default what they should be.
 */
export function openSslSuites(settings: TlsSettings): string {
  return tls12(settings).map(openSslName).join(':');
}

/**
 * The groups by OpenSSL's names, but for hybrids: what names groups one by one does not
 * know them yet.
 */
export function openSslGroups({ groups }: TlsSettings, separator: string): string {
  const names: Readonly<Record<string, string>> = {
    x25519: 'X25519',
    x448: 'X448',
    secp256r1: 'prime256v1',
  };
  return groups
    .filter((name) => groupTable.some((g) => g.name === name && g.kind !== 'hybrid'))
    .map((name) => names[name] ?? name)
    .join(separator);
}

/**
 * A GnuTLS priority string. It names parts, so that every combination of them is taken:
 * the settings have to be such a product, or a TypeError is thrown. Groups are taken away
 * from what is usual, never added: a name that a library does not know voids the whole
 * string.
 */
export function gnuTlsPriority(settings: TlsSettings): string {
  const suites = tls12(settings);
  const exchanges = distinct(suites.map((s) => `${s.keyExchange}-${s.authentication}`));
  const ciphers = distinct(suites.map(gnuTlsCipher));
  if (exchanges.length * ciphers.length !== suites.length || suites.some((s) => s.mode === 'CBC'))
    throw new TypeError('GnuTLS cannot be given just these suites');
  const usual = ['secp521r1', 'x448'].filter((name) => !settings.groups.includes(name));
  const finite = settings.groups.some((name) => name.startsWith('ffdhe')) ? [] : ['-GROUP-DH-ALL'];
  return [
    ...['NORMAL', '-VERS-ALL', '+VERS-TLS1.3', '+VERS-TLS1.2'],
    ...['-KX-ALL', ...exchanges.map((name) => `+${name}`)],
    ...['-CIPHER-ALL', ...ciphers.map((name) => `+${name}`), '-MAC-ALL', '+AEAD'],
    ...[...finite, ...usual.map((name) => `-GROUP-${name.toUpperCase()}`)],
  ].join(':');
}

function tls12({ suites }: TlsSettings): readonly Suite[] {
  return suites.flatMap((id) => known.get(id) ?? []).filter((suite) => !suite.tls13);
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
