import { formatIp, fromBase64, fromHex, Name, parseIp, toBase64, toHex } from '../../base/index.js';
import { fromBase32hex, toBase32hex } from './base32hex.js';
import { encodeTypeBitmap } from './rdata.js';
import { RRType, typeName, typeNumber } from './types-registry.js';
import { MalformedDns, type WireReader } from './wire-reader.js';

/** One token of presentation form: its octets, and whether it was quoted. */
export interface Token {
  readonly text: string;
  readonly quoted: boolean;
}

/** Returns tokens one by one; throws {@link MalformedDns} after the last one. */
export interface Tokens {
  next(what: string): Token;
  readonly left: number;
}

/** The conversion of one field of RDATA from and to text. */
export interface Field {
  /** Reads the field from text into wire format. Throws {@link MalformedDns}. */
  parse(tokens: Tokens, origin: Name): Uint8Array;
  /** Reads the field from wire format into text. Throws {@link MalformedDns}. */
  format(wireReader: WireReader): string;
}

/**
 * Returns the format of an unsigned decimal number of one, two or four octets, most
 * significant octet first.
 */
function number(octets: 1 | 2 | 4): Field {
  return {
    parse(tokens) {
      const { text } = tokens.next('a number');
      const value = Number(text);
      if (!/^\d{1,10}$/.test(text) || value >= 256 ** octets)
        throw new MalformedDns(`not a number of ${octets} octets: ${text}`);
      return Uint8Array.from(
        { length: octets },
        (_, index) => Math.floor(value / 256 ** (octets - 1 - index)) & 255,
      );
    },
    format(wireReader) {
      if (octets === 1) return String(wireReader.uint8());
      return String(octets === 2 ? wireReader.uint16() : wireReader.uint32());
    },
  };
}

/**
 * Returns the format of a binary field up to the end of RDATA, in hexadecimal or base64.
 * White space inside the field is ignored, so all remaining tokens are joined
 * (RFC 4034 §2.2, §5.3).
 */
function restOf(
  parse: (sourceText: string) => Uint8Array | undefined,
  format: (wireBytes: Uint8Array) => string,
  what: string,
): Field {
  return {
    parse(tokens) {
      let sourceText = '';
      while (tokens.left > 0) sourceText += tokens.next(what).text;
      const wireBytes = parse(sourceText);
      if (!wireBytes) throw new MalformedDns(`not ${what}`);
      return wireBytes;
    },
    format: (wireReader) => format(wireReader.rest()),
  };
}

/**
 * Returns the format of a binary field with a length prefix of one octet. `-` is the
 * empty field, as RFC 5155 §3.3 writes an empty salt.
 */
function counted(
  parse: (sourceText: string) => Uint8Array | undefined,
  format: (wireBytes: Uint8Array) => string,
): Field {
  return {
    parse(tokens) {
      const { text } = tokens.next('octets');
      const wireBytes = text === '-' ? new Uint8Array(0) : parse(text);
      if (!wireBytes || wireBytes.length > 255) throw new MalformedDns(`not octets: ${text}`);
      return Uint8Array.of(wireBytes.length, ...wireBytes);
    },
    format(wireReader) {
      const wireBytes = wireReader.string();
      if (wireBytes.length === 0) return '-';
      return format(wireBytes);
    },
  };
}

/**
 * One character string of at most 255 octets, quoted when it is written (RFC 1035 §3.3).
 */
const text: Field = {
  parse(tokens) {
    const wireBytes = unescape(tokens.next('a character string').text);
    if (wireBytes.length > 255) throw new MalformedDns('character string longer than 255 octets');
    return Uint8Array.of(wireBytes.length, ...wireBytes);
  },
  format: (wireReader) => quote(wireReader.string()),
};

/** One or more character strings up to the end of RDATA, as in TXT (RFC 1035 §3.3.14). */
const texts: Field = {
  parse(tokens, origin) {
    const parts: number[] = [];
    do parts.push(...text.parse(tokens, origin));
    while (tokens.left > 0);
    return Uint8Array.from(parts);
  },
  format(wireReader) {
    const parts: string[] = [];
    do parts.push(quote(wireReader.string()));
    while (wireReader.left > 0);
    return parts.join(' ');
  },
};

/** A domain name. The written form is absolute. */
const name: Field = {
  parse: (tokens, origin) => parseName(tokens.next('a name').text, origin).wire,
  format: (wireReader) => dotted(wireReader.name()),
};

/** Returns the format of an IPv4 address of four octets or an IPv6 address of sixteen. */
const address: (family: 4 | 6) => Field = (family) => ({
  parse(tokens) {
    const { text: literal } = tokens.next('an address');
    const address = parseIp(literal);
    if (address?.family !== family)
      throw new MalformedDns(`not an IPv${family} address: ${literal}`);
    return address.bytes;
  },
  format: (wireReader) => formatIp({ family, bytes: wireReader.takeBytes(family === 4 ? 4 : 16) }),
});

/** A record type: a mnemonic, or `TYPE65280` (RFC 3597 §5). */
const type: Field = {
  parse(tokens) {
    const value = typeNumber(tokens.next('a type').text);
    if (value === undefined) throw new MalformedDns('not a type');
    return Uint8Array.of(value >> 8, value & 255);
  },
  format: (wireReader) => typeName(wireReader.uint16()),
};

/** DNSSEC algorithms by mnemonic (RFC 4034 appendix A.1, IANA registry). */
const algorithms: Readonly<Record<string, number>> = {
  RSAMD5: 1,
  DH: 2,
  DSA: 3,
  RSASHA1: 5,
  'DSA-NSEC3-SHA1': 6,
  'RSASHA1-NSEC3-SHA1': 7,
  RSASHA256: 8,
  RSASHA512: 10,
  ECDSAP256SHA256: 13,
  ECDSAP384SHA384: 14,
  ED25519: 15,
  ED448: 16,
};

/** A DNSSEC algorithm: read as number or mnemonic, written as number (RFC 4034 §2.2). */
const algorithm: Field = {
  parse(tokens, origin) {
    const word = tokens.next('an algorithm').text;
    const value = algorithms[word.toUpperCase()];
    if (value === undefined)
      return number(1).parse({ next: () => ({ text: word, quoted: false }), left: 1 }, origin);
    return Uint8Array.of(value);
  },
  format: (wireReader) => String(wireReader.uint8()),
};

/** YYYYMMDDHHmmSS, or plain seconds (RFC 4034 §3.2). */
const time: Field = {
  parse(tokens) {
    const { text: value } = tokens.next('a time');
    const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(value)?.slice(1).map(Number);
    const seconds = parts
      ? Date.UTC(
          parts[0] as number,
          (parts[1] as number) - 1,
          parts[2],
          parts[3],
          parts[4],
          parts[5],
        ) / 1000
      : Number(value);
    if (!/^\d{1,14}$/.test(value)) throw new MalformedDns(`not a time: ${value}`);
    return Uint8Array.from([24, 16, 8, 0], (shift) => Math.floor(seconds / 2 ** shift) & 255);
  },
  format: (wireReader) =>
    new Date(wireReader.uint32() * 1000).toISOString().replace(/[-:T]|\..*$/g, ''),
};

/** A type bitmap, written as the list of its types (RFC 4034 §4.2, RFC 5155 §3.3). */
const bitmap: Field = {
  parse(tokens) {
    const types: number[] = [];
    while (tokens.left > 0) {
      const value = typeNumber(tokens.next('a type').text);
      if (value === undefined) throw new MalformedDns('not a type');
      types.push(value);
    }
    return encodeTypeBitmap(types);
  },
  format(wireReader) {
    const found: string[] = [];
    while (wireReader.left > 0) {
      const window = wireReader.uint8();
      wireReader.string().forEach((octet, index) => {
        for (let bit = 0; bit < 8; bit++)
          if (octet & (0x80 >> bit)) found.push(typeName(window * 256 + index * 8 + bit));
      });
    }
    return found.join(' ');
  },
};

/** The digest of DS and TLSA records. */
const hex = restOf(fromHex, toHex, 'hexadecimal');
const base64 = restOf(fromBase64, toBase64, 'base64');
const [uint8, uint16, uint32] = [number(1), number(2), number(4)];

/**
 * The fields of each type that has its own presentation form. All other types use the
 * form of RFC 3597.
 *
 * Each list is the RDATA of its type from the first octet to the last.
 */
export const fieldFormats: ReadonlyMap<number, readonly Field[]> = new Map<
  number,
  readonly Field[]
>([
  [RRType.A, [address(4)]],
  [RRType.AAAA, [address(6)]],
  [RRType.NS, [name]],
  [RRType.CNAME, [name]],
  [RRType.DNAME, [name]],
  [RRType.PTR, [name]],
  [RRType.SOA, [name, name, uint32, uint32, uint32, uint32, uint32]],
  [RRType.MX, [uint16, name]],
  [RRType.KX, [uint16, name]],
  [RRType.AFSDB, [uint16, name]],
  [RRType.RP, [name, name]],
  [RRType.TXT, [texts]],
  [RRType.SPF, [texts]],
  [RRType.HINFO, [text, text]],
  [RRType.SRV, [uint16, uint16, uint16, name]],
  [RRType.NAPTR, [uint16, uint16, text, text, text, name]],
  [
    RRType.CAA,
    [
      uint8,
      text,
      {
        parse: (tokens) => unescape(tokens.next('a value').text),
        format: (wireReader) => quote(wireReader.rest()),
      },
    ],
  ],
  [RRType.DS, [uint16, algorithm, uint8, hex]],
  [RRType.CDS, [uint16, algorithm, uint8, hex]],
  [RRType.DNSKEY, [uint16, uint8, algorithm, base64]],
  [RRType.CDNSKEY, [uint16, uint8, algorithm, base64]],
  [RRType.SSHFP, [uint8, uint8, hex]],
  [RRType.TLSA, [uint8, uint8, uint8, hex]],
  [RRType.RRSIG, [type, algorithm, uint8, uint32, time, time, uint16, name, base64]],
  [RRType.SIG, [type, algorithm, uint8, uint32, time, time, uint16, name, base64]],
  [RRType.NSEC, [name, bitmap]],
  [
    RRType.NSEC3,
    [uint8, uint8, uint16, counted(fromHex, toHex), counted(fromBase32hex, toBase32hex), bitmap],
  ],
  [RRType.NSEC3PARAM, [uint8, uint8, uint16, counted(fromHex, toHex)]],
]);

/**
 * Parses a name in a record's text: relative to the origin unless it ends in a dot; `@`
 * is the origin.
 */
export function parseName(written: string, origin: Name): Name {
  if (written === '@') return origin;
  const parsed = Name.parse(written);
  if (!parsed.ok) throw new MalformedDns(`not a name: ${written}`);
  if (/(^|[^\\])(\\\\)*\.$/.test(written)) return parsed.value;
  const full = Name.fromLabels([...parsed.value.labels, ...origin.labels]);
  if (!full.ok) throw new MalformedDns(`name too long: ${written}`);
  return full.value;
}

/** Returns the name with its final dot: absolute for every origin. */
export function dotted(domainName: Name): string {
  if (domainName.isRoot) return '.';
  return `${domainName.toString()}.`;
}

/**
 * Resolves the escapes of RFC 1035 §5.1: `\DDD` is the octet with that decimal value, and
 * `\X` is X itself.
 */
function unescape(written: string): Uint8Array {
  const output: number[] = [];
  const wireBytes = Buffer.from(written, 'utf8');
  for (let index = 0; index < wireBytes.length; index++) {
    const digits = wireBytes.subarray(index + 1, index + 4).toString('latin1');
    if (wireBytes[index] !== 0x5c) output.push(wireBytes[index] as number);
    else if (/^\d{3}$/.test(digits) && Number(digits) < 256) {
      output.push(Number(digits));
      index += 3;
    } else output.push(wireBytes[++index] ?? 0x5c);
  }
  return Uint8Array.from(output);
}

/**
 * Returns octets as a quoted string. Everything outside printable ASCII is escaped, so
 * that the text is safe in a terminal and in a zone file.
 */
function quote(wireBytes: Uint8Array): string {
  let output = '';
  for (const octet of wireBytes) {
    if (octet === 0x22 || octet === 0x5c) output += `\\${String.fromCharCode(octet)}`;
    else
      output +=
        octet >= 0x20 && octet < 0x7f
          ? String.fromCharCode(octet)
          : `\\${String(octet).padStart(3, '0')}`;
  }
  return `"${output}"`;
}
