import type { Alert, FailedAction, ImportKey, Step, Wait } from '../actions.js';
import type { DesiredMailDomain, DesiredMailHost, PublishSection } from '../config.js';
import type { KeyRing, RingKey } from '../keys/key-ring.js';
import type { Ledger } from '../ledger/ledger.js';
import type { HostMemory } from '../ledger/ledger.js';
import type { Observer } from '../observe/observer.js';
import { observeDomain } from '../observe/read-domain.js';
import { hostCertificates } from '../certificates/host-certificates.js';
import { readBrought, type BroughtReading } from '../certificates/read-brought.js';
import { readCertificates } from '../certificates/read-certificates.js';
import { stepCertificates } from '../certificates/step-certificates.js';
import type { HostCertificate } from '../certificates/types.js';
import { readHost } from '../observe/read-host.js';
import { heldByWildcard } from '../mta-sts/apply-observation.js';
import { stepDelegation } from '../mta-sts/step-delegation.js';
import { stepPolicy } from '../mta-sts/step-policy.js';
import { stepReports } from '../mta-sts/step-reports.js';
import type { PolicyStep, DesiredPolicy, Proposal } from '../mta-sts/types.js';
import { stepRollover } from '../tlsa/step-rollover.js';
import type { RolloverState, RolloverStep, DesiredRollover } from '../tlsa/types.js';

/**
 * What is to be done for one host or domain, why it is safe now, and what is waited for.
 */
export interface SubjectPlan {
  readonly kind: 'host' | 'domain';
  readonly subject: string;
  /** Entry of `publish.dns` its records go through. */
  readonly dns: string;
  /** One line for people. */
  readonly place: string;
  readonly steps: readonly Step[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
  readonly proposals: readonly Proposal[];
  /** What failed last, and until when it is paused. */
  readonly failures: readonly (FailedAction & {
    /** When it is tried again, where that is known (milliseconds since 1970). */
    readonly retry?: number;
  })[];
  /** Of a mail host: those of the keys in use, and of the next ones. */
  readonly certificates?: readonly HostCertificate[];
  /**
   * Writes down what the steps rest on, before any of them is carried out; false when
   * another process did so meanwhile, and then none is.
   */
  save(): boolean;
}

export interface PlanOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  readonly eyes: Observer;
  /**
   * When the certificate of a key is renewed, as far as is known (milliseconds since
   * 1970).
   */
  readonly renewed?: (host: string, key: string) => number | undefined;
  /** Milliseconds between two rounds of the daemon; undefined: rounds are run by hand. */
  readonly every?: number | undefined;
}

/**
 * Reads the world and plans for every host and domain, those included that are no longer
 * asked for but still have a policy. Nothing is changed. [8461-3.4-3]
 */
export async function planAll(options: PlanOptions): Promise<readonly SubjectPlan[]> {
  const { section, ledger, every } = options;
  const leaving = ledger.domains().filter((domain) => !(domain in section.domains));
  const plans = await inTurns<Planned>([
    ...Object.entries(section.hosts).map(
      ([host, wish]) =>
        () =>
          planHost(host, wish, options),
    ),
    ...Object.entries(section.domains).map(
      ([domain, wish]) =>
        () =>
          wish.sameAs === undefined
            ? planDomain(domain, wish, options)
            : planDelegation(domain, { ...wish, sameAs: wish.sameAs }, options),
    ),
    ...leaving.map((domain) => () => planDomain(domain, undefined, options)),
  ]);
  return plans.map((plan) => ({
    ...plan,
    failures: ledger.failures({ kind: plan.kind, name: plan.subject }).map((failure) => {
      const next = every === undefined ? undefined : failure.at + every;
      const retry = Math.max(failure.until ?? 0, next ?? 0);
      return { ...failure, ...(retry > 0 ? { retry } : {}) };
    }),
  }));
}

type Planned = Omit<SubjectPlan, 'failures'>;

/**
 * Subjects looked at together: ten thousand domains must not open ten thousand sockets.
 */
const MAX_CONCURRENT = 16;

async function inTurns<T>(jobs: readonly (() => Promise<T>)[]): Promise<readonly T[]> {
  const results: T[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < jobs.length; at = next++)
      results[at] = await (jobs[at] as () => Promise<T>)();
  };
  await Promise.all(Array.from({ length: MAX_CONCURRENT }, work));
  return results;
}

async function planHost(
  host: string,
  wish: DesiredMailHost,
  { ledger, ring, eyes, renewed }: PlanOptions,
): Promise<Planned> {
  const before = ledger.host(host);
  const memory = ledger.memory(host);
  const brought = readBrought(before, wish, {
    ring,
    anchors: eyes.trustStore,
    at: eyes.clock.now(),
  });
  const folder = wish.install?.folder;
  // What an import would bring is planned with; it is only saved once it is in the ring.
  const keys = (now: number): readonly RingKey[] => withImports(ring.list(host, now), brought);
  const seen = await readHost(before, keys, eyes, wish.dns);
  const rollover: RolloverStep = stepRollover(before, seen, {
    ...rolloverWish(wish),
    leave: [
      ...keysToRetire(host, ledger),
      ...brought.leave,
      ...keysDueByAge(memory.inUse, wish.rollKeysEvery, eyes.clock.now()),
    ],
  });
  const { state } = rollover;
  const at = eyes.clock.now();
  const reading = readCertificates(host, {
    ring,
    told: memory.told,
    probed: await eyes.probe(host),
    folder,
    at,
  });
  const certificateWish = {
    acme: wish.certificates === 'acme',
    ...(folder === undefined ? {} : { folder }),
  };
  const { steps, alerts } = stepCertificates(state, reading, certificateWish);
  return {
    kind: 'host',
    subject: host,
    dns: wish.dns,
    place: hostPlace(rollover),
    proposals: [],
    steps: [...importing(brought), ...rollover.steps, ...steps],
    waits: [...brought.waits, ...rollover.waits],
    alerts: [...brought.alerts, ...rollover.alerts, ...alerts],
    certificates: hostCertificates(state, reading, certificateWish, (key) => renewed?.(host, key)),
    save() {
      if (!ledger.saveHost(before, state, at)) return false;
      const inUse = inUseSince(memory.inUse, state, at);
      if (Object.keys(inUse).join() !== Object.keys(memory.inUse).join())
        ledger.remember(host, (known) => ({ ...known, inUse }), at);
      return true;
    },
  };
}

function withImports(held: readonly RingKey[], { imports }: BroughtReading): readonly RingKey[] {
  const come = imports.map(({ key }) => key);
  const names = new Set(come.map(({ name }) => name));
  return [...held.filter(({ name }) => !names.has(name)), ...come].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );
}

/** The steps that bring into the ring what it lacks. */
export function importing({ imports }: BroughtReading): readonly Step<ImportKey>[] {
  return imports.map(({ action }) => ({
    action,
    because: 'records are made from keys of the ring alone; the files stay as they are',
    clause: 'RFC 7671 §8.1',
  }));
}

function inUseSince(
  known: HostMemory['inUse'],
  { slots }: RolloverState,
  at: number,
): HostMemory['inUse'] {
  return Object.fromEntries(
    Object.values(slots).flatMap(({ current }) =>
      current ? [[current.sha256, known[current.sha256] ?? at]] : [],
    ),
  );
}

function rolloverWish({
  dane,
  keys,
  matchingTypes,
  ttl,
  certificates,
}: DesiredMailHost): Omit<DesiredRollover, 'leave'> {
  return { publish: dane, types: keys, matchingTypes, ttl, brought: certificates === 'files' };
}

function keysToRetire(host: string, ledger: Ledger): readonly string[] {
  const begin = `leave:${host}:`;
  return ledger
    .confirmed()
    .flatMap((token) => (token.startsWith(begin) ? [token.slice(begin.length)] : []));
}

function keysDueByAge(
  inUse: HostMemory['inUse'],
  every: number | undefined,
  at: number,
): readonly string[] {
  return every === undefined
    ? []
    : Object.entries(inUse).flatMap(([sha256, since]) => (at - since >= every ? [sha256] : []));
}

async function planDomain(
  domain: string,
  wish: DesiredMailDomain | undefined,
  { section, ledger, eyes }: PlanOptions,
): Promise<Planned> {
  const before = ledger.domain(domain);
  const dns = wish?.dns ?? 'print';
  const mx = wish?.mx ?? before.served.at(-1)?.mx ?? [];
  const seen = await observeDomain(domain, mx, section.days, eyes, dns);
  const { reporters, days, leastReports } = section;
  const policyWish: DesiredPolicy = {
    mode: wish?.mode ?? 'none',
    mx,
    maxAges: wish?.maxAges ?? [86_400],
    ttl: wish?.ttl ?? 3600,
    reporters,
    days,
    leastReports,
    confirmed: ledger.confirmed(),
    ...(wish?.policyHost === undefined ? {} : { policyHost: wish.policyHost }),
  };
  const step: PolicyStep = stepPolicy(before, seen, policyWish);
  const reporting = stepReports(domain, seen.rpt, {
    rua: wish?.reports ?? [],
    ttl: policyWish.ttl,
    written: before.reports,
    held: heldByWildcard(domain, seen),
  });
  const at = eyes.clock.now();
  const save = (): boolean => ledger.saveDomain(before, { ...step.state, ...reporting.state }, at);
  const { alerts, proposals } = step;
  const [steps, waits] = [
    [...reporting.steps, ...step.steps],
    [...reporting.waits, ...step.waits],
  ];
  return {
    kind: 'domain',
    subject: domain,
    dns,
    place: domainPlace(step),
    steps,
    waits,
    alerts,
    proposals,
    save,
  };
}

/** A domain that uses the policy of another has nothing of its own to remember. */
async function planDelegation(
  domain: string,
  wish: DesiredMailDomain & { readonly sameAs: string },
  { section, ledger, eyes }: PlanOptions,
): Promise<Planned> {
  const seen = await observeDomain(domain, [], section.days, eyes, wish.dns);
  const other = ledger.domain(wish.sameAs).served.at(-1);
  const body = other?.announced && other.last === undefined ? other.body : undefined;
  const { policyHost, ttl, sameAs, reports, dns } = wish;
  const { steps, waits } = stepDelegation(
    { domain, to: sameAs, body, ttl, ...(policyHost === undefined ? {} : { policyHost }) },
    seen.delegated,
    seen,
  );
  const held = heldByWildcard(domain, seen);
  const reporting = stepReports(domain, seen.rpt, { rua: reports, ttl, held });
  const place =
    seen.delegated === `_mta-sts.${sameAs}`
      ? `uses the policy of ${sameAs}`
      : `is to use the policy of ${sameAs}`;
  return {
    kind: 'domain',
    subject: domain,
    dns,
    place,
    steps: [...reporting.steps, ...steps],
    waits: [...reporting.waits, ...waits],
    alerts: [],
    proposals: [],
    save: () => true,
  };
}

function hostPlace({ state }: RolloverStep): string {
  const slots = Object.entries(state.slots).filter(([, { current, next }]) => current ?? next);
  if (slots.length === 0) return 'its keys are not known yet';
  return slots
    .map(
      ([type, { current, next, deploying }]) =>
        `${type}: ${current?.name ?? 'none'} in use${next ? `, ${next.name} ${deploying ? 'being deployed' : 'next'}` : ''}`,
    )
    .join('; ');
}

function domainPlace({ state }: PolicyStep): string {
  const current = state.served.at(-1);
  if (!current || current.last !== undefined) return 'no policy is served';
  const since = current.announced
    ? `announced ${new Date(current.announced.at).toISOString().slice(0, 16)}Z`
    : 'not announced yet';
  return `${current.mode}, max_age ${current.maxAge}, id ${current.id.slice(0, 8)}, ${since}`;
}
