import { encodeUnsigned, vector } from './byte-reader.js';

/** Wire numbers of the versions: major and minor number, one octet each. */
export const ProtocolVersion = {
  SSLv2: 0x0002,
  SSLv3: 0x0300,
  TLSv1: 0x0301,
  'TLSv1.1': 0x0302,
  'TLSv1.2': 0x0303,
  'TLSv1.3': 0x0304,
} as const;

/** Extension types used here (IANA "TLS ExtensionType Values"). */
export const Extension = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  padding: 21,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  sessionTicket: 35,
  preSharedKey: 41,
  supportedVersions: 43,
  cookie: 44,
  pskModes: 45,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

/** A ClientHello that the planner requests. Lists keep their order. */
export interface ClientHello {
  /**
   * Highest offered version, as a wire number. With TLS 1.3, supported_versions contains
   * the older versions.
   */
  readonly maxVersion: number;
  /** supported_versions, for TLS 1.3 only: the offer, best first. */
  readonly versions?: readonly number[];
  /** Cipher suites by code point, most preferred first. */
  readonly suites: readonly number[];
  /** supported_groups by code point; if absent, the hello has no such extension. */
  readonly groups?: readonly number[];
  /** signature_algorithms by code point; if absent, the hello has no such extension. */
  readonly signatureSchemes?: readonly number[];
  /** Host name for SNI, A-labels only (RFC 6066 §3). */
  readonly serverName?: string;
  /** Compression methods: 0 null, 1 deflate (RFC 3749). Default: null only. */
  readonly compression?: readonly number[];
  /** Random of the hello, 32 octets. */
  readonly random: Uint8Array;
  /**
   * Session id of up to 32 octets; TLS 1.3 sends one for compatibility with middleboxes
   * (RFC 9846 §E.4).
   */
  readonly sessionId?: Uint8Array;
  /** Whether to omit all extensions, for servers as old as SSLv3. */
  readonly bare?: boolean;
  /** Octets of the whole record: the padding extension (RFC 7685) fills the rest. */
  readonly octets?: number;
  /** key_share, for TLS 1.3 only. Default: an empty list. */
  readonly keyShares?: readonly KeyShare[];
}

/** The public value of a client for one group (RFC 9846 §4.3.8). */
export interface KeyShare {
  readonly group: number;
  readonly key: Uint8Array;
}

/**
 * Returns the TLS record that contains the ClientHello. In TLS 1.3 the key_share list is
 * empty by default, so the server must answer with HelloRetryRequest (RFC 9846 §4.3.8),
 * which names the chosen suite and group, and the client needs no key.
 *
 *   octets   field
 *   1        record type: 22 handshake
 *   2        record version: 3.1, or 3.0 when SSLv3 is the highest that is offered
 *   2        length of the fragment
 *   1        handshake type: 1 client_hello
 *   3        length of the message
 *   2        legacy_version: at most TLS 1.2
 *   32       random
 *   1 + n    legacy_session_id
 *   2 + n    cipher_suites, two octets each
 *   1 + n    compression methods
 *   2 + n    extensions; omitted with `bare`
 *
 * The result is one record. With `octets`, the padding extension extends the record to
 * that size.
 */
export function buildClientHello(clientHello: ClientHello): Uint8Array {
  const wireBytes = recordOf(clientHello, undefined);
  const missing = (clientHello.octets ?? 0) - wireBytes.length - PADDING_HEADER;
  if (missing < 0 || clientHello.bare) return wireBytes;
  return recordOf(clientHello, missing);
}

/** Type and length of the extension. */
const PADDING_HEADER = 4;

/** Builds the record; `padding` is the content of the padding extension in octets. */
function recordOf(clientHello: ClientHello, padding: number | undefined): Uint8Array {
  const legacy = Math.min(clientHello.maxVersion, ProtocolVersion['TLSv1.2']);
  const body = [
    ...encodeUnsigned(legacy, 2),
    ...clientHello.random,
    ...vector(1, [...(clientHello.sessionId ?? [])]),
    ...vector(
      2,
      clientHello.suites.flatMap((codePoint) => encodeUnsigned(codePoint, 2)),
    ),
    ...vector(1, [...(clientHello.compression ?? [0])]),
    ...(clientHello.bare ? [] : vector(2, extensionsOf(clientHello, padding))),
  ];
  const handshake = [1, ...vector(3, body)];
  // RFC 9846 §5.1, RFC 5246 §E.1: every server accepts a first record of version 3.1.
  return Uint8Array.from([
    22,
    ...encodeUnsigned(Math.min(legacy, ProtocolVersion.TLSv1), 2),
    ...vector(2, handshake),
  ]);
}

/**
 * Builds the extensions in a fixed order. Each is:
 *
 *   octets   field
 *   2        type
 *   2 + n    content, with its length
 *
 *   extension              content
 *   server_name            list (2): type 0, name (2)
 *   supported_groups       list (2) of code points
 *   ec_point_formats       list (1): 0 uncompressed
 *   signature_algorithms   list (2) of code points
 *   status_request         type 1 ocsp, two empty lists (2, 2)
 *   renegotiation_info     an empty verify_data (1)
 *   supported_versions     list (1) of versions
 *   psk_key_exchange_modes list (1): 1 psk_dhe_ke
 *   key_share              list (2) of group and key (2)
 *
 * A number in brackets is the size of a length prefix in octets.
 */
function extensionsOf(clientHello: ClientHello, padding: number | undefined): number[] {
  const output: number[] = [];
  const addExtension = (messageType: number, content: readonly number[]): void =>
    void output.push(...encodeUnsigned(messageType, 2), ...vector(2, content));
  if (clientHello.serverName)
    addExtension(
      Extension.serverName,
      vector(2, [0, ...vector(2, [...Buffer.from(clientHello.serverName, 'latin1')])]),
    );
  if (clientHello.groups?.length) {
    addExtension(
      Extension.supportedGroups,
      vector(
        2,
        clientHello.groups.flatMap((codePoint) => encodeUnsigned(codePoint, 2)),
      ),
    );
    // RFC 4492 §5.1 asks clients to send this extension, so old servers may expect it.
    addExtension(Extension.ecPointFormats, vector(1, [0]));
  }
  if (clientHello.signatureSchemes?.length)
    addExtension(
      Extension.signatureAlgorithms,
      vector(
        2,
        clientHello.signatureSchemes.flatMap((codePoint) => encodeUnsigned(codePoint, 2)),
      ),
    );
  addExtension(Extension.statusRequest, [1, 0, 0, 0, 0]);
  addExtension(Extension.encryptThenMac, []);
  addExtension(Extension.extendedMasterSecret, []);
  addExtension(Extension.sessionTicket, []);
  addExtension(Extension.renegotiationInfo, [0]);
  if (clientHello.versions?.length) {
    addExtension(
      Extension.supportedVersions,
      vector(
        1,
        clientHello.versions.flatMap((version) => encodeUnsigned(version, 2)),
      ),
    );
    addExtension(Extension.pskModes, vector(1, [1]));
    const shares = clientHello.keyShares ?? [];
    addExtension(Extension.keyShare, vector(2, shares.flatMap(keyShareEntry)));
  }
  if (padding !== undefined) addExtension(Extension.padding, Array<number>(padding).fill(0));
  return output;
}

/** Encodes one entry of key_share: group (2), key (2). */
function keyShareEntry({ group, key }: KeyShare): number[] {
  return [...encodeUnsigned(group, 2), ...vector(2, [...key])];
}
