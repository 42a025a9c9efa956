import { catalogue, finding, type FindingId } from '../findings/catalogue.js';
import type { CommandOptions, FindingValues } from '../findings/entry.js';
import type { TrustMechanism, Profile } from '../profiles/profile.js';
import type { RecordFault } from '../../dane/index.js';
import type { Evidence, Finding, Severity } from '../../evidence/index.js';
import { aliasCauses, type AliasCause } from './alias-cause.js';
import type { JudgedHost } from './judge-host.js';

const order: readonly Severity[] = ['fail', 'warn', 'info', 'good'];

export interface FindingInput {
  readonly host?: string;
  readonly ip?: string;
  readonly detail?: string;
  readonly preference?: number;
  readonly meant?: string | undefined;
  /** The value at fault and what is wrong with it. */
  readonly reason?: string | undefined;
  readonly tlsa?: readonly RecordFault[];
  readonly tlsaOfKey?: boolean;
  /** The server's own reply, as received. */
  readonly reply?: string | undefined;
  readonly spkiSha256?: string;
  /** Mechanisms in force for the subject; the worst of their severities counts. */
  readonly mechanisms?: readonly TrustMechanism[];
  /** Nothing else is left. */
  readonly all?: boolean;
}

/** Everything that findings are made from. */
export interface Collected {
  readonly evidence: Evidence;
  readonly profile: Profile;
  readonly hosts: readonly JudgedHost[];
  readonly options: CommandOptions;
}

/** Collects the findings of one result. Each finding is raised once per subject. */
export class FindingCollector {
  readonly #findings = new Map<string, Finding>();
  readonly #base: FindingValues;

  /** Hosts that a sender may try; the others are records that lead nowhere. */
  readonly hosts: readonly JudgedHost[];
  readonly passedOver: readonly JudgedHost[];

  /** Hosts whose faults end once the MX record names where their alias leads, by name. */
  readonly aliases: ReadonlyMap<string, AliasCause>;

  readonly evidence: Evidence;
  readonly profile: Profile;

  constructor({ evidence, profile, hosts: all, options }: Collected) {
    this.evidence = evidence;
    this.profile = profile;
    const hosts = all.filter((h) => h.summary.passedOver === undefined);
    this.hosts = hosts;
    this.aliases = aliasCauses(evidence, hosts);
    this.passedOver = all.filter((h) => h.summary.passedOver !== undefined);
    this.#base = {
      domain: evidence.domain,
      options,
      host: '',
      ip: '',
      mx: hosts.map((h) => h.evidence.name),
      preference: 10,
      meant: undefined,
      detail: '',
      reason: undefined,
      tlsa: [],
      tlsaOfKey: false,
      reply: undefined,
      policyId: evidence.collectedAt.replace(/[^0-9TZ]/g, '').slice(0, 24),
      policy: evidence.mtaSts.policy,
      tlsRpt: evidence.tlsRpt.status === 'found',
      notReady: hosts
        .filter((h) => h.addresses.some((a) => a.certificates.some((c) => c.pkix === 'no')))
        .map((h) => h.evidence.name),
      spkiSha256: '',
      resolver: evidence.network.resolver.map((r) => r.label).join(', '),
    };
  }

  add(id: FindingId, { mechanisms = ['none'], all = false, ...values }: FindingInput = {}): void {
    const rule = this.profile.rules[id];
    const base = rule.severity;
    const usual =
      typeof base === 'string' ? base : worst(mechanisms.map((mechanism) => base[mechanism]));
    const severity = all ? (rule.whenAll ?? usual) : usual;
    const made = { ...finding(id, severity, { ...this.#base, ...values }), reference: rule.clause };
    const key = `${id} ${made.subject}`;
    if (!this.#findings.has(key)) this.#findings.set(key, made);
  }

  /** True when one of these was raised. */
  has(...ids: readonly FindingId[]): boolean {
    return this.#list().some((f) => (ids as readonly string[]).includes(f.id));
  }

  #list(): Finding[] {
    return [...this.#findings.values()];
  }

  /**
   * Worst first; within a severity in the order of the catalogue, which is that of worth.
   * A certificate that is good enough is no finding.
   */
  list(): readonly Finding[] {
    const ids = Object.keys(catalogue);
    return this.#list()
      .filter((f) => f.severity !== 'good' || f.id.endsWith('-good'))
      .sort(
        (a, b) =>
          order.indexOf(a.severity) - order.indexOf(b.severity) ||
          ids.indexOf(a.id) - ids.indexOf(b.id),
      );
  }
}

function worst(severities: readonly Severity[]): Severity {
  return order.find((s) => severities.includes(s)) ?? 'info';
}
