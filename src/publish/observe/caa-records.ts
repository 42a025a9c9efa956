import { formatCaa, judgeCaa, parseIssueValue, type CaaProperty } from '../../dns/index.js';
import { recordStep, type MissingStep } from './missing-records.js';

/** The account at the CA that certifies hosts of this machine. */
export interface CaaBinding {
  /**
   * Domain names that identify the CA in CAA records; undefined if they are not known.
   */
  readonly issuers: readonly string[] | undefined;
  /** URI of the account (RFC 8657 §3); undefined before the first order. */
  readonly accountUri: string | undefined;
}

/** A certificate of a public CA that a host presents. */
export interface CertificateInUse {
  /**
   * Domain names that identify its CA in CAA records; undefined if they are not known.
   */
  readonly issuers: readonly string[] | undefined;
  /** Issuer, human-readable. */
  readonly issuer: string;
  /** dNSNames in lower case. */
  readonly names: readonly string[];
  /** Whether the key of the certificate is in the key ring of this machine. */
  readonly isOwn: boolean;
}

/** A host whose certificate comes from the account. */
export interface CaaHost {
  /** A-label, no final dot. */
  readonly name: string;
  /** The name at which the search for CAA records ended (RFC 8659 §3). */
  readonly at: string;
  /** Whether the lookup of the records failed. */
  readonly isUnknown: boolean;
  /** Target of the alias, if the name is an alias. */
  readonly alias?: string | undefined;
  readonly properties: readonly CaaProperty[];
  readonly inUse: readonly CertificateInUse[];
}

/**
 * Returns the CAA records that bind the certificates of hosts to one account, ready to
 * paste. The records are for each host, not for the domain: a CA searches upwards from
 * the name of the certificate, so certificates for other names are not affected.
 *
 * The records exclude no CA in use: they permit the CAs of all presented certificates,
 * and keep the properties that apply to the host today. In case of doubt, the result is
 * an instruction instead of records. Only properties of the account's CA without a
 * binding are replaced.
 */
export function planCaaRecords(
  hosts: readonly CaaHost[],
  binding: CaaBinding,
): readonly MissingStep[] {
  const { issuers, accountUri } = binding;
  if (hosts.length === 0) return [];
  const [issuer] = issuers ?? [];
  if (issuers === undefined || issuer === undefined)
    return [note('the directory of the CA names no CAA identity', 'ask the CA for its CAA name')];
  if (accountUri === undefined)
    return [note('CAA is bound to an account', 'run hermetic publish apply first: it creates one')];
  return hosts.flatMap((host) => planHost(host, { issuers, issuer, accountUri }));
}

/** The binding to an account whose CA and URI are known. */
interface KnownBinding {
  readonly issuers: readonly string[];
  readonly issuer: string;
  readonly accountUri: string;
}

function planHost(host: CaaHost, known: KnownBinding): readonly MissingStep[] {
  const { name, at, isUnknown, alias, properties, inUse } = host;
  if (isUnknown)
    return [
      {
        kind: 'unknown',
        why: `the CAA records for ${name} could not be looked up`,
        text: 'examine it with hermetic check, then run this command again',
      },
    ];
  if (alias !== undefined)
    return [
      note(
        'no other record can exist next to an alias (RFC 1034 §3.6.2)',
        `${name} is an alias of ${alias}: a CA applies the CAA records of ${alias}`,
      ),
    ];
  const foreign = inUse.filter(({ isOwn }) => !isOwn);
  const unknown = foreign.find(({ issuers }) => issuers === undefined);
  if (unknown)
    return [
      note(
        'a CAA record could stop the renewal of that certificate',
        `${name} shows a certificate of ${unknown.issuer}, whose CAA name is not known: permit it before any other CA`,
      ),
    ];
  const wanted = wantedProperties(host, foreign, known);
  if (locksOut(host, wanted, known))
    return [
      note(
        'its CAA records exclude a CA in use',
        `${name}: correct the CAA records at ${at} first`,
      ),
    ];
  const lines = wanted.map(formatCaa);
  const present = at === name ? properties.map(formatCaa) : [];
  if (sameSet(lines, present)) return [];
  const bound = wanted.some(({ value }) => value.includes('accounturi='));
  const why = bound
    ? 'only the account of this machine may obtain certificates of this host (RFC 8657 §3)'
    : 'another account of the same CA certifies this host too, so the record names the CA alone (RFC 8659 §4.2)';
  const replaces = present.length > 0 ? '; these replace every CAA record there' : '';
  return [
    note(
      'CAA applies to every certificate of a name, and to names below it without records',
      `${name}: if another service there has a certificate of another CA, permit that CA too`,
    ),
    ...lines.map((line, index) =>
      recordStep(name, 'CAA', line, index === 0 ? `${why}${replaces}` : 'stays permitted'),
    ),
  ];
}

/**
 * Returns the CAA properties that the host needs: those for its CA, for the other CAs in
 * use, and the current properties.
 */
function wantedProperties(
  { name, properties, inUse }: CaaHost,
  foreign: readonly CertificateInUse[],
  { issuers, issuer, accountUri }: KnownBinding,
): readonly CaaProperty[] {
  const isOwnCa = (names: readonly string[] = []): boolean =>
    names.some((one) => issuers.includes(one));
  // Another client obtains certificates for this host from the same CA with a different
  // account.
  const isShared = foreign.some((certificate) => isOwnCa(certificate.issuers));
  const own = isShared ? issuer : `${issuer}; accounturi=${accountUri}`;
  const kept = properties.filter(({ tag, value }) => {
    const parsed = tag === 'issue' ? parseIssueValue(value) : undefined;
    if (tag !== 'issue') return true;
    if (!parsed || parsed.issuer === '') return false;
    const isBound = parsed.parameters.some(([parameter]) => parameter === 'accounturi');
    return !issuers.includes(parsed.issuer) || isBound;
  });
  const wanted = [
    property('issue', own),
    ...foreign.filter((one) => !isOwnCa(one.issuers)).map((one) => permitted('issue', one, kept)),
    ...inUse
      .filter(({ names }) => names.some((one) => one === `*.${name}`))
      .map((one) => permitted('issuewild', one, properties)),
    ...kept,
  ];
  const lines = new Map(wanted.flatMap((one) => (one ? [[formatCaa(one), one] as const] : [])));
  return [...lines.values()];
}

/**
 * Returns the property that permits the CA of a certificate; undefined if a current
 * property already permits it.
 */
function permitted(
  tag: 'issue' | 'issuewild',
  { issuers = [] }: CertificateInUse,
  present: readonly CaaProperty[],
): CaaProperty | undefined {
  const of = present.filter((one) => one.tag === tag);
  if (of.some(({ value }) => issuers.includes(parseIssueValue(value)?.issuer ?? ''))) return;
  // Without issuewild, the issue properties also apply to wildcards.
  if (tag === 'issuewild' && of.length === 0) return;
  return property(tag, issuers[0] ?? ';');
}

function property(tag: string, value: string): CaaProperty {
  return { critical: false, tag, value };
}

/** Returns whether the RRset would refuse this account or a certificate in use. */
function locksOut(
  { name, inUse }: CaaHost,
  wanted: readonly CaaProperty[],
  { issuers, accountUri }: KnownBinding,
): boolean {
  const refuses = (request: Parameters<typeof judgeCaa>[1]): boolean =>
    judgeCaa(wanted, request).answer === 'refused';
  if (refuses({ issuers, accountUri, wildcard: false })) return true;
  return inUse.some((one) => {
    const names = one.names.filter((dnsName) => dnsName === name || dnsName === `*.${name}`);
    const account = one.isOwn ? accountUri : undefined;
    return names.some((dnsName) =>
      refuses({
        issuers: one.issuers,
        accountUri: account,
        wildcard: dnsName.startsWith('*.'),
      }),
    );
  });
}

function note(why: string, text: string): MissingStep {
  return { kind: 'note', why, text };
}

function sameSet(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((one) => right.includes(one));
}
