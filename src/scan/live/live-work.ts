import {
  baseline,
  collectOptions,
  grade,
  OptOutRecords,
  type CheckOptions,
  type CollectOptions,
  type Profile,
} from '../../check/index.js';
import type { AddressEvidence, CheckResult } from '../../evidence/index.js';
import type { PolicyHostReply } from '../../mta-sts/index.js';
import { systemClock } from '../../base/index.js';
import type {
  ContactDecision,
  DomainFactSet,
  DomainObservation as EngineDomain,
  Facts,
  HostObservation as EngineHost,
  ScanWork,
  VisitFacts,
} from '../engine/index.js';
import { compareSnapshots, snapshotOf } from '../changes/changes.js';
import { familyOf } from '../family/family-of.js';
import { summariseScan } from './summarise.js';
import { MAX_FAMILIES, PROBED_NAMES } from '../family/inference.js';
import { composeEvidence, type ScanVantage } from '../facts/compose-evidence.js';
import type {
  DomainObservation,
  HostObservation,
  ScannedDomain,
  ScannedHost,
  StsObservation,
  VisitObservation,
} from '../facts/observations.js';
import {
  announcesPolicy,
  observeDomain,
  observeHost,
  observePolicy,
  visitHost,
} from '../facts/observe.js';
import { DomainGrader, type DomainGrade } from '../grade/grade-domain.js';
import { visitInterval } from '../schedule/due.js';
import { decideRest, rested, type RestDecision, type RestState } from '../schedule/rest.js';
import { decideWebRest } from '../schedule/web-rest.js';
import { LeasedPolicyVisits, refusesAny } from './leased-policy-visits.js';
import { changedGroups, planByGroups } from './name-groups.js';

/** Number of rests of an address after which a scan abandons the address. */
const MAX_RESTS = 1;

export interface LiveOptions extends CheckOptions {
  /**
   * Number of rests of an address, 0 to 4, after which a scan abandons the address;
   * default 1.
   */
  readonly maxRests?: number | undefined;
}

/** Observations with real lookups and connections, and grades by a profile. */
export interface LiveWork extends ScanWork {
  /** Returns the complete result of one domain. */
  describeDomain(facts: DomainFactSet): CheckResult;
}

/**
 * Returns the observations of a scan over the network of the options, graded by their
 * profile. Facts are stored without dates: `DomainFactSet.at` is the date of all facts.
 *
 * Lookups end by their own time limits and have no signal: a listener for each question of
 * hundreds of concurrent domains would cost as much as the question.
 */
export function liveWork({ maxRests = MAX_RESTS, ...options }: LiveOptions): LiveWork {
  const profile = options.profile ?? baseline;
  const collecting = collectOptions({ ...options, depth: 'triage' });
  let counted = 0;
  const takeQuestions = (): number => {
    const { questions = 0 } = collecting.resolver.health();
    const count = questions - counted;
    counted = questions;
    return count;
  };
  const graders = new Graders(profile, collecting);
  const optOuts = new OptOutRecords(() => systemClock.monotonic());
  return {
    async observeDomain(name, signal, web) {
      const domain = await observeDomain(name, collecting);
      if (!announcesPolicy(domain))
        return engineDomain({ domain, policy: undefined }, takeQuestions());
      const visitor = new LeasedPolicyVisits(web, ({ host, canonicalName }) =>
        refusesAny(optOuts, [host, canonicalName], { resolver: collecting.resolver, signal }),
      );
      const observing = { ...collecting, signal, policyVisitor: visitor };
      const policy = await observePolicy(domain, observing);
      // Another address may have returned the policy.
      const isOpen = policy.mtaSts.status === 'tempfail';
      const deferMs = isOpen ? visitor.deferMs : undefined;
      return { ...engineDomain({ domain, policy }, takeQuestions()), deferMs };
    },
    resolverFails() {
      const { upstreams } = collecting.resolver.health();
      return upstreams.every(({ state }) => state !== 'answers' && state !== 'untried');
    },
    async observeHost(name) {
      const host = await observeHost(name, collecting);
      return engineHost(host, takeQuestions());
    },
    async visitHost({ host, address, hostFacts, mayConnect }, signal) {
      // Each visit asks for the opt-out record, whose answer stays in memory for an hour.
      if (await optOuts.refuses(host, collecting.resolver, signal))
        return { facts: {}, connections: 0, optedOut: true };
      if (!mayConnect()) return undefined;
      const { serverName } = hostFacts as unknown as HostObservation;
      const visit = await visitHost({ host, address, serverName }, { ...collecting, signal });
      const { host: _, observedAt: __, ...facts } = visit;
      const { length: connections } = visit.address.connections;
      return { facts, connections, validMs: visitInterval(visit) };
    },
    maxFamilies: MAX_FAMILIES,
    probedNames: PROBED_NAMES,
    planVisit: planByGroups,
    afterVisit: changedGroups,
    inferredFacts: ({ state, model }) => ({
      ...model,
      address: { ...(model?.['address'] as AddressEvidence), inferredFrom: String(state['model']) },
    }),
    judgeVisit: (before, { facts }) => judgeVisit(before, facts, maxRests),
    judgeWeb: (before, reply) => judgeWeb(before, reply, maxRests),
    gradeDomain: (set) => graders.at(set.at).grade(scannedDomain(set)),
    compareDomain: (before, set, grade) => {
      const snapshot = snapshotOf(scannedDomain(set), grade as DomainGrade);
      const { changes, stands } = compareSnapshots(before ?? {}, snapshot);
      return { changes, stands: { ...stands } };
    },
    summarise: summariseScan,
    describeDomain: (set) =>
      grade(composeEvidence(scannedDomain(set), { ...vantageOf(collecting), at: set.at }), profile),
  };
}

function vantageOf({ helo, smtpPort, trustStore }: CollectOptions): ScanVantage {
  return { helo, smtpPort, trustStores: trustStore.sources };
}

/** One grader for each date: grades depend on the dates of certificates. */
class Graders {
  readonly #profile: Profile;
  readonly #vantage: ScanVantage;
  #current: { readonly at: string; readonly grader: DomainGrader } | undefined;

  constructor(profile: Profile, collecting: CollectOptions) {
    this.#profile = profile;
    this.#vantage = vantageOf(collecting);
  }

  at(date: string): DomainGrader {
    if (this.#current?.at !== date) {
      const options = { ...this.#vantage, profile: this.#profile, at: date };
      this.#current = { at: date, grader: new DomainGrader(options) };
    }
    return this.#current.grader;
  }
}

/**
 * Returns an observation in the form of the engine. A failed lookup counts as "could not
 * tell", and its facts replace no earlier facts.
 */
function engineDomain(
  {
    domain,
    policy,
  }: { readonly domain: DomainObservation; readonly policy: StsObservation | undefined },
  questions: number,
): EngineDomain {
  const { domain: _, observedAt: __, ...facts } = domain;
  return {
    facts: { ...facts, policy: policy?.mtaSts },
    known: domain.route.kind !== 'error',
    hosts: domain.mx.map(({ name }) => name),
    visitAlways: policy !== undefined,
    questions,
  };
}

function engineHost(host: HostObservation, questions: number): EngineHost {
  const { observedAt: _, ...facts } = host;
  return {
    facts,
    known: host.addressLookup.status !== 'failed',
    addresses: host.addresses,
    family: familyOf(host.name),
    visitAlways: host.tlsa.status === 'usable',
    questions,
  };
}

/**
 * Decides how long an address rests after a visit. A visit that was aborted has no facts:
 * it counts as a timeout.
 */
function judgeVisit(
  before: Facts | undefined,
  facts: Facts,
  maxRests: number,
): ReturnType<ScanWork['judgeVisit']> {
  const { address } = facts as { readonly address?: AddressEvidence };
  const standing = (before ?? rested) as unknown as RestState;
  const decision = decideRest(standing, address ?? brokenOff);
  const judged = contactDecision(decision, maxRests);
  return { ...judged, isSettled: decision.reason === undefined && !judged.timedOut };
}

/**
 * Decides how long a policy host rests after a visit. A missing answer counts as a result
 * of the domain; three missing answers in succession end the visits to the address.
 */
function judgeWeb(
  before: Facts | undefined,
  reply: Facts,
  maxRests: number,
): ReturnType<ScanWork['judgeWeb']> {
  const standing = (before ?? rested) as unknown as RestState;
  const decision = decideWebRest(standing, reply as unknown as PolicyHostReply);
  const { reason } = decision;
  const isSettled = reason === undefined || reason === 'silent';
  return { ...contactDecision(decision, maxRests), isSettled };
}

function contactDecision(
  { state, reason, restMs, isFinal }: RestDecision,
  maxRests: number,
): Omit<ContactDecision, 'isSettled'> {
  const timedOut = state.silent > 0 || reason === 'silent';
  // An address that has never answered has no server, so it needs no rest.
  const isAbsent = reason === 'silent' && !state.answered;
  const givesUp = isFinal || isAbsent || (reason !== undefined && state.level > maxRests);
  return {
    standing: { ...(givesUp ? { ...state, level: 0, silent: 0 } : state) },
    givesUp,
    restMs: givesUp ? 0 : restMs,
    isSlow: state.slow,
    timedOut,
    reason: reason ?? (timedOut ? 'silent' : undefined),
  };
}

const brokenOff: AddressEvidence = {
  ip: '',
  status: 'inconclusive',
  reason: 'net-timeout',
  connections: [
    {
      purpose: 'handshake',
      at: 0,
      milliseconds: 0,
      dial: { code: 'net-timeout', detail: '' },
      starttls: 'unknown',
      transcript: [],
    },
  ],
};

/** Composes the observations of a domain from its stored facts. */
function scannedDomain({ domain, at, facts, hosts }: DomainFactSet): ScannedDomain {
  const { policy, ...own } = facts as unknown as Omit<DomainObservation, 'domain'> & {
    readonly policy?: StsObservation['mtaSts'];
  };
  return {
    domain: { ...own, domain, observedAt: at },
    policy: policy && { domain, observedAt: at, mtaSts: policy },
    hosts: hosts.map((host) => scannedHost(host, at)),
  };
}

/** Composed hosts: domains of one host share one object, so its key is computed once. */
const composed = new WeakMap<
  DomainFactSet['hosts'][number]['visits'],
  { readonly at: string; readonly host: ScannedHost }
>();

function scannedHost(
  { name, facts, visits }: DomainFactSet['hosts'][number],
  at: string,
): ScannedHost {
  const known = composed.get(visits);
  if (known?.at === at) return known.host;
  const host = {
    host: { ...(facts as unknown as HostObservation), observedAt: at },
    visits: visits.map((visit) => visitObservation(name, at, visit)),
  };
  composed.set(visits, { at, host });
  return host;
}

function visitObservation(host: string, at: string, visit: VisitFacts): VisitObservation {
  const { address, facts, state, reason } = visit;
  const known = facts as { readonly serverName: string; readonly address: AddressEvidence };
  const { serverName, address: evidence } = facts
    ? known
    : { serverName: host, address: undefined };
  return {
    host,
    serverName,
    observedAt: at,
    address: evidence ?? unvisited(address, state, reason),
  };
}

/**
 * Returns the evidence of an address without a session, which is never a fault of the
 * domain.
 */
function unvisited(
  ip: string,
  state: VisitFacts['state'],
  reason: string | undefined,
): AddressEvidence {
  if (state === 'opted-out') return { ip, status: 'skipped', reason: 'opt-out', connections: [] };
  return { ip, status: 'inconclusive', reason: reason ?? 'not-visited', connections: [] };
}
