import { mapConcurrent } from '../../base/index.js';
import type { Alert, FailedAction, ImportKey, Step, Wait } from '../actions.js';
import type { DesiredMailDomain, DesiredMailHost, PublishSection } from '../config.js';
import type { KeyRing, RingKey } from '../keys/key-ring.js';
import type { HostMemory, Ledger } from '../ledger/ledger.js';
import type { Observer } from '../observe/observer.js';
import { observeDomain } from '../observe/observe-domain.js';
import { hostCertificates } from '../certificates/host-certificates.js';
import { planImports, type ImportPlan } from '../certificates/import-external.js';
import { observeCertificates } from '../certificates/observe-certificates.js';
import { stepCertificates } from '../certificates/step-certificates.js';
import type { DesiredCertificates, HostCertificate } from '../certificates/types.js';
import { observeHost } from '../observe/observe-host.js';
import { mxWildcardBlocker } from '../mta-sts/apply-observation.js';
import { stepDelegation } from '../mta-sts/step-delegation.js';
import { stepPolicy } from '../mta-sts/step-policy.js';
import { stepReports } from '../mta-sts/step-reports.js';
import type { PolicyStep, DesiredPolicy, Proposal } from '../mta-sts/types.js';
import { stepRollover } from '../tlsa/step-rollover.js';
import type { KeySlot, TlsaRolloverState, DesiredRollover } from '../tlsa/types.js';

/** A failed action of a subject, and when it is tried again. */
export interface PlannedRetry extends FailedAction {
  /** Milliseconds since 1970. Undefined: the operator starts each round. */
  readonly retry?: number | undefined;
}

/**
 * The plan for one host or domain: the steps, why each is safe now, and what the plan waits
 * for.
 */
export interface SubjectPlan {
  readonly kind: 'host' | 'domain';
  readonly subject: string;
  /** Entry of `publish.dns` that changes its records. */
  readonly dns: string;
  /** The present state in one line, human-readable. */
  readonly place: string;
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
  readonly proposals: readonly Proposal[];
  /** Actions that failed last time and have not succeeded since. */
  readonly failures: readonly PlannedRetry[];
  /** Of a mail host: the certificates of the keys in use and of the next keys. */
  readonly certificates?: readonly HostCertificate[];
  /**
   * Saves the state that the steps rest on, before any step is executed. False: another
   * process has saved another state meanwhile, and no step may be executed.
   */
  save(): boolean;
}

export interface PlanOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  readonly observer: Observer;
  /** Returns when the certificate of a key is renewed, milliseconds since 1970. */
  readonly renewalAt?: (host: string, key: string) => number | undefined;
  /** Milliseconds between two rounds of the daemon. Undefined: the operator starts each. */
  readonly intervalMs?: number | undefined;
}

type Planned = Omit<SubjectPlan, 'failures'>;

/**
 * Subjects that are planned at the same time: ten thousand domains must not open ten
 * thousand sockets.
 */
const MAX_CONCURRENT = 16;

/**
 * Observes and plans every host and domain of the configuration, and every domain that was
 * removed from it and still has a policy. Changes nothing. [8461-3.4-3]
 */
export async function planAll(options: PlanOptions): Promise<readonly SubjectPlan[]> {
  const { section, ledger, intervalMs } = options;
  const removed = ledger.domains().filter((domain) => !(domain in section.domains));
  const jobs: readonly (() => Promise<Planned>)[] = [
    ...Object.entries(section.hosts).map(
      ([host, desired]) =>
        () =>
          planHost(host, desired, options),
    ),
    ...Object.entries(section.domains).map(
      ([domain, desired]) =>
        () =>
          planMailDomain(domain, desired, options),
    ),
    ...removed.map((domain) => () => planDomain(domain, undefined, options)),
  ];
  const plans = await mapConcurrent(jobs, MAX_CONCURRENT, (job) => job());
  return plans.map((plan) => ({
    ...plan,
    failures: ledger.failures({ kind: plan.kind, name: plan.subject }).map((failure) => {
      const nextRound = intervalMs === undefined ? 0 : failure.at + intervalMs;
      const retry = Math.max(failure.until ?? 0, nextRound);
      return { ...failure, retry: retry > 0 ? retry : undefined };
    }),
  }));
}

function planMailDomain(
  domain: string,
  desired: DesiredMailDomain,
  options: PlanOptions,
): Promise<Planned> {
  const { sameAs } = desired;
  if (sameAs === undefined) return planDomain(domain, desired, options);
  return planDelegation(domain, { ...desired, sameAs }, options);
}

async function planHost(
  host: string,
  desired: DesiredMailHost,
  { ledger, ring, observer, renewalAt }: PlanOptions,
): Promise<Planned> {
  const { clock } = observer;
  const before = ledger.host(host);
  const memory = ledger.memory(host);
  const external = planImports(before, desired, {
    ring,
    anchors: observer.trustStore,
    at: clock.now(),
  });
  // The plan includes the keys to import. It is saved only once they are in the ring.
  const keys = (now: number): readonly RingKey[] => withImports(ring.list(host, now), external);
  const observed = await observeHost(before, keys, observer, desired.dns);
  const rollover = stepRollover(before, observed, {
    ...desiredRollover(desired),
    retire: [
      ...keysToRetire(host, ledger),
      ...external.retire,
      ...keysDueByAge(memory.inUse, desired.rollKeysEvery, clock.now()),
    ],
  });
  const { state } = rollover;
  const at = clock.now();
  const folder = desired.install?.folder;
  const certificates = observeCertificates(host, {
    ring,
    reloaded: memory.told,
    probed: await observer.probe(host),
    folder,
    at,
  });
  const desiredCertificates: DesiredCertificates = {
    acme: desired.certificates === 'acme',
    folder,
  };
  const { steps, alerts } = stepCertificates(state, certificates, desiredCertificates);
  return {
    kind: 'host',
    subject: host,
    dns: desired.dns,
    place: hostSummary(state),
    proposals: [],
    steps: [...importSteps(external), ...rollover.steps, ...steps],
    waits: [...external.waits, ...rollover.waits],
    alerts: [...external.alerts, ...rollover.alerts, ...alerts],
    certificates: hostCertificates(state, certificates, desiredCertificates, (key) =>
      renewalAt?.(host, key),
    ),
    save() {
      if (!ledger.saveHost(before, state, at)) return false;
      const inUse = inUseSince(memory.inUse, state, at);
      if (Object.keys(inUse).join() !== Object.keys(memory.inUse).join())
        ledger.remember(host, (known) => ({ ...known, inUse }), at);
      return true;
    },
  };
}

/** Returns the keys of the ring as they are once the imports are executed, by name. */
function withImports(ringKeys: readonly RingKey[], { imports }: ImportPlan): readonly RingKey[] {
  const imported = imports.map(({ key }) => key);
  const names = new Set(imported.map(({ name }) => name));
  return [...ringKeys.filter(({ name }) => !names.has(name)), ...imported].sort((left, right) =>
    left.name < right.name ? -1 : 1,
  );
}

/** Returns the steps that import keys and chains that the ring lacks. */
export function importSteps({ imports }: ImportPlan): readonly Step<ImportKey>[] {
  return imports.map(({ action }) => ({
    action,
    because: 'records are made only from keys of the ring; the files stay as they are',
    clause: 'RFC 7671 §8.1',
  }));
}

function inUseSince(
  known: HostMemory['inUse'],
  { slots }: TlsaRolloverState,
  at: number,
): HostMemory['inUse'] {
  const current = Object.values(slots).flatMap(({ current: key }) => key ?? []);
  return Object.fromEntries(current.map(({ sha256 }) => [sha256, known[sha256] ?? at]));
}

function desiredRollover({
  dane,
  keys,
  matchingTypes,
  ttl,
  certificates,
}: DesiredMailHost): Omit<DesiredRollover, 'retire'> {
  const external = certificates === 'files';
  return { publish: dane, types: keys, matchingTypes, ttl, external };
}

/** Returns the keys that the operator retired: tokens `leave:HOST:SHA256` of the ledger. */
function keysToRetire(host: string, ledger: Ledger): readonly string[] {
  const prefix = `leave:${host}:`;
  return ledger
    .confirmed()
    .filter((token) => token.startsWith(prefix))
    .map((token) => token.slice(prefix.length));
}

function keysDueByAge(
  inUse: HostMemory['inUse'],
  maxAgeMs: number | undefined,
  at: number,
): readonly string[] {
  if (maxAgeMs === undefined) return [];
  return Object.entries(inUse)
    .filter(([, since]) => at - since >= maxAgeMs)
    .map(([sha256]) => sha256);
}

/** Plans a domain with a policy of its own. `desired` undefined: its policy is removed. */
async function planDomain(
  domain: string,
  desired: DesiredMailDomain | undefined,
  { section, ledger, observer }: PlanOptions,
): Promise<Planned> {
  const before = ledger.domain(domain);
  const { reporters, days, leastReports } = section;
  const dns = desired?.dns ?? 'print';
  const mx = desired?.mx ?? before.served.at(-1)?.mx ?? [];
  const observed = await observeDomain({ domain, mxHosts: mx, days, dns }, observer);
  const desiredPolicy: DesiredPolicy = {
    mode: desired?.mode ?? 'none',
    mx,
    maxAges: desired?.maxAges ?? [86_400],
    ttl: desired?.ttl ?? 3600,
    reporters,
    days,
    minReports: leastReports,
    confirmed: ledger.confirmed(),
    policyHost: desired?.policyHost,
  };
  const step = stepPolicy(before, observed, desiredPolicy);
  const reporting = stepReports(domain, observed.tlsRpt, {
    rua: desired?.reports ?? [],
    ttl: desiredPolicy.ttl,
    written: before.reports,
    held: mxWildcardBlocker(domain, observed),
  });
  const at = observer.clock.now();
  return {
    kind: 'domain',
    subject: domain,
    dns,
    place: domainSummary(step),
    steps: [...reporting.steps, ...step.steps],
    waits: [...reporting.waits, ...step.waits],
    alerts: step.alerts,
    proposals: step.proposals,
    save: () => ledger.saveDomain(before, { ...step.state, ...reporting.state }, at),
  };
}

/** Plans a domain that uses the policy of another. It has no state to save. */
async function planDelegation(
  domain: string,
  desired: DesiredMailDomain & { readonly sameAs: string },
  { section, ledger, observer }: PlanOptions,
): Promise<Planned> {
  const { policyHost, ttl, sameAs, reports, dns } = desired;
  const query = { domain, mxHosts: [], days: section.days, dns };
  const observed = await observeDomain(query, observer);
  const policy = ledger.domain(sameAs).served.at(-1);
  const body = policy?.announced && policy.last === undefined ? policy.body : undefined;
  const delegation = { domain, to: sameAs, body, ttl, policyHost };
  const step = stepDelegation(delegation, observed.delegated, observed);
  const held = mxWildcardBlocker(domain, observed);
  const reporting = stepReports(domain, observed.tlsRpt, { rua: reports, ttl, held });
  const isDelegated = observed.delegated === `_mta-sts.${sameAs}`;
  return {
    kind: 'domain',
    subject: domain,
    dns,
    place: `${isDelegated ? 'uses' : 'is to use'} the policy of ${sameAs}`,
    steps: [...reporting.steps, ...step.steps],
    waits: [...reporting.waits, ...step.waits],
    alerts: [],
    proposals: [],
    save: () => true,
  };
}

function hostSummary({ slots }: TlsaRolloverState): string {
  const used = Object.entries(slots).filter(([, { current, next }]) => current ?? next);
  if (used.length === 0) return 'its keys are not known yet';
  return used.map(([type, slot]) => `${type}: ${slotSummary(slot)}`).join('; ');
}

function slotSummary({ current, next, deploying }: KeySlot): string {
  const inUse = `${current?.name ?? 'none'} in use`;
  if (!next) return inUse;
  return `${inUse}, ${next.name} ${deploying ? 'being deployed' : 'next'}`;
}

function domainSummary({ state }: PolicyStep): string {
  const current = state.served.at(-1);
  if (!current || current.last !== undefined) return 'no policy is served';
  const { mode, maxAge, id, announced } = current;
  const since = announced
    ? `announced ${new Date(announced.at).toISOString().slice(0, 16)}Z`
    : 'not announced yet';
  return `${mode}, max_age ${maxAge}, id ${id.slice(0, 8)}, ${since}`;
}
