import { catalogue, finding, type FindingId } from '../findings/catalogue.js';
import type { CommandOptions, FindingValues } from '../findings/entry.js';
import type { TrustMechanism, Profile } from '../profiles/profile.js';
import type { RecordFault } from '../../dane/index.js';
import type { Evidence, Finding, Severity } from '../../evidence/index.js';
import { aliasCauses, type AliasCause } from './alias-cause.js';
import { alternativeTo } from './alternative.js';
import type { JudgedHost } from './judge-host.js';

/** Severities from the worst to the best. */
const order: readonly Severity[] = ['fail', 'warn', 'info', 'good'];

/** The particulars of one finding, in addition to those of the domain. */
export interface FindingInput {
  readonly host?: string;
  readonly ip?: string;
  readonly detail?: string;
  readonly preference?: number;
  readonly meant?: string | undefined;
  /** The value at fault and its fault. */
  readonly reason?: string | undefined;
  readonly tlsa?: readonly RecordFault[];
  readonly tlsaAlias?: string | undefined;
  /** The server's own reply, as received. */
  readonly reply?: string | undefined;
  readonly spkiSha256?: string;
  readonly temporary?: boolean;
  /** True if the address lookup of the host failed. */
  readonly lookup?: boolean;
  readonly advice?: string | undefined;
  /** Mechanisms whose senders refuse the subject. Default: those of `mechanisms`. */
  readonly refusedBy?: FindingValues['refusedBy'];
  /**
   * The action of a sender that refuses the subject; default that of a sender that
   * requires TLS.
   */
  readonly instead?: string | undefined;
  /** Mechanisms in force for the subject; the worst of their severities applies. */
  readonly mechanisms?: readonly TrustMechanism[];
  /** True if no other host is left: the rule's `whenAll` severity then applies. */
  readonly all?: boolean;
}

/** The inputs that all findings of a domain share. */
export interface Collected {
  readonly evidence: Evidence;
  readonly profile: Profile;
  readonly hosts: readonly JudgedHost[];
  readonly options: CommandOptions;
}

/**
 * Collects findings, each once per subject. Later findings of the same subject are
 * ignored, so a rule with more detail has to come before a general rule.
 */
export class FindingCollector {
  readonly #findings = new Map<string, Finding>();
  /** Values that apply to every finding of this domain. */
  readonly #base: FindingValues;

  /** Hosts that a sender may try. MX records without a usable host are not among them. */
  readonly hosts: readonly JudgedHost[];
  readonly passedOver: readonly JudgedHost[];

  /**
   * Hosts, by name, whose faults end once the MX record names the target of their alias.
   */
  readonly aliases: ReadonlyMap<string, AliasCause>;

  readonly evidence: Evidence;
  readonly profile: Profile;

  constructor({ evidence, profile, hosts: all, options }: Collected) {
    this.evidence = evidence;
    this.profile = profile;
    const judgedHosts = all.filter((judgedHost) => judgedHost.summary.passedOver === undefined);
    this.hosts = judgedHosts;
    this.aliases = aliasCauses(evidence, judgedHosts);
    this.passedOver = all.filter((judgedHost) => judgedHost.summary.passedOver !== undefined);
    const { skipped = [] } = evidence.route;
    this.#base = {
      domain: evidence.domain,
      options,
      host: '',
      ip: '',
      mx: namesOf(judgedHosts.filter((judgedHost) => !isUnseen(judgedHost))),
      unseen: [...namesOf(judgedHosts.filter(isUnseen)), ...skipped],
      preference: 10,
      addressOwner: '',
      meant: undefined,
      detail: '',
      reason: undefined,
      tlsa: [],
      tlsaAlias: undefined,
      reply: undefined,
      policyId: evidence.collectedAt.replace(/[^0-9TZ]/g, '').slice(0, 24),
      policy: evidence.mtaSts.policy,
      tlsRpt: evidence.tlsRpt.status === 'found',
      notReady: [...namesOf(judgedHosts.filter((judgedHost) => !isReady(judgedHost))), ...skipped],
      refusedBy: [],
      instead: 'defer the mail',
      temporary: false,
      spkiSha256: '',
      lookup: false,
      advice: undefined,
      resolver: evidence.network.resolver.map((resolver) => resolver.label).join(', '),
    };
  }

  /**
   * Adds a finding with its severity in the profile under the mechanisms in force. A
   * second finding of the same id and subject is ignored.
   */
  add(id: FindingId, { mechanisms = ['none'], all = false, ...values }: FindingInput = {}): void {
    const rule = this.profile.rules[id];
    const base = rule.severity;
    const usual =
      typeof base === 'string' ? base : worst(mechanisms.map((mechanism) => base[mechanism]));
    const severity = all ? (rule.whenAll ?? usual) : usual;
    const { host: name, ip } = values;
    const instead = values.instead ?? (name && alternativeTo(this, { name, ip }));
    const particulars = {
      ...this.#base,
      ...values,
      addressOwner: this.#addressOwnerOf(name),
      refusedBy: values.refusedBy ?? mechanisms.filter(isEnforced),
      instead: instead || this.#base.instead,
    };
    const made = { ...finding(id, severity, particulars), reference: rule.clause };
    const identity = `${id} ${made.subject}`;
    if (!this.#findings.has(identity)) this.#findings.set(identity, made);
  }

  #addressOwnerOf(hostName = ''): string {
    const judgedHost = this.hosts.find(({ evidence }) => evidence.name === hostName);
    return judgedHost?.evidence.alias?.canonicalName ?? hostName;
  }

  /** Returns true when one of the findings was raised. */
  has(...ids: readonly FindingId[]): boolean {
    return this.#list().some((finding) => (ids as readonly string[]).includes(finding.id));
  }

  #list(): Finding[] {
    return [...this.#findings.values()];
  }

  /**
   * Returns the findings, worst first, and within a severity in the order of the
   * catalogue, most important first. A fault that a mechanism makes harmless has severity
   * `good` and is omitted; reports show only those `good` findings that state an
   * advantage.
   */
  list(): readonly Finding[] {
    const ids = Object.keys(catalogue);
    return this.#list()
      .filter((finding) => finding.severity !== 'good' || finding.id.endsWith('-good'))
      .sort(
        (address, b) =>
          order.indexOf(address.severity) - order.indexOf(b.severity) ||
          ids.indexOf(address.id) - ids.indexOf(b.id),
      );
  }
}

/** Returns true if the mechanism makes senders refuse a server. */
export const isEnforced = (
  mechanism: TrustMechanism,
): mechanism is Exclude<TrustMechanism, 'none' | 'testing'> =>
  mechanism !== 'none' && mechanism !== 'testing';

const namesOf = (judgedHosts: readonly JudgedHost[]): readonly string[] =>
  judgedHosts.map((judgedHost) => judgedHost.evidence.name);

/** Returns whether no address of the host is known, because the lookups failed. */
function isUnseen({ summary }: JudgedHost): boolean {
  return summary.addressLookup === 'failed';
}

/**
 * Returns whether every address that was tried accepts mail over TLS with a certificate
 * that an MTA-STS sender accepts (RFC 8461 §4.2).
 */
function isReady({ addresses }: JudgedHost): boolean {
  const tried = addresses.filter((address) => address.summary.status !== 'skipped');
  return (
    tried.length > 0 &&
    tried.every(
      ({ certificates, insideTls, intermittent, strictTls }) =>
        insideTls === 'works' &&
        !intermittent &&
        strictTls === 'works' &&
        certificates.length > 0 &&
        certificates.every((certificate) => certificate.pkix === 'yes'),
    )
  );
}

/** Returns the worst of several severities, that of the strictest mechanism. */
function worst(severities: readonly Severity[]): Severity {
  return order.find((severity) => severities.includes(severity)) ?? 'info';
}
