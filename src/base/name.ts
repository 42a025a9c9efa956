import { domainToASCII } from 'node:url';
import { fail, ok, type Result } from './result.js';
import { defineFailures } from './failure.js';

const MAX_WIRE = 255;
const MAX_LABEL = 63;
const scratch = Buffer.alloc(MAX_WIRE);

/** The reason why a text is not a domain name. */
export const nameFailures = defineFailures({
  'name-empty': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §2.3.4',
    message: 'The domain name is empty.',
    fix: 'Give a domain name such as example.com.',
  },
  'name-empty-label': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §3.1',
    message: 'The name has two adjacent dots, or begins with a dot.',
    fix: 'Remove the extra dot.',
  },
  'name-label-too-long': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §2.3.4',
    message: 'A label is longer than 63 octets.',
    fix: 'Check the spelling of the name.',
  },
  'name-too-long': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §2.3.4',
    message: 'The name is longer than 255 octets.',
    fix: 'Check the spelling of the name.',
  },
  'name-bad-escape': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §5.1',
    message: 'A backslash precedes neither a character nor three digits up to 255.',
    fix: 'Correct the escape.',
  },
  'name-not-a-domain': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 5891 §4',
    message: 'This is not a valid domain name for mail.',
    fix: 'Give the part after the @ of a mail address.',
  },
});

/**
 * A domain name as the DNS defines it: up to 127 labels of arbitrary octets, stored in
 * uncompressed wire form with the case as received. Comparisons ignore the case of ASCII
 * letters only (RFC 4343).
 */
export class Name {
  /** Uncompressed wire form, the root label included. */
  readonly wire: Uint8Array;
  /**
   * Wire form in lower case, one character per octet: the key for maps and comparisons.
   */
  readonly key: string;
  static readonly root: Name = new Name(new Uint8Array(1));
  #labels: readonly Uint8Array[] | undefined;

  private constructor(wire: Uint8Array, key = lowerLatin1(wire)) {
    this.wire = wire;
    this.key = key;
  }

  /**
   * Wraps an uncompressed wire form that the caller has verified to be well-formed, as
   * the DNS codec does. The bytes are not copied.
   */
  static fromWire(wire: Uint8Array): Name {
    return new Name(wire);
  }

  /** Builds a name from labels without the root label. */
  static fromLabels(labels: readonly Uint8Array[]): Result<Name> {
    let length = 1;
    for (const label of labels) {
      if (label.length === 0) return fail(nameFailures.make('name-empty-label'));
      if (label.length > MAX_LABEL)
        return fail(nameFailures.make('name-label-too-long', `${label.length} octets`));
      length += label.length + 1;
    }
    if (length > MAX_WIRE) return fail(nameFailures.make('name-too-long', `${length} octets`));
    const wire = new Uint8Array(length);
    let offset = 0;
    for (const label of labels) {
      wire[offset++] = label.length;
      wire.set(label, offset);
      offset += label.length;
    }
    return ok(new Name(wire));
  }

  /**
   * Parses presentation form (RFC 1035 §5.1): `\.`, `\\` and `\DDD` escapes, optional
   * final dot, `.` for the root. The function does not apply IDNA: see
   * {@link parseDomain}.
   */
  static parse(sourceText: string): Result<Name> {
    if (sourceText === '') return fail(nameFailures.make('name-empty'));
    if (sourceText === '.') return ok(Name.root);
    const labels: Uint8Array[] = [];
    let label: number[] = [];
    const bytes = Buffer.from(sourceText, 'utf8');
    for (let index = 0; index < bytes.length; index++) {
      let octet = bytes[index] as number;
      if (octet === 0x2e) {
        labels.push(Uint8Array.from(label));
        label = [];
        continue;
      }
      if (octet === 0x5c) {
        const digits = bytes.subarray(index + 1, index + 4).toString('latin1');
        if (/^[0-9]{3}$/.test(digits) && Number(digits) < 256) {
          octet = Number(digits);
          index += 3;
        } else if (index + 1 < bytes.length && !/^[0-9]/.test(digits)) {
          octet = bytes[++index] as number;
        } else return fail(nameFailures.make('name-bad-escape'));
      }
      label.push(octet);
    }
    if (label.length > 0) labels.push(Uint8Array.from(label));
    return Name.fromLabels(labels);
  }

  /**
   * Parses a name that is a literal in this source. Throws TypeError for an invalid name,
   * which is a programming error.
   */
  static of(sourceText: string): Name {
    const parsed = Name.parse(sourceText);
    if (!parsed.ok)
      throw new TypeError(`not a domain name: ${sourceText} (${parsed.failure.code})`);
    return parsed.value;
  }

  /**
   * The labels from left to right, the root label not included. The labels are views of
   * {@link wire}.
   */
  get labels(): readonly Uint8Array[] {
    if (this.#labels) return this.#labels;
    const labels: Uint8Array[] = [];
    for (let offset = 0; ;) {
      const length = this.wire[offset] as number;
      if (length === 0) break;
      labels.push(this.wire.subarray(offset + 1, offset + 1 + length));
      offset += 1 + length;
    }
    return (this.#labels = labels);
  }

  /** The number of labels without the root label, counted without building a list. */
  get labelCount(): number {
    let count = 0;
    for (let offset = 0; this.wire[offset] !== 0; count++)
      offset += 1 + (this.wire[offset] as number);
    return count;
  }

  get isRoot(): boolean {
    return this.wire.length === 1;
  }

  /** True when the left-most label is `*` (RFC 4592). */
  get isWildcard(): boolean {
    return this.wire[0] === 1 && this.wire[1] === 0x2a;
  }

  /** The name without its left-most label; the root is its own parent. */
  get parent(): Name {
    if (this.isRoot) return this;
    return this.tail(1 + (this.wire[0] as number));
  }

  /** Returns the right-most `count` labels. */
  suffix(count: number): Name {
    const extra = this.labelCount - count;
    if (extra <= 0) return this;
    let offset = 0;
    for (let index = 0; index < extra; index++) offset += 1 + (this.wire[offset] as number);
    return this.tail(offset);
  }

  private tail(offset: number): Name {
    return new Name(this.wire.subarray(offset), this.key.slice(offset));
  }

  equals(other: Name): boolean {
    return this.key === other.key;
  }

  /** Returns true for `ancestor` itself and everything below it. */
  isAtOrBelow(ancestor: Name): boolean {
    const extra = this.wire.length - ancestor.wire.length;
    if (extra < 0 || !this.key.endsWith(ancestor.key)) return false;
    let offset = 0;
    while (offset < extra) offset += 1 + (this.wire[offset] as number);
    return offset === extra;
  }

  /**
   * Returns the name with further labels on the left, written in presentation form:
   * `mx.prepend('_25._tcp')`.
   */
  prepend(sourceText: string): Result<Name> {
    const front = Name.parse(sourceText);
    if (front.ok) return Name.fromLabels([...front.value.labels, ...this.labels]);
    return front;
  }

  /**
   * Returns the text of the name. Presentation form without the final dot (`.` for the
   * root); octets that are not printable ASCII as `\DDD`.
   */
  toString(): string {
    if (this.isRoot) return '.';
    return this.labels.map(escapeLabel).join('.');
  }

  /**
   * Returns the presentation form in lower case: the form in records, reports and
   * evidence.
   */
  toLower(): string {
    return Name.fromWire(Buffer.from(this.key, 'latin1')).toString();
  }

  toJSON(): string {
    return this.toString();
  }
}

/**
 * Parses a mail domain as an operator types it. U-labels become A-labels (UTS 46),
 * letters become lower case, one final dot is removed. IP literals, underscores, e-mail
 * addresses, URLs and names beyond the DNS limits of 63 and 255 octets are failures.
 */
export function parseDomain(sourceText: string): Result<Name> {
  const trimmed = sourceText.trim().replace(/[.\u3002]$/u, '');
  if (trimmed === '') return fail(nameFailures.make('name-empty'));
  if (/^\[?[0-9.]+\]?$/.test(trimmed) || trimmed.includes(':'))
    return fail(nameFailures.make('name-not-a-domain', 'an IP address or URL, not a domain name'));
  if (/[@/\s\\_*?#%]/.test(trimmed))
    return fail(
      nameFailures.make('name-not-a-domain', 'a character that is not allowed in host names'),
    );
  if (/^\.|\.\.|\.$/.test(trimmed)) return fail(nameFailures.make('name-empty-label'));
  // domainToASCII returns '' for every invalid name, so the length is checked first to
  // report the cause.
  for (const label of trimmed.split('.')) {
    if (/^[\x20-\x7e]*$/.test(label) && label.length > MAX_LABEL)
      return fail(nameFailures.make('name-label-too-long', `${label.length} octets`));
  }
  if (/^[\x20-\x7e]*$/.test(trimmed) && trimmed.length > MAX_WIRE - 2)
    return fail(nameFailures.make('name-too-long', `${trimmed.length + 2} octets`));
  const ascii = domainToASCII(trimmed).toLowerCase();
  if (
    ascii === '' ||
    !/^[a-z0-9.-]+$/.test(ascii) ||
    ascii.split('.').some((textLine) => /^-|-$/.test(textLine))
  ) {
    return fail(nameFailures.make('name-not-a-domain', 'not a valid internationalised host name'));
  }
  // A name that ends in a number would be parsed as an IPv4 address in an obsolete form
  // (`127.1`, `0x7f000001`), so it is not a domain name.
  if (/(^|\.)[0-9]+$/.test(ascii))
    return fail(nameFailures.make('name-not-a-domain', 'an IP address or URL, not a domain name'));
  return Name.parse(ascii);
}

function lowerLatin1(wire: Uint8Array): string {
  // Length octets are at most 63, below 'A' (65), so lower-casing every octet of the wire
  // form is safe.
  const { length } = wire;
  for (let index = 0; index < length; index++) {
    const octet = wire[index] as number;
    scratch[index] = octet >= 0x41 && octet <= 0x5a ? octet + 32 : octet;
  }
  return scratch.toString('latin1', 0, length);
}

function escapeLabel(label: Uint8Array): string {
  let escapedText = '';
  for (const octet of label) {
    if (octet === 0x2e || octet === 0x5c) escapedText += `\\${String.fromCharCode(octet)}`;
    else if (octet > 0x20 && octet < 0x7f) escapedText += String.fromCharCode(octet);
    else escapedText += `\\${String(octet).padStart(3, '0')}`;
  }
  return escapedText;
}
