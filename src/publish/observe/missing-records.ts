import { parseIp } from '../../base/index.js';
import type { CheckResult } from '../../evidence/index.js';
import { formatPolicy } from '../../mta-sts/index.js';
import { policyId, stsRecord } from '../records/policy-id.js';
import type { RecordOwners } from './record-owners.js';
import { txtRdata } from '../records/txt-rdata.js';

/** One step towards what is missing: text to paste, or something to do. */
export interface MissingStep {
  /** `unknown`: whether it is missing could not be told. */
  readonly kind: 'record' | 'file' | 'wait' | 'note' | 'unknown';
  readonly why: string;
  /** Of a record: its line in a zone file. */
  readonly text: string;
  /** The same record for the form of a web panel. */
  readonly record?: PanelRecord;
}

/** A record as web panels ask for it: no quotes, no final dots. `ttl` in seconds. */
export interface PanelRecord {
  readonly name: string;
  readonly type: 'TXT' | 'TLSA' | 'CNAME' | 'A' | 'AAAA';
  readonly ttl: number;
  readonly value: string;
}

export interface MissingOptions {
  /** Where TLS reports go. Default `mailto:tlsrpt@DOMAIN`. */
  readonly reportTo?: string;
  /**
   * Host that serves the policy, which `mta-sts.DOMAIN` becomes an alias of; or its
   * address.
   */
  readonly policyHost?: string;
  /** How the owners of the records stand; undefined: as if none existed. */
  readonly owners?: RecordOwners;
}

const DAY = 86_400;
const TTL = 3600;

/** What is there already and wrong: anything added beside it would not help. */
const wrong =
  /^(mx-(is-cname|nonexistent|is-address|address-unroutable)|null-mx-beside|dane-(mismatch|partial|unusable|inert)|sts-(mx-mismatch|no-mx-matches|(record|policy)-.*)|tlsrpt-invalid)$/;

/**
 * What a domain lacks, ready to paste, in the order that never holds mail back: first
 * what is there and wrong; then reports, so that there is something to see; the policy in
 * testing mode before its record (RFC 8461 §8.1); TLSA records for what the servers show,
 * where DNSSEC makes them count. Pure; judged by a check of the domain.
 */
export function missingRecords(
  checked: CheckResult,
  options: MissingOptions = {},
): readonly MissingStep[] {
  const { domain, route } = checked;
  // Senders pass over a record that leads to no host; no policy or TLSA record belongs to
  // it.
  const existing = checked.hosts.filter((host) => host.passedOver === undefined);
  const result = { ...checked, hosts: existing };
  if (route.kind === 'null-mx')
    return [
      { kind: 'note', why: 'the domain receives no mail (RFC 7505)', text: 'nothing is missing' },
    ];
  if (route.kind === 'error') return [unknown(`where mail for ${domain} goes could not be told`)];
  const hosts = result.hosts.map(({ name }) => name);
  const [nowhere] = checked.hosts;
  if (hosts.length === 0 && nowhere) {
    const text = `correct the MX record of ${domain} first: ${nowhere.name} is no host`;
    return [{ kind: 'note', why: 'the MX record leads to no host (RFC 5321 §5.1)', text }];
  }
  if (hosts.length === 0) {
    const none = `publish an MX record for ${domain} first; if it is to take no mail: ${domain}. ${TTL} IN MX 0 .`;
    return [{ kind: 'note', why: 'no mail host was found', text: none }];
  }
  const steps = [...reporting(result, options), ...policy(result, hosts, options), ...dane(result)];
  return [...mending(result), ...placed(steps, options)];
}

/**
 * Records that cannot stand where they would have to are replaced by what to do first.
 */
function placed(
  steps: readonly MissingStep[],
  { owners: known }: MissingOptions,
): readonly MissingStep[] {
  const first = new Set<string>();
  return steps.flatMap((step): readonly MissingStep[] => {
    const { name = '', type } = step.record ?? {};
    const above = [...(known?.synthesised ?? [])].find((host) => name.endsWith(`.${host}`));
    const alias = known?.owners.get(name)?.alias;
    const note = ((): MissingStep | undefined => {
      if (above !== undefined) return takesAway(above);
      return alias === undefined || type === undefined ? undefined : besideAlias(name, alias);
    })();
    if (!note) return [step];
    if (first.has(note.text)) return [];
    first.add(note.text);
    return [note];
  });
}

/**
 * RFC 4592 §2.2.2: a name with a record below it exists, and no wildcard applies to it.
 */
function takesAway(name: string): MissingStep {
  return {
    kind: 'note',
    why: `${name} lives by a wildcard, and any record below it would take its own records away (RFC 4592 §2.2.2)`,
    text: `${name}: publish its MX or address records at the name itself first`,
  };
}

function besideAlias(name: string, alias: string): MissingStep {
  const policy = name.startsWith('_mta-sts.')
    ? `serve the policy of that domain, whose record announces it (RFC 8461 §8.2), or remove the alias first`
    : `publish the record at ${alias}, or remove the alias first`;
  return {
    kind: 'note',
    why: 'no other record can stand beside an alias (RFC 1034 §3.6.2)',
    text: `${name} is an alias of ${alias}: ${policy}`,
  };
}

/**
 * Where the policy is served from: its name needs an address, or an alias of its own (RFC
 * 8461 §8.2).
 */
function policyName(
  domain: string,
  { policyHost, owners }: MissingOptions,
): readonly MissingStep[] {
  const name = `mta-sts.${domain}`;
  const { alias, addresses } = owners?.owners.get(name) ?? {};
  const why = 'where the policy is served (RFC 8461 §3.3)';
  const note = (text: string): readonly MissingStep[] => [{ kind: 'note', why, text }];
  const host = policyHost?.replace(/\.$/, '').toLowerCase();
  if (alias !== undefined)
    return host === undefined || host === alias
      ? []
      : note(`${name} is an alias of ${alias}: make it an alias of ${host} instead`);
  if (addresses === 'own')
    return host === undefined || parseIp(host) !== undefined
      ? []
      : note(
          `${name} has addresses of its own: serve the policy there, or replace them by an alias of ${host}`,
        );
  if (host === undefined)
    return addresses === undefined
      ? note(
          `${name} has no address: give it an A or AAAA record of the web server that serves the policy, or run this again with --policy-host`,
        )
      : [];
  if (!parseIp(host))
    return [record(name, 'CNAME', host, 'where the policy is served (RFC 8461 §8.2)')];
  return [record(name, host.includes(':') ? 'AAAA' : 'A', host, why)];
}

function mending({ findings }: CheckResult): readonly MissingStep[] {
  return findings
    .filter(({ id, severity }) => wrong.test(id) && severity !== 'good')
    .map(({ subject, title, fix }): MissingStep => ({
      kind: 'note',
      why: `to mend first: ${title}`,
      text: `${subject}: ${fix}`,
    }));
}

function reporting(
  { domain, tlsRpt }: CheckResult,
  { reportTo = `mailto:tlsrpt@${domain}` }: MissingOptions,
): readonly MissingStep[] {
  if (tlsRpt.status === 'found') return [];
  if (tlsRpt.status === 'tempfail')
    return [unknown('whether senders are told where to report could not be told')];
  const replaces =
    tlsRpt.status === 'invalid'
      ? '; it replaces every record there that begins with v=TLSRPTv1'
      : '';
  return [
    record(
      `_smtp._tls.${domain}`,
      'TXT',
      `v=TLSRPTv1; rua=${reportTo}`,
      `senders tell you of failures (RFC 8460 §3)${replaces}`,
    ),
  ];
}

function policy(
  { domain, mtaSts, hosts, findings }: CheckResult,
  names: readonly string[],
  options: MissingOptions,
): readonly MissingStep[] {
  if (mtaSts.status === 'found') {
    return mtaSts.mode === 'testing' ? [afterReports] : [];
  }
  if (mtaSts.status === 'tempfail') return [unknown('whether there is a policy could not be told')];
  if (findings.some(({ id }) => id === 'hosts-skipped'))
    return [
      unknown(`the policy has to name every MX host, and ${domain} has more than are looked at`),
    ];
  // A domain that uses the policy of another has no file of its own.
  const alias = options.owners?.owners.get(`_mta-sts.${domain}`)?.alias;
  if (alias !== undefined) return [besideAlias(`_mta-sts.${domain}`, alias)];
  const failing = hosts.filter(
    ({ addresses }) =>
      !addresses.every((a) => a.starttls === 'offered' && a.certificates.every(isValid)),
  );
  const body = formatPolicy({ mode: 'testing', maxAge: DAY, mx: [...names].sort() });
  return [
    ...(mtaSts.status === 'invalid' ? [keepEnforced] : []),
    ...failing.map(({ name }): MissingStep => ({
      kind: 'note',
      why: 'a policy in testing mode shows this, one that is enforced holds mail back',
      text: `${name}: STARTTLS and a certificate of a public CA for ${name} at every address`,
    })),
    ...policyName(domain, options),
    {
      kind: 'file',
      why: `serve it as https://mta-sts.${domain}/.well-known/mta-sts.txt, text/plain, with a certificate for mta-sts.${domain} (RFC 8461 §3.3)`,
      text: body,
    },
    record(
      `_mta-sts.${domain}`,
      'TXT',
      stsRecord(policyId(body)),
      `only when the policy can be fetched (RFC 8461 §8.1)${mtaSts.status === 'invalid' ? '; it replaces every record there that begins with v=STSv1' : ''}`,
    ),
    afterReports,
  ];
}

const keepEnforced: MissingStep = {
  kind: 'note',
  why: 'senders keep an enforced policy while the new one cannot be had; one in testing mode would take its place',
  text: 'what was enforced before goes back as it was, and not as below',
};

const afterReports: MissingStep = {
  kind: 'wait',
  why: 'reports of two weeks without failures come before mode: enforce',
  text: 'then the file says mode: enforce, and the record has a new id; hermetic publish promotes it by that evidence',
};

function isValid(
  c: CheckResult['hosts'][number]['addresses'][number]['certificates'][number],
): boolean {
  return c.chain === 'trusted' && c.validity === 'valid' && c.nameMatch === 'match';
}

function dane({ hosts, route }: CheckResult): readonly MissingStep[] {
  const unsigned = hosts
    .filter(({ dnssec, tlsa }) => tlsa.status === 'absent' && dnssec !== 'secure')
    .map(({ name }) => name);
  const inert: MissingStep = {
    kind: 'note',
    why: 'TLSA records in an unsigned zone are inert (RFC 7672 §2.2.2)',
    text: `${unsigned.join(', ')}: sign the zone and publish a DS record first`,
  };
  const steps = hosts.flatMap(({ name, dnssec, tlsa, addresses }): readonly MissingStep[] => {
    if (tlsa.status === 'tempfail' || tlsa.status === 'bogus')
      return [unknown(`the TLSA records of ${name} could not be read`)];
    const none = tlsa.status === 'absent' || tlsa.status === 'unusable';
    const lacking = addresses.flatMap((a) =>
      a.certificates.filter((c) => none || c.dane === 'mismatch'),
    );
    if (tlsa.status === 'insecure' || (!none && lacking.length === 0)) return [];
    if (dnssec !== 'secure') return [];
    if (
      addresses.length === 0 ||
      !addresses.every((a) => a.starttls === 'offered' && a.certificates.length > 0)
    )
      return [
        {
          kind: 'note',
          why: 'TLSA records bind senders to TLS (RFC 7672 §9.2)',
          text: `${name}: offer STARTTLS at every address first`,
        },
      ];
    const keys = [...new Set(lacking.map((c) => c.spkiSha256))].sort();
    const beside = tlsa.status === 'absent' ? '' : ', beside the records that are there';
    const secure =
      route.dnssec === 'secure'
        ? ''
        : '; the MX records are not signed, so only some senders ask for it';
    return [
      {
        kind: 'note',
        why: 'a renewal that makes a new key would hold mail back (RFC 7671 §8)',
        text: `${name}: keep its key over renewals, and compare these digests with hermetic tlsa on the server itself; only if it is yours`,
      },
      ...keys.map((key) =>
        record(
          `_25._tcp.${name}`,
          'TLSA',
          `3 1 1 ${key}`,
          `the key it shows (RFC 7672 §3.1)${beside}${secure}`,
        ),
      ),
    ];
  });
  return unsigned.length === 0 ? steps : [...steps, inert];
}

function record(name: string, type: PanelRecord['type'], value: string, why: string): MissingStep {
  const rdata = { TXT: txtRdata(value), TLSA: value, CNAME: `${value}.`, A: value, AAAA: value }[
    type
  ];
  return {
    kind: 'record',
    why,
    text: `${name}. ${TTL} IN ${type} ${rdata}`,
    record: { name, type, ttl: TTL, value },
  };
}

function unknown(why: string): MissingStep {
  return { kind: 'unknown', why, text: 'look at it with hermetic check, then run this again' };
}
