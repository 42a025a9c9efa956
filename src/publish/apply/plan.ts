import { mapConcurrent } from '../../base/index.js';
import type { Alert, FailedAction, ImportKey, Step, Wait } from '../actions.js';
import type { DesiredMailDomain, DesiredMailHost, PublishSection } from '../config.js';
import type { KeyRing, RingKey } from '../keys/key-ring.js';
import type { HostMemory, Ledger, Subject } from '../ledger/ledger.js';
import type { Observer } from '../observe/observer.js';
import { observePublishedDomain } from '../observe/observe-domain.js';
import { hostCertificates } from '../certificates/host-certificates.js';
import { planImports, type ImportPlan } from '../certificates/import-external.js';
import { observeCertificates } from '../certificates/observe-certificates.js';
import { stepCertificates } from '../certificates/step-certificates.js';
import type { DesiredCertificates, HostCertificate } from '../certificates/types.js';
import { observePublishedHost } from '../observe/observe-host.js';
import { mxWildcardBlocker } from '../mta-sts/apply-observation.js';
import { stepDelegation } from '../mta-sts/step-delegation.js';
import { stepPolicy } from '../mta-sts/step-policy.js';
import { stepReports } from '../mta-sts/step-reports.js';
import type { PolicyStep, DesiredPolicy, Proposal } from '../mta-sts/types.js';
import { stepRollover } from '../tlsa/step-rollover.js';
import type { KeySlot, TlsaRolloverState, DesiredRollover } from '../tlsa/types.js';

/** A failed action of a subject, and the time of the next attempt. */
export interface PlannedRetry extends FailedAction {
  /** Milliseconds since 1970; undefined if the operator starts each round. */
  readonly retry?: number | undefined;
}

/**
 * The plan for one host or domain: the steps, the reason why each is safe now, and the
 * conditions that the plan waits for.
 */
export interface SubjectPlan {
  readonly kind: 'host' | 'domain';
  readonly subject: string;
  /** Entry of `publish.dns` that changes its records. */
  readonly dns: string;
  /** The current state in one line, human-readable. */
  readonly place: string;
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
  readonly proposals: readonly Proposal[];
  /** Actions whose last attempt failed. */
  readonly failures: readonly PlannedRetry[];
  /** For a mail host: the certificates of the keys in use and of the next keys. */
  readonly certificates?: readonly HostCertificate[];
  /**
   * Saves the state that the steps depend on, before any step is executed. Resolves to
   * false if another process has saved a different state since: then no step may be
   * executed.
   */
  save(): Promise<boolean>;
}

export interface PlanOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  readonly observer: Observer;
  /**
   * Returns the reason why the CA would refuse the certificate of a host; undefined also
   * for a host whose certificates this machine does not obtain.
   */
  readonly findBlocker?: (hostName: string) => Promise<Alert | undefined>;
  /** Returns the renewal time of the certificate of a key, milliseconds since 1970. */
  readonly renewalAt?: (hostName: string, identity: string) => number | undefined;
  /**
   * Milliseconds between two rounds of the daemon; undefined if the operator starts each
   * round.
   */
  readonly intervalMs?: number | undefined;
  /** Selects the hosts and domains to observe. Default: all. */
  readonly only?: ((subject: Subject) => boolean) | undefined;
}

type Planned = Omit<SubjectPlan, 'failures'>;

/**
 * Maximum subjects that are planned concurrently: ten thousand domains must not open ten
 * thousand sockets.
 */
const MAX_CONCURRENT = 16;

/**
 * Observes and plans every host and every domain of the configuration, and every removed
 * domain that still has a policy. Changes nothing. [8461-3.4-3]
 */
export async function planAll(options: PlanOptions): Promise<readonly SubjectPlan[]> {
  const { section, ledger, intervalMs, only = () => true } = options;
  const hosts = Object.entries(section.hosts).filter(([name]) => only({ kind: 'host', name }));
  const isSelected = (name: string): boolean => only({ kind: 'domain', name });
  const configured = Object.entries(section.domains).filter(([name]) => isSelected(name));
  const removed = ledger
    .domains()
    .filter((domainName) => !(domainName in section.domains) && isSelected(domainName));
  const jobs: readonly (() => Promise<Planned>)[] = [
    ...hosts.map(
      ([hostName, desired]) =>
        () =>
          planHost(hostName, desired, options),
    ),
    ...configured.map(
      ([domainName, desired]) =>
        () =>
          planMailDomain(domainName, desired, options),
    ),
    ...removed.map((domainName) => () => planDomain(domainName, undefined, options)),
  ];
  const plans = await mapConcurrent(jobs, MAX_CONCURRENT, async (job) =>
    withBlocker(await job(), options),
  );
  return plans.map((plan) => ({
    ...plan,
    failures: ledger.failures({ kind: plan.kind, name: plan.subject }).map((failure) => {
      const nextRound = intervalMs === undefined ? 0 : failure.at + intervalMs;
      const retry = Math.max(failure.until ?? 0, nextRound);
      return { ...failure, retry: retry > 0 ? retry : undefined };
    }),
  }));
}

/**
 * Adds an alert with the reason why the CA would refuse the certificate of a subject. The
 * certificate order and all later steps are deferred until the cause is fixed: a policy
 * without a certificate must not be announced.
 */
export async function withBlocker(
  planned: Planned,
  { section, findBlocker }: Pick<PlanOptions, 'section' | 'findBlocker'>,
): Promise<Planned> {
  const { kind, subject, steps } = planned;
  if (!findBlocker || (kind === 'host' && section.hosts[subject]?.certificates !== 'acme'))
    return planned;
  const blocker = await findBlocker(kind === 'host' ? subject : `mta-sts.${subject}`);
  if (!blocker) return planned;
  const alerts = [...planned.alerts, blocker];
  const first = steps.findIndex(({ action }) => action.kind === 'certify');
  if (first < 0) return { ...planned, alerts };
  const why = `the certificate of ${blocker.subject} is not ordered: ${blocker.detail}`;
  return {
    ...planned,
    alerts,
    steps: steps.slice(0, first),
    waits: [...planned.waits, { subject, why }],
  };
}

function planMailDomain(
  domainName: string,
  desired: DesiredMailDomain,
  options: PlanOptions,
): Promise<Planned> {
  const { sameAs } = desired;
  if (sameAs === undefined) return planDomain(domainName, desired, options);
  return planDelegation(domainName, { ...desired, sameAs }, options);
}

async function planHost(
  hostName: string,
  desired: DesiredMailHost,
  { ledger, ring, observer, renewalAt }: PlanOptions,
): Promise<Planned> {
  const { clock } = observer;
  const before = ledger.host(hostName);
  const hostMemory = ledger.memory(hostName);
  const external = planImports(before, desired, {
    ring,
    anchors: observer.trustStore,
    at: clock.now(),
  });
  // The plan includes the keys to import. The state of the plan is saved only once these
  // keys are in the ring.
  const keys = (now: number): readonly RingKey[] => withImports(ring.list(hostName, now), external);
  const observed = await observePublishedHost(before, keys, observer, desired.dns);
  const rollover = stepRollover(before, observed, {
    ...desiredRollover(desired),
    retire: [
      ...keysToRetire(hostName, ledger),
      ...external.retire,
      ...keysDueByAge(hostMemory.inUse, desired.rollKeysEvery, clock.now()),
    ],
  });
  const { state: tlsaRolloverState } = rollover;
  const instant = clock.now();
  const folder = desired.install?.folder;
  const certificates = observeCertificates(hostName, {
    ring,
    reloaded: hostMemory.told,
    probed: await observer.probe(hostName),
    folder,
    at: instant,
  });
  const desiredCertificates: DesiredCertificates = {
    acme: desired.certificates === 'acme',
    folder,
  };
  const { steps, alerts } = stepCertificates(tlsaRolloverState, certificates, desiredCertificates);
  return {
    kind: 'host',
    subject: hostName,
    dns: desired.dns,
    place: hostSummary(tlsaRolloverState),
    proposals: [],
    steps: [...importSteps(external), ...rollover.steps, ...steps],
    waits: [...external.waits, ...rollover.waits],
    alerts: [...external.alerts, ...rollover.alerts, ...alerts],
    certificates: hostCertificates(
      tlsaRolloverState,
      certificates,
      desiredCertificates,
      (identity) => renewalAt?.(hostName, identity),
    ),
    async save() {
      if (!(await ledger.saveHost(before, tlsaRolloverState, instant))) return false;
      const inUse = inUseSince(hostMemory.inUse, tlsaRolloverState, instant);
      if (Object.keys(inUse).join() !== Object.keys(hostMemory.inUse).join())
        await ledger.remember(hostName, (known) => ({ ...known, inUse }), instant);
      return true;
    },
  };
}

/** Returns the keys that the ring has after the imports, by name. */
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
    because: 'Hermetic creates records only from keys of the key ring; the files stay unchanged',
    clause: 'RFC 7671 §8.1',
  }));
}

function inUseSince(
  known: HostMemory['inUse'],
  { slots }: TlsaRolloverState,
  instant: number,
): HostMemory['inUse'] {
  const current = Object.values(slots).flatMap(({ current: serverKey }) => serverKey ?? []);
  return Object.fromEntries(current.map(({ sha256 }) => [sha256, known[sha256] ?? instant]));
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

/**
 * Returns the keys that the operator retired: tokens `leave:HOST:SHA256` of the ledger.
 */
function keysToRetire(hostName: string, ledger: Ledger): readonly string[] {
  const prefix = `leave:${hostName}:`;
  return ledger
    .confirmed()
    .filter((token) => token.startsWith(prefix))
    .map((token) => token.slice(prefix.length));
}

function keysDueByAge(
  inUse: HostMemory['inUse'],
  maxAgeMs: number | undefined,
  instant: number,
): readonly string[] {
  if (maxAgeMs === undefined) return [];
  return Object.entries(inUse)
    .filter(([, since]) => instant - since >= maxAgeMs)
    .map(([sha256]) => sha256);
}

/**
 * Plans a domain that has its own policy. If `desired` is undefined, plans the removal of
 * the policy.
 */
async function planDomain(
  domainName: string,
  desired: DesiredMailDomain | undefined,
  { section, ledger, observer }: PlanOptions,
): Promise<Planned> {
  const before = ledger.domain(domainName);
  const { reporters, days, leastReports } = section;
  const dns = desired?.dns ?? 'print';
  const exchangers = desired?.mx ?? before.served.at(-1)?.mx ?? [];
  const observed = await observePublishedDomain(
    { domain: domainName, mxHosts: exchangers, days, dns },
    observer,
  );
  const desiredPolicy: DesiredPolicy = {
    mode: desired?.mode ?? 'none',
    mx: exchangers,
    maxAges: desired?.maxAges ?? [86_400],
    ttl: desired?.ttl ?? 3600,
    reporters,
    days,
    minReports: leastReports,
    confirmed: ledger.confirmed(),
    policyHost: desired?.policyHost,
  };
  const policyStep = stepPolicy(before, observed, desiredPolicy);
  const reporting = stepReports(domainName, observed.tlsRpt, {
    rua: desired?.reports ?? [],
    ttl: desiredPolicy.ttl,
    written: before.reports,
    held: mxWildcardBlocker(domainName, observed),
  });
  const instant = observer.clock.now();
  return {
    kind: 'domain',
    subject: domainName,
    dns,
    place: domainSummary(policyStep),
    steps: [...reporting.steps, ...policyStep.steps],
    waits: [...reporting.waits, ...policyStep.waits],
    alerts: policyStep.alerts,
    proposals: policyStep.proposals,
    save: () => ledger.saveDomain(before, { ...policyStep.state, ...reporting.state }, instant),
  };
}

/**
 * Plans a domain that uses the policy of another domain. A domain without its own policy
 * has no state to save.
 */
async function planDelegation(
  domainName: string,
  desired: DesiredMailDomain & { readonly sameAs: string },
  { section, ledger, observer }: PlanOptions,
): Promise<Planned> {
  const { policyHost, ttl, sameAs, reports, dns } = desired;
  const query = { domain: domainName, mxHosts: [], days: section.days, dns };
  const observed = await observePublishedDomain(query, observer);
  const servedPolicy = ledger.domain(sameAs).served.at(-1);
  const body =
    servedPolicy?.announced && servedPolicy.last === undefined ? servedPolicy.body : undefined;
  const delegation = { domain: domainName, to: sameAs, body, ttl, policyHost };
  const partialStep = stepDelegation(delegation, observed.delegated, observed);
  const held = mxWildcardBlocker(domainName, observed);
  const reporting = stepReports(domainName, observed.tlsRpt, { rua: reports, ttl, held });
  const isDelegated = observed.delegated === `_mta-sts.${sameAs}`;
  return {
    kind: 'domain',
    subject: domainName,
    dns,
    place: `${isDelegated ? 'uses' : 'will use'} the policy of ${sameAs}`,
    steps: [...reporting.steps, ...partialStep.steps],
    waits: [...reporting.waits, ...partialStep.waits],
    alerts: [],
    proposals: [],
    save: () => Promise.resolve(true),
  };
}

function hostSummary({ slots }: TlsaRolloverState): string {
  const used = Object.entries(slots).filter(([, { current, next }]) => current ?? next);
  if (used.length === 0) return 'its keys are not known yet';
  return used.map(([type, keySlot]) => `${type}: ${slotSummary(keySlot)}`).join('; ');
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
