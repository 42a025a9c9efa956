import { formatIp, toHex } from '../base/index.js';
import { joinRdns, type DirectoryName } from './directory-name.js';
import { NameForm, type GeneralName } from './general-name.js';
import type { Certificate, NameConstraints } from './types.js';

/**
 * otherName of a mailbox with a non-ASCII local part: rfc822Name constraints also bind it
 * (RFC 9598 §6).
 */
const SMTP_UTF8_MAILBOX = '1.3.6.1.5.5.7.8.9';

/**
 * Subtrees as sets of keys. Every name has few keys that could be in a set (its parent
 * domains, its masks, its leading RDNs), so the cost of a name does not depend on the
 * number of subtrees.
 */
interface Subtrees {
  /** Name forms that occur in the subtrees. */
  readonly forms: ReadonlySet<number>;
  readonly keys: ReadonlySet<string>;
  /**
   * Forms with a base that violates the form's grammar. A malformed base permits nothing
   * and excludes everything.
   */
  readonly malformed: ReadonlySet<number>;
  /** The masks of the iPAddress bases, in hex. */
  readonly masks: ReadonlySet<string>;
}

/** Name constraints prepared for many certificates. */
interface Compiled {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
  /**
   * The verdicts on certificates, since the same pair of issuer and certificate occurs in
   * many paths.
   */
  readonly verdicts: WeakMap<Certificate, boolean>;
}

/**
 * Compiled constraints, by the parsed constraints of the issuer, so that each is compiled
 * once.
 */
const compiled = new WeakMap<NameConstraints, Compiled>();

/**
 * Returns true when every name of `certificate` is one that its CA may certify
 * (RFC 5280 §4.2.1.10 [5280-4.2.1.10-1, 5280-4.2.1.10-2]). A constraint that cannot be
 * processed refuses every certificate with a name of its form.
 */
export function namesPermitted(certificate: Certificate, constraints: NameConstraints): boolean {
  const { permitted, excluded, verdicts } = compile(constraints);
  const verdict =
    verdicts.get(certificate) ??
    namesOf(certificate).every((generalName) => allowed(generalName, permitted, excluded));
  verdicts.set(certificate, verdict);
  return verdict;
}

/**
 * Explains which name of `certificate` the constraints refuse; undefined if they
 * permit all of them.
 */
export function explainRefusedName(
  certificate: Certificate,
  constraints: NameConstraints,
): string | undefined {
  const { permitted, excluded } = compile(constraints);
  const refused = namesOf(certificate).find(
    (generalName) => !allowed(generalName, permitted, excluded),
  );
  if (!refused) return undefined;
  const form = formOf(refused);
  const bases = (generalNames: readonly GeneralName[], verb: string): string[] => {
    const same = generalNames.filter((generalName) => generalName.form === form).map(nameText);
    if (same.length > 0) return [`${verb} ${same.slice(0, MAX_SHOWN).join(', ')}`];
    return [];
  };
  const rules = [
    ...bases(constraints.permitted, 'permits'),
    ...bases(constraints.excluded, 'excludes'),
  ];
  return `nameConstraints ${rules.join(' and ')}, which refuses ${nameText(refused)}`;
}

/** Maximum number of constraints of each kind to show. */
const MAX_SHOWN = 3;
const MAX_SHOWN_LENGTH = 80;

/** Returns a name or base for messages, shortened. */
function nameText(generalName: GeneralName): string {
  switch (generalName.form) {
    case NameForm.dns:
    case NameForm.email:
    case NameForm.uri:
      return `"${generalName.text.slice(0, MAX_SHOWN_LENGTH)}"`;
    case NameForm.directory:
      return `"${generalName.directory.text.slice(0, MAX_SHOWN_LENGTH)}"`;
    case NameForm.ip:
      return ipText(generalName.octets);
    default:
      return 'a name of another form';
  }
}

/** Returns an address, or an address with its mask. */
function ipText(octets: Uint8Array): string {
  const one = (bytes: Uint8Array): string =>
    formatIp({ family: bytes.length === 4 ? 4 : 6, bytes });
  if (octets.length === 4 || octets.length === 16) return one(octets);
  const half = octets.length / 2;
  if (half !== 4 && half !== 16) return `an address of ${octets.length} octets`;
  return `${one(octets.subarray(0, half))} mask ${one(octets.subarray(half))}`;
}

/**
 * Names that constraints bind: subjectAltName, the subject, and emailAddress in the
 * subject.
 */
function namesOf({ altNames, subjectName }: Certificate): readonly GeneralName[] {
  const emails = subjectName.emails.map((text) => ({ form: NameForm.email, text }));
  const subject = { form: NameForm.directory, directory: subjectName };
  return [...altNames, ...emails, ...(subjectName.rdns.length > 0 ? [subject] : [])];
}

/**
 * Returns true if the constraints permit a name: the name is in a permitted subtree, if
 * its form has one, and in no excluded subtree. Names of other forms are not bound.
 */
function allowed(generalName: GeneralName, permitted: Subtrees, excluded: Subtrees): boolean {
  const form = formOf(generalName);
  const limited = permitted.forms.has(form);
  const barred = excluded.forms.has(form);
  if (!limited && !barred) return true;
  if (excluded.malformed.has(form)) return false;
  const inside = keysOf(generalName, permitted.masks);
  if (limited && !inside?.some((key) => permitted.keys.has(key))) return false;
  if (!barred) return true;
  const reached = keysOf(generalName, excluded.masks);
  return (
    reached !== undefined &&
    ![...reached, ...reachedBy(generalName)].some((key) => excluded.keys.has(key))
  );
}

/** Returns the form whose constraints bind a name. */
function formOf(generalName: GeneralName): number {
  if (generalName.form === NameForm.other && generalName.type === SMTP_UTF8_MAILBOX)
    return NameForm.email;
  return generalName.form;
}

/** Compiles constraints, or returns the compiled ones. */
function compile(constraints: NameConstraints): Compiled {
  const known = compiled.get(constraints);
  if (known) return known;
  const made = {
    permitted: subtrees(constraints.permitted, false),
    excluded: subtrees(constraints.excluded, true),
    verdicts: new WeakMap<Certificate, boolean>(),
  };
  compiled.set(constraints, made);
  return made;
}

/** Collects the keys of all bases of one list. */
function subtrees(bases: readonly GeneralName[], excluding: boolean): Subtrees {
  const made = {
    forms: new Set<number>(),
    keys: new Set<string>(),
    malformed: new Set<number>(),
    masks: new Set<string>(),
  };
  for (const base of bases) {
    made.forms.add(base.form);
    const keys = keysOfBase(base, excluding);
    if (!keys) made.malformed.add(base.form);
    for (const key of keys ?? []) made.keys.add(key);
    if (base.form === NameForm.ip && keys) made.masks.add(maskOf(base.octets));
  }
  return made;
}

/**
 * Returns the keys of a base. A leading dot has no meaning for a dNSName in RFC 5280.
 * This part reads it strictly: a permitted base then contains the sub-domains only, and
 * an excluded base the domain with its sub-domains.
 */
function keysOfBase(base: GeneralName, excluding: boolean): readonly string[] | undefined {
  switch (base.form) {
    case NameForm.dns: {
      const domainName = base.text.toLowerCase().replace(/^\./, '');
      if (base.text !== '' && !isDomain(domainName)) return undefined;
      if (!base.text.startsWith('.')) return wide('dns', domainName, excluding);
      if (excluding) return wide('dns', domainName, true);
      return [`dns below ${domainName}`];
    }
    case NameForm.email:
    case NameForm.uri:
      return keysOfHostBase(base.form, base.text, excluding);
    case NameForm.directory:
      if (base.directory.comparable) return [`name ${base.directory.key}`];
      return undefined;
    case NameForm.ip:
      return keysOfIpBase(base.octets);
    default:
      return undefined;
  }
}

/**
 * Returns the keys of a domain and of all names below it. An excluded domain also
 * excludes a wildcard that covers it.
 */
function wide(form: string, domainName: string, excluding: boolean): readonly string[] {
  const keys = [`${form} at ${domainName}`, `${form} below ${domainName}`];
  const parent = domainName.slice(domainName.indexOf('.') + 1);
  if (excluding && domainName.includes('.')) return [...keys, `${form} wildcard ${parent}`];
  return keys;
}

/**
 * Returns the keys of a base: the host, `.domain` for the names below it, and for e-mail
 * a whole mailbox; '' for every name.
 */
function keysOfHostBase(
  form: 1 | 6,
  text: string,
  excluding: boolean,
): readonly string[] | undefined {
  if (text === '') return [`${form} below `];
  if (form === NameForm.email && text.includes('@')) {
    const mailbox = splitMailbox(text);
    return mailbox && [`mailbox ${mailboxKey(mailbox, excluding)}`];
  }
  const hostName = text.toLowerCase().replace(/^\./, '');
  if (!isDomain(hostName)) return undefined;
  return [`${form} ${text.startsWith('.') ? 'below' : 'at'} ${hostName}`];
}

/**
 * Returns the key of an address with a mask of the same length. Undefined if the mask is
 * not a prefix (RFC 4632, as RFC 5280 §4.2.1.10 says).
 */
function keysOfIpBase(octets: Uint8Array): readonly string[] | undefined {
  const byteCount = octets.length / 2;
  if (byteCount !== 4 && byteCount !== 16) return undefined;
  const bits = [...octets.subarray(byteCount)]
    .map((value) => value.toString(2).padStart(8, '0'))
    .join('');
  if (!/^1*0*$/.test(bits)) return undefined;
  return [ipKey(octets.subarray(0, byteCount), maskOf(octets))];
}

/** Returns the mask of an iPAddress base, in hex. */
function maskOf(octets: Uint8Array): string {
  return toHex(octets.subarray(octets.length / 2));
}

/** Returns the key of a masked address. */
function ipKey(address: Uint8Array, mask: string): string {
  const bits = Buffer.from(mask, 'hex');
  return `ip ${mask} ${toHex(address.map((octet, index) => octet & (bits[index] as number)))}`;
}

/**
 * Returns the keys of every subtree that contains the name; undefined for a name that
 * cannot be processed.
 */
function keysOf(
  generalName: GeneralName,
  masks: ReadonlySet<string>,
): readonly string[] | undefined {
  switch (generalName.form) {
    case NameForm.dns: {
      const text = generalName.text.toLowerCase();
      const domainName = text.replace(/^\*\./, '');
      if (!isDomain(domainName)) return undefined;
      // `*.a.example` represents only names below a.example. The text of the wildcard is
      // also below a.example, so the wildcard gets the same keys.
      return around('dns', text);
    }
    case NameForm.email: {
      const mailbox = splitMailbox(generalName.text);
      if (!mailbox) return undefined;
      return [`mailbox ${mailboxKey(mailbox, false)}`, ...around('1', mailbox.host)];
    }
    case NameForm.uri: {
      const hostName = hostOfUri(generalName.text);
      if (hostName === undefined) return undefined;
      return around('6', hostName);
    }
    case NameForm.directory:
      return keysOfDirectory(generalName.directory);
    case NameForm.ip:
      if (generalName.octets.length !== 4 && generalName.octets.length !== 16) return undefined;
      return [...masks]
        .filter((mask) => mask.length === 2 * generalName.octets.length)
        .map((mask) => ipKey(generalName.octets, mask));
    default:
      return undefined;
  }
}

/**
 * Returns additional keys for exclusions only: names that a wildcard covers, and other
 * spellings of a mailbox.
 */
function reachedBy(generalName: GeneralName): readonly string[] {
  if (generalName.form === NameForm.dns && generalName.text.startsWith('*.'))
    return [`dns wildcard ${generalName.text.slice(2).toLowerCase()}`];
  const mailbox = generalName.form === NameForm.email ? splitMailbox(generalName.text) : undefined;
  if (mailbox) return [`mailbox ${mailboxKey(mailbox, true)}`];
  return [];
}

/**
 * Returns the keys of the subtrees around a domain: the domain itself, and the names
 * below each parent and the root.
 */
function around(form: string, domainName: string): readonly string[] {
  const keys = [`${form} at ${domainName}`, `${form} below `];
  for (let dot = domainName.indexOf('.'); dot >= 0; dot = domainName.indexOf('.', dot + 1))
    keys.push(`${form} below ${domainName.slice(dot + 1)}`);
  return keys;
}

/** Returns the keys of all leading parts of a name, the empty one included. */
function keysOfDirectory({ rdns, comparable }: DirectoryName): readonly string[] | undefined {
  if (!comparable) return undefined;
  return [...rdns.keys(), rdns.length].map((count) => `name ${joinRdns(rdns.slice(0, count))}`);
}

/** A mailbox, its host in lower case. */
interface Mailbox {
  readonly local: string;
  readonly host: string;
}

/**
 * Splits a mailbox at its last `@`; undefined unless the local part is printable ASCII.
 */
function splitMailbox(text: string): Mailbox | undefined {
  const position = text.lastIndexOf('@');
  const [local, hostName] = [
    text.slice(0, Math.max(0, position)),
    text.slice(position + 1).toLowerCase(),
  ];
  if (local !== '' && /^[\x20-\x7e]+$/.test(local) && isDomain(hostName))
    return { local, host: hostName };
  return undefined;
}

/**
 * Returns the key of a mailbox. Local parts are compared exactly (RFC 5280 §7.5); an
 * excluded mailbox is also excluded in other case or quotes.
 */
function mailboxKey({ local, host }: Mailbox, excluding: boolean): string {
  const plain = local.replace(/^"(.*)"$/, '$1').replace(/\\(.)/g, '$1');
  if (excluding) return `like ${plain.toLowerCase()}@${host}`;
  return `${local}@${host}`;
}

/**
 * Returns the host of a URI; undefined without an authority, and for an address literal
 * (RFC 5280 §4.2.1.10).
 */
function hostOfUri(uri: string): string | undefined {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]*)/i.exec(uri)?.[1];
  const hostName = authority?.replace(/^.*@/, '').replace(/:\d*$/, '').toLowerCase();
  if (hostName !== undefined && isDomain(hostName) && !/(^|\.)[0-9]+$/.test(hostName))
    return hostName;
  return undefined;
}

/**
 * Returns whether a text is a domain name in preferred syntax, underscores allowed,
 * without final dot.
 */
function isDomain(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/.test(text);
}
