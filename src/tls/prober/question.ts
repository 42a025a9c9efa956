import {
  groupTable,
  ProtocolVersion,
  signatureSchemeTable,
  suites,
  suitesWhere,
  type ClientHello,
  type Suite,
} from '../wire/index.js';

export type OldVersion = 'SSLv3' | 'TLSv1' | 'TLSv1.1';
export type HelloVersion = OldVersion | 'TLSv1.2' | 'TLSv1.3';

/**
 * The purpose of a hello. Several records of a log may share a topic: the suites of a
 * version are enumerated by repeating the question without the suites already found.
 * `set:`, `groups:` and `signatures:` topics ask "any of these?" for a profile: one
 * refusal applies to the whole set.
 */
export type QuestionTopic =
  | 'tls13'
  | 'ecdsa'
  | 'tls12'
  | `highest:${OldVersion}`
  | `suites:${OldVersion}`
  | `order:${HelloVersion}`
  | `set:${string}`
  | `groups:${string}`
  | `signatures:${string}`
  | 'dhe';

/** The question of one connection: the content of the hello without its random octets. */
export type TlsQuestion =
  | {
      readonly kind: 'hello';
      readonly topic: QuestionTopic;
      readonly version: HelloVersion;
      readonly suites: readonly number[];
      readonly groups: readonly number[];
      readonly schemes: readonly number[];
      /**
       * Octets of the record, if the hello is as large as the hellos of current TLS
       * libraries.
       */
      readonly octets?: number;
      /** Number of TCP segments of the hello. Default: one write. */
      readonly segments?: 2;
      /**
       * Whether the hello has a key share for X25519MLKEM768, as senders with OpenSSL 3.5
       * send it.
       */
      readonly keyShare?: true;
    }
  | { readonly kind: 'ssl2' }
  /** The recorded hello of a sender, by its id. */
  | { readonly kind: 'sender'; readonly sender: string }
  /**
   * A completed handshake. With one kind of server key only, the handshake obtains the
   * other certificate in TLS 1.3.
   */
  | { readonly kind: 'handshake'; readonly authentication: 'RSA' | 'ECDSA' | 'any' };

const usable = (cipherSuite: Suite): boolean =>
  !cipherSuite.tls13 &&
  !['PSK', 'SRP', 'KRB5'].includes(cipherSuite.keyExchange) &&
  cipherSuite.authentication !== 'PSK';

/** Newest first. */
export const newestFirst: readonly HelloVersion[] = [
  'TLSv1.3',
  'TLSv1.2',
  'TLSv1.1',
  'TLSv1',
  'SSLv3',
];

/**
 * Suites of TLS 1.2 and earlier that a server can choose without a pre-shared key. Best
 * and most common first: a server that follows the client's order shows its best suite,
 * and a server that reads only the start of a long list still reads every suite in use.
 */
export const suites12: readonly number[] = [...suitesWhere(usable)].sort(
  (left, right) => worth(right) - worth(left),
);
export const ecdsa12: readonly number[] = only(
  suites12,
  (cipherSuite) => cipherSuite.authentication === 'ECDSA',
);
export const rsa12: readonly number[] = only(
  suites12,
  (cipherSuite) => cipherSuite.authentication === 'RSA',
);
export const suites13: readonly number[] = suitesWhere((cipherSuite) => cipherSuite.tls13);
/** AEAD and SHA-2 suites do not exist before TLS 1.2 (RFC 5246 §A.5). */
export const suitesOld: readonly number[] = only(
  suites12,
  (cipherSuite) =>
    ['CBC', 'stream', 'NULL'].includes(cipherSuite.mode) &&
    !/^SHA(256|384)$/.test(cipherSuite.hash),
);

export const groups13: readonly number[] = groupTable
  .filter((group) => group.codePoint !== 26 && group.codePoint !== 27 && group.codePoint !== 28)
  .map((group) => group.codePoint);
/**
 * Curves only: offering RFC 7919 groups would hide the finite-field group that a server
 * uses by default.
 */
export const groups12: readonly number[] = groupTable
  .filter((group) => group.tls12 && group.kind === 'ec')
  .map((group) => group.codePoint);
export const finiteFields: readonly number[] = groupTable
  .filter((group) => group.kind === 'ffdhe')
  .map((group) => group.codePoint);
export const allSchemes: readonly number[] = signatureSchemeTable.map(([codePoint]) => codePoint);

function worth(codePoint: number): number {
  const { mode, forwardSecrecy, authentication, cipher, bits } = suites.get(codePoint) as Suite;
  const aead = ['GCM', 'CCM', 'CCM_8', 'POLY1305'].includes(mode);
  const common = ['ARIA', 'SEED', 'IDEA', 'CAMELLIA', 'CHACHA20', 'AES'].indexOf(cipher);
  return (
    (bits >= 128 ? 0 : -400) +
    (authentication === 'RSA' || authentication === 'ECDSA' ? 0 : -200) +
    (forwardSecrecy ? 100 : 0) +
    (aead ? 50 : 0) +
    (mode === 'CCM_8' ? -10 : 0) +
    common
  );
}

/** Narrows a list of suites. */
export function only(
  list: readonly number[],
  wanted: (cipherSuite: Suite) => boolean,
): readonly number[] {
  return list.filter((codePoint) => wanted(suites.get(codePoint) as Suite));
}

/**
 * Returns the list with a different suite in front, if it has one. OpenSSL has an option
 * to follow the client's order only if the client prefers ChaCha20.
 */
export function chaChaLater(list: readonly number[]): readonly number[] {
  const position = list.findIndex((codePoint) => suites.get(codePoint)?.cipher !== 'CHACHA20');
  if (position <= 0) return list;
  return [list[position] as number, ...list.slice(0, position), ...list.slice(position + 1)];
}

/**
 * Returns the hello that asks a question. `random` contains 64 octets for the random and
 * the session id.
 */
export function helloFor(
  question: Extract<TlsQuestion, { kind: 'hello' }>,
  random: Uint8Array,
  serverName: string,
): ClientHello {
  const maxVersion = ProtocolVersion[question.version];
  const tls13 = question.version === 'TLSv1.3';
  return {
    maxVersion,
    suites: question.suites,
    groups: question.groups,
    signatureSchemes: maxVersion >= ProtocolVersion['TLSv1.2'] ? question.schemes : [],
    serverName,
    random: random.subarray(0, 32),
    versions: tls13 ? [maxVersion] : undefined,
    sessionId: tls13 ? random.subarray(32, 64) : undefined,
    compression: tls13 ? undefined : [1, 0],
    bare: question.version === 'SSLv3',
    octets: question.octets,
  };
}
