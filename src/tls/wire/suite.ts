import { suiteTable } from './suites-registry.js';

/** The key exchange in the name of the suite. `1.3`: negotiated separately. */
export type KeyExchange =
  'RSA' | 'DHE' | 'ECDHE' | 'DH' | 'ECDH' | 'PSK' | 'SRP' | 'KRB5' | 'GOST' | 'other' | '1.3';

/** The authentication of the server. `none`: anonymous. */
export type SuiteAuthentication =
  'RSA' | 'ECDSA' | 'DSS' | 'none' | 'PSK' | 'GOST' | 'other' | '1.3';

/** A cipher suite, its properties read from its IANA name. */
export interface Suite {
  /** The two octets of the wire as one number. */
  readonly codePoint: number;
  /** The IANA name. */
  readonly name: string;
  readonly keyExchange: KeyExchange;
  readonly authentication: SuiteAuthentication;
  /** `AES`, `CHACHA20`, `3DES`, `RC4`, `NULL` ... */
  readonly cipher: string;
  /**
   * Nominal key length in bits; 0 for NULL. 112 for 3DES; the effective length for export
   * ciphers.
   */
  readonly bits: number;
  /** Mode of operation; `stream` for stream ciphers without a mode. */
  readonly mode: 'GCM' | 'CCM' | 'CCM_8' | 'POLY1305' | 'CBC' | 'stream' | 'NULL' | 'MGM' | 'other';
  /** MAC of CBC and stream suites, hash of the others. */
  readonly hash: string;
  /**
   * Whether the suite follows the export rules of the 1990s, with keys of only 40 or 56
   * bits.
   */
  readonly export: boolean;
  /** Whether session keys remain secret if the key of the server is compromised. */
  readonly forwardSecrecy: boolean;
  /** Whether only TLS 1.3 can use the suite. */
  readonly tls13: boolean;
}

/**
 * The suites of TLS 1.3: AES, ChaCha20 and AEGIS (0x13xx), SM4 (0x00c6, 0x00c7), SHA-only
 * integrity (0xc0b4, 0xc0b5) and GOST (0xc103 to 0xc106). Their names do not include the
 * key exchange.
 */
const tls13Ids: ReadonlySet<number> = new Set([
  0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x1306, 0x1307, 0x00c6, 0x00c7, 0xc0b4, 0xc0b5, 0xc103,
  0xc104, 0xc105, 0xc106,
]);

/** All suites known here, by code point. */
export const suites: ReadonlyMap<number, Suite> = new Map(
  suiteTable.map(([codePoint, name]) => [codePoint, describe(codePoint, name)]),
);

/** Returns the IANA name; `0xNNNN` for a code point that is not in the table. */
export function suiteName(codePoint: number): string {
  return (
    suites.get(codePoint)?.name ?? `0x${codePoint.toString(16).padStart(4, '0').toUpperCase()}`
  );
}

/** Returns the suites that satisfy `wanted`, in the order of the table. */
export function suitesWhere(wanted: (cipherSuite: Suite) => boolean): readonly number[] {
  return [...suites.values()].filter(wanted).map((cipherSuite) => cipherSuite.codePoint);
}

/**
 * Derives the properties from the name: `TLS_<key
 * exchange>_<authentication>_WITH_<cipher>_ <mode>_<hash>` up to TLS 1.2,
 * `TLS_<cipher>_<mode>_<hash>` in TLS 1.3.
 */
function describe(codePoint: number, name: string): Suite {
  const tls13 = tls13Ids.has(codePoint);
  const [exchangePart, cipherPart] = name.replace(/_OLD$/, '').includes('_WITH_')
    ? (name.replace(/_OLD$/, '').split('_WITH_') as [string, string])
    : ['TLS_1.3', name.replace(/^TLS_/, '')];
  const keyExchange = keyExchangeOf(exchangePart, tls13);
  return {
    codePoint,
    name,
    keyExchange,
    authentication: authenticationOf(exchangePart, tls13),
    ...cipherOf(cipherPart),
    hash:
      /_(MD5|SHA|SHA256|SHA384|SHA512|SM3|GOSTR3411|OMAC|IMIT)$/.exec(cipherPart)?.[1] ??
      (/CCM|MGM/.test(cipherPart) ? 'SHA256' : 'other'),
    export: exchangePart.includes('EXPORT'),
    forwardSecrecy: tls13 || keyExchange === 'DHE' || keyExchange === 'ECDHE',
    tls13,
  };
}

/**
 * Reads the key exchange from the part before `_WITH_`. The order of the tests matters:
 * `ECDHE` contains `DHE`, and the names of PSK suites also contain the exchange that they
 * combine with PSK.
 */
function keyExchangeOf(exchangePart: string, tls13: boolean): KeyExchange {
  if (tls13) return '1.3';
  if (exchangePart.includes('GOST')) return 'GOST';
  if (exchangePart.includes('KRB5')) return 'KRB5';
  if (exchangePart.includes('SRP')) return 'SRP';
  if (/ECDHE|ECDH_anon/.test(exchangePart)) return 'ECDHE';
  if (exchangePart.includes('ECDH')) return 'ECDH';
  if (/DHE|DH_anon|PSK_DHE/.test(exchangePart)) return 'DHE';
  if (/_DH_/.test(exchangePart)) return 'DH';
  if (exchangePart.includes('PSK')) return 'PSK';
  if (/RSA/.test(exchangePart)) return 'RSA';
  return 'other';
}

/** Reads the authentication from the part before `_WITH_`. */
function authenticationOf(exchangePart: string, tls13: boolean): SuiteAuthentication {
  if (tls13) return '1.3';
  if (exchangePart.includes('anon')) return 'none';
  if (exchangePart.includes('GOST')) return 'GOST';
  if (exchangePart.includes('ECDSA')) return 'ECDSA';
  if (/PSK/.test(exchangePart)) return 'PSK';
  if (/DSS/.test(exchangePart)) return 'DSS';
  if (/RSA/.test(exchangePart)) return 'RSA';
  return 'other';
}

/**
 * Reads cipher, key length and mode from the part after `_WITH_`. 3DES has keys of 168
 * bits and a strength of 112 (NIST SP 800-57). Export ciphers have their effective
 * length.
 */
function cipherOf(cipherPart: string): Pick<Suite, 'cipher' | 'bits' | 'mode'> {
  if (cipherPart.startsWith('NULL') || /^SHA(256|384)_/.test(cipherPart))
    return { cipher: 'NULL', bits: 0, mode: 'NULL' };
  if (cipherPart.startsWith('3DES')) return { cipher: '3DES', bits: 112, mode: 'CBC' };
  if (cipherPart.startsWith('CHACHA20')) return { cipher: 'CHACHA20', bits: 256, mode: 'POLY1305' };
  if (/^(DES40|DES_CBC_40)/.test(cipherPart)) return { cipher: 'DES', bits: 40, mode: 'CBC' };
  if (cipherPart.startsWith('DES')) return { cipher: 'DES', bits: 56, mode: 'CBC' };
  const rc4 = /^RC4_(\d+)/.exec(cipherPart);
  if (rc4) return { cipher: 'RC4', bits: Number(rc4[1]), mode: 'stream' };
  if (cipherPart.startsWith('RC2'))
    return { cipher: 'RC2', bits: cipherPart.includes('_40') ? 40 : 56, mode: 'CBC' };
  const block = /^(AES|CAMELLIA|ARIA)_(\d+)_(GCM|CCM_8|CCM|CBC)/.exec(cipherPart);
  if (block) return { cipher: block[1] as string, bits: Number(block[2]), mode: block[3] as 'GCM' };
  if (/^(IDEA|SEED)/.test(cipherPart))
    return { cipher: cipherPart.slice(0, 4), bits: 128, mode: 'CBC' };
  if (cipherPart.startsWith('SM4'))
    return { cipher: 'SM4', bits: 128, mode: cipherPart.includes('GCM') ? 'GCM' : 'CCM' };
  if (cipherPart.startsWith('AEGIS'))
    return { cipher: 'AEGIS', bits: cipherPart.includes('256') ? 256 : 128, mode: 'other' };
  return {
    cipher: cipherPart.replace(/_.*/, ''),
    bits: 256,
    mode: cipherPart.includes('MGM') ? 'MGM' : 'other',
  };
}
