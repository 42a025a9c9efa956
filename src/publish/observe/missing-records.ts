import { parseIp } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { formatPolicy } from '../../mta-sts/index.js';
import { policyId, stsRecord } from '../records/policy-id.js';
import type { RecordOwners } from './record-owners.js';
import { txtRdata } from '../records/txt-rdata.js';

/** One step to complete the records of a domain: text to paste, or an instruction. */
export interface MissingStep {
  /** `unknown`: a lookup failed, so the record may exist. */
  readonly kind: 'record' | 'file' | 'wait' | 'note' | 'unknown';
  readonly why: string;
  /** The line of a zone file, the content of a file, or an instruction. */
  readonly text: string;
  /** The record of `text` in the form that a web panel expects. */
  readonly record?: PanelRecord;
}

/** A record in the form of web panels: no quotes, no final dots. `ttl` in seconds. */
export interface PanelRecord {
  readonly name: string;
  readonly type: 'TXT' | 'TLSA' | 'CNAME' | 'A' | 'AAAA' | 'CAA';
  readonly ttl: number;
  readonly value: string;
}

/** Choices of the operator, and the state of the owner names. */
export interface MissingOptions {
  /** Address for TLS reports. Default `mailto:tlsrpt@DOMAIN`. */
  readonly reportTo?: string;
  /**
   * Host that serves the policy, as a name or an address. `mta-sts.DOMAIN` becomes an
   * alias of the name.
   */
  readonly policyHost?: string;
  /** State of the owner names; undefined if the owner names were not looked up. */
  readonly owners?: RecordOwners;
}

/** Seconds. */
const [DAY, TTL] = [86_400, 3600];

/**
 * Findings about existing records. New records next to a wrong record would have no
 * effect.
 */
const blockingFindings =
  /^(mx-(is-cname|nonexistent|is-address|address-unroutable)|null-mx-beside|dane-(mismatch|partial|unusable|inert)|sts-(mx-mismatch|no-mx-matches|(record|policy)-.*)|tlsrpt-invalid)$/;

/**
 * Returns the missing records of a domain, ready to paste, in an order that never breaks
 * delivery:
 *
 * 1. repairs of existing records;
 * 2. TLS reports, which show later problems;
 * 3. the policy in testing mode, and its record after it (RFC 8461 §8.1);
 * 4. TLSA records for the keys that the servers present, if DNSSEC is valid (RFC 7672
 *    §2.2).
 *
 * Pure: the check of the domain is the only source.
 */
export function missingRecords(
  checked: CheckResult,
  options: MissingOptions = {},
): readonly MissingStep[] {
  const { domain: domainName, route } = checked;
  // Senders skip an MX record that names no usable host, so that name needs no policy and
  // no TLSA record.
  const existing = checked.hosts.filter((mailHost) => mailHost.passedOver === undefined);
  const result = { ...checked, hosts: existing };
  if (route.kind === 'null-mx')
    return [
      { kind: 'note', why: 'the domain receives no mail (RFC 7505)', text: 'nothing is missing' },
    ];
  if (route.kind === 'error')
    return [unknown(`the mail route of ${domainName} could not be found`)];
  const hostNames = result.hosts.map(({ name }) => name);
  const [nowhere] = checked.hosts;
  if (hostNames.length === 0 && nowhere) {
    const text = `correct the MX record of ${domainName} first: ${nowhere.name} is not a host`;
    return [{ kind: 'note', why: 'the MX record leads to no host (RFC 5321 §5.1)', text }];
  }
  if (hostNames.length === 0) {
    const none = `publish an MX record for ${domainName} first; for a domain without mail: ${domainName}. ${TTL} IN MX 0 .`;
    return [{ kind: 'note', why: 'no mail host was found', text: none }];
  }
  const missingSteps = [
    ...reporting(result, options),
    ...policy(result, hostNames, options),
    ...dane(result),
  ];
  return [...repairs(result), ...withOwnerNotes(missingSteps, options)];
}

/**
 * Replaces records that cannot exist at their owner name with a note on the first step.
 */
function withOwnerNotes(
  missingSteps: readonly MissingStep[],
  { owners: known }: MissingOptions,
): readonly MissingStep[] {
  const noted = new Set<string>();
  return missingSteps.flatMap((missingStep): readonly MissingStep[] => {
    const { name = '', type } = missingStep.record ?? {};
    const above = [...(known?.synthesised ?? [])].find((hostName) => name.endsWith(`.${hostName}`));
    const aliasName = known?.owners.get(name)?.alias;
    const note = ownerNote(name, above, type && aliasName);
    if (!note) return [missingStep];
    if (noted.has(note.text)) return [];
    noted.add(note.text);
    return [note];
  });
}

/** Returns the note for an owner below a wildcard's name, or for an alias. */
function ownerNote(
  ownerName: string,
  above: string | undefined,
  aliasName: string | undefined,
): MissingStep | undefined {
  if (above !== undefined) return wildcardNote(above);
  return aliasName === undefined ? undefined : aliasNote(ownerName, aliasName);
}

/**
 * Returns the note that a wildcard does not apply to a name with a record below it
 * (RFC 4592 §2.2.2).
 */
function wildcardNote(ownerName: string): MissingStep {
  return {
    kind: 'note',
    why: `${ownerName} has its records from a wildcard, and any record below it would disable the wildcard for it (RFC 4592 §2.2.2)`,
    text: `${ownerName}: publish its MX or address records at the name itself first`,
  };
}

function aliasNote(ownerName: string, aliasName: string): MissingStep {
  const remedy = ownerName.startsWith('_mta-sts.')
    ? 'serve the policy of that domain, whose record announces it (RFC 8461 §8.2), or remove the alias first'
    : `publish the record at ${aliasName}, or remove the alias first`;
  return {
    kind: 'note',
    why: 'no other record can exist next to an alias (RFC 1034 §3.6.2)',
    text: `${ownerName} is an alias of ${aliasName}: ${remedy}`,
  };
}

/**
 * Plans the name of the policy host: it needs an address, or an alias of the configured
 * host (RFC 8461 §8.2).
 */
function policyName(
  domainName: string,
  { policyHost, owners }: MissingOptions,
): readonly MissingStep[] {
  const ownerName = `mta-sts.${domainName}`;
  const { alias, addresses } = owners?.owners.get(ownerName) ?? {};
  const reason = 'the host that serves the policy (RFC 8461 §3.3)';
  const note = (text: string): readonly MissingStep[] => [{ kind: 'note', why: reason, text }];
  const hostName = policyHost?.replace(/\.$/, '').toLowerCase();
  if (alias !== undefined) {
    const isAlias = `${ownerName} is an alias of ${alias}`;
    if (addresses === undefined && (hostName === undefined || hostName === alias))
      return note(`${isAlias}, which has no address: add one there, or remove the alias`);
    if (hostName === undefined || hostName === alias) return [];
    // The target of an alias is a name, never an address (RFC 1035 §3.3.1).
    return note(
      parseIp(hostName)
        ? `${isAlias}: replace the alias by the address ${hostName}`
        : `${isAlias}: make it an alias of ${hostName} instead`,
    );
  }
  if (addresses === 'own') {
    if (hostName === undefined || parseIp(hostName)) return [];
    return note(
      `${ownerName} has addresses of its own: serve the policy there, or replace them by an alias of ${hostName}`,
    );
  }
  if (hostName === undefined) {
    if (addresses !== undefined) return [];
    return note(
      `${ownerName} has no address: add an A or AAAA record of the web server that serves the policy, or run this command again with --policy-host`,
    );
  }
  if (!parseIp(hostName))
    return [
      recordStep(ownerName, 'CNAME', hostName, 'the host that serves the policy (RFC 8461 §8.2)'),
    ];
  return [recordStep(ownerName, hostName.includes(':') ? 'AAAA' : 'A', hostName, reason)];
}

function repairs({ findings }: CheckResult): readonly MissingStep[] {
  return findings
    .filter(({ id, severity }) => blockingFindings.test(id) && severity !== 'good')
    .map(({ subject, title, fix }): MissingStep => ({
      kind: 'note',
      why: `to fix first: ${title}`,
      text: `${subject}: ${fix}`,
    }));
}

function reporting(
  { domain, tlsRpt }: CheckResult,
  { reportTo = `mailto:tlsrpt@${domain}` }: MissingOptions,
): readonly MissingStep[] {
  if (tlsRpt.status === 'found') return [];
  if (tlsRpt.status === 'tempfail') return [unknown('the TLS-RPT record could not be read')];
  const replaces = replacement(tlsRpt.status, 'v=TLSRPTv1');
  return [
    recordStep(
      `_smtp._tls.${domain}`,
      'TXT',
      `v=TLSRPTv1; rua=${reportTo}`,
      `senders report failures to you (RFC 8460 §3)${replaces}`,
    ),
  ];
}

function policy(
  { domain: domainName, mtaSts, hosts, findings }: CheckResult,
  names: readonly string[],
  options: MissingOptions,
): readonly MissingStep[] {
  if (mtaSts.status === 'found') {
    return mtaSts.mode === 'testing' ? [afterReports] : [];
  }
  if (mtaSts.status === 'tempfail') return [unknown('the MTA-STS record could not be read')];
  if (findings.some(({ id }) => id === 'hosts-skipped'))
    return [
      unknown(
        `the policy must name every MX host, and ${domainName} has more than the check examines`,
      ),
    ];
  const unseen = hosts.filter((mailHost) => mailHost.addressLookup === 'failed');
  if (unseen.length > 0)
    return [
      unknown(
        `the policy must name every MX host that exists, and the address lookup of ${unseen.map(({ name }) => name).join(', ')} failed`,
      ),
    ];
  // A domain that uses the policy of another domain has no policy file.
  const aliasName = options.owners?.owners.get(`_mta-sts.${domainName}`)?.alias;
  if (aliasName !== undefined) return [aliasNote(`_mta-sts.${domainName}`, aliasName)];
  const failing = hosts.filter(
    ({ addresses }) =>
      !addresses.every(
        (address) => address.starttls === 'offered' && address.certificates.every(isValid),
      ),
  );
  const bodyText = formatPolicy({ mode: 'testing', maxAge: DAY, mx: [...names].sort() });
  return [
    ...(mtaSts.status === 'invalid' ? [restoreEnforced] : []),
    ...failing.map(({ name }): MissingStep => ({
      kind: 'note',
      why: 'a policy in testing mode reports this; an enforced policy defers mail',
      text: `${name}: STARTTLS and a certificate from a public CA for ${name} at every address`,
    })),
    ...policyName(domainName, options),
    {
      kind: 'file',
      why: `serve it as https://mta-sts.${domainName}/.well-known/mta-sts.txt, text/plain, with a certificate for mta-sts.${domainName} (RFC 8461 §3.3)`,
      text: bodyText,
    },
    recordStep(
      `_mta-sts.${domainName}`,
      'TXT',
      stsRecord(policyId(bodyText)),
      `only when the policy can be fetched (RFC 8461 §8.1)${replacement(mtaSts.status, 'v=STSv1')}`,
    ),
    afterReports,
  ];
}

const restoreEnforced: MissingStep = {
  kind: 'note',
  why: 'senders keep a cached enforced policy while they cannot fetch a new one; a policy in testing mode would replace it',
  text: 'if a policy was enforced before, restore it unchanged instead of the policy below',
};

const afterReports: MissingStep = {
  kind: 'wait',
  why: 'enforce the policy after two weeks of reports without failures',
  text: 'write mode: enforce in the file and a new id in the record; hermetic publish does both',
};

function isValid({
  chain,
  validity,
  nameMatch,
}: CheckResult['hosts'][number]['addresses'][number]['certificates'][number]): boolean {
  return chain === 'trusted' && validity === 'valid' && nameMatch === 'match';
}

function dane({ hosts, route }: CheckResult): readonly MissingStep[] {
  const unsigned = hosts
    .filter(({ dnssec, tlsa }) => tlsa.status === 'absent' && dnssec !== 'secure')
    .map(({ name }) => name);
  const inertNote: MissingStep = {
    kind: 'note',
    why: 'TLSA records in an unsigned zone are inert (RFC 7672 §2.2.2)',
    text: `${unsigned.join(', ')}: sign the zone and publish a DS record first`,
  };
  const missingSteps = hosts.flatMap(
    ({ name: ownerName, dnssec, tlsa, addresses }): readonly MissingStep[] => {
      if (tlsa.status === 'tempfail' || tlsa.status === 'bogus')
        return [unknown(`the TLSA records of ${ownerName} could not be read`)];
      const hasNoUsable = tlsa.status === 'absent' || tlsa.status === 'unusable';
      const lacking = addresses.flatMap((address) =>
        address.certificates.filter(
          (certificate) => hasNoUsable || certificate.dane === 'mismatch',
        ),
      );
      if (tlsa.status === 'insecure' || (!hasNoUsable && lacking.length === 0)) return [];
      if (dnssec !== 'secure') return [];
      if (
        addresses.length === 0 ||
        !addresses.every(
          (address) => address.starttls === 'offered' && address.certificates.length > 0,
        )
      )
        return [
          {
            kind: 'note',
            why: 'TLSA records make TLS mandatory for senders (RFC 7672 §9.2)',
            text: `${ownerName}: offer STARTTLS at every address first`,
          },
        ];
      const keyNames = [...new Set(lacking.map((certificate) => certificate.spkiSha256))].sort();
      const existing = tlsa.status === 'absent' ? '' : ', next to the existing records';
      const secure =
        route.dnssec === 'secure'
          ? ''
          : '; the MX records are not signed, so only some senders look it up';
      return [
        {
          kind: 'note',
          why: 'senders defer mail when a renewal changes the key (RFC 7671 §8)',
          text: `${ownerName}: keep its key at renewal; publish these digests only if hermetic tlsa prints them on the server itself`,
        },
        ...keyNames.map((identity) =>
          recordStep(
            `_25._tcp.${ownerName}`,
            'TLSA',
            `3 1 1 ${identity}`,
            `the key that ${ownerName} presents (RFC 7672 §3.1)${existing}${secure}`,
          ),
        ),
      ];
    },
  );
  return unsigned.length === 0 ? missingSteps : [...missingSteps, inertNote];
}

/**
 * Notes that a record replaces invalid ones, because senders treat several records as
 * none.
 */
function replacement(status: string, version: string): string {
  return status === 'invalid' ? `; it replaces every record there that begins with ${version}` : '';
}

/** Returns the step that publishes a record. */
export function recordStep(
  ownerName: string,
  type: PanelRecord['type'],
  value: string,
  why: string,
): MissingStep {
  const special: Partial<Record<PanelRecord['type'], string>> = {
    TXT: txtRdata(value),
    CNAME: `${value}.`,
  };
  const rdata = special[type] ?? value;
  return {
    kind: 'record',
    why,
    text: `${ownerName}. ${TTL} IN ${type} ${rdata}`,
    record: { name: ownerName, type, ttl: TTL, value },
  };
}

function unknown(why: string): MissingStep {
  return {
    kind: 'unknown',
    why,
    text: 'examine it with hermetic check, then run this command again',
  };
}
