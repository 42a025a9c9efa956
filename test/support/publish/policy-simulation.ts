import { matchMx, parsePolicy } from '../../../src/mta-sts/index.js';
import type { SetRrset } from '../../../src/publish/actions.js';
import { policyId } from '../../../src/publish/records/policy-id.js';
import { startPolicy, stepPolicy } from '../../../src/publish/mta-sts/step-policy.js';
import type {
  FetchResult,
  PolicyAction,
  PolicyObservation,
  PolicyState,
  PolicyStep,
  DesiredPolicy,
} from '../../../src/publish/mta-sts/types.js';

const HOUR = 3_600_000;
const TTL = 3600;

/** The faults of one step. */
export interface StepFaults {
  /** Whether the process crashes after it saved its state, before the first action. */
  readonly dies?: boolean;
  /** Whether the process crashes after the first action. */
  readonly diesAfterOne?: boolean;
  /**
   * Whether the second name server, or the second address of the policy host, does not
   * answer.
   */
  readonly blind?: 'nameserver' | 'policy-host';
  /** Whether the second name server returns the records of the step before. */
  readonly lags?: boolean;
}

/** A value and the time from which senders could observe it. */
interface Past<T> {
  readonly at: number;
  readonly is: T;
}

/**
 * Simulates a domain in virtual time: two name servers, two addresses of a policy host,
 * and every possible sender. Each step checks whether a sender with any possible cache
 * would defer mail, or would have a policy that no host serves.
 */
export class PolicyWorld {
  now = 0;
  state: PolicyState;
  mx: string[][];
  txt: string[][] = [[], []];
  bodies: (string | undefined)[] = [undefined, undefined];
  alias: string | undefined;
  certified = false;
  hostsPass: 'pass' | 'fail' | 'unknown' = 'pass';
  reports: PolicyObservation['reports'] = [];
  readonly broken: string[] = [];
  readonly log: string[] = [];
  readonly #seenTxt: Past<string | undefined>[] = [];
  readonly #seenMx: Past<string>[] = [];
  readonly #order: string[] = [];
  readonly #fetched = new Map<string, number>();

  constructor(mx: readonly string[]) {
    this.state = startPolicy('example.com');
    this.mx = [mx.map((host) => `10 ${host}`), mx.map((host) => `10 ${host}`)];
  }

  /** Runs the program once and then advances the time. */
  run(desired: DesiredPolicy, faults: StepFaults = {}, ms = HOUR): PolicyStep {
    const step = stepPolicy(this.state, this.reading(faults.blind), desired);
    this.state = JSON.parse(JSON.stringify(step.state)) as PolicyState;
    const limit = faults.diesAfterOne ? 1 : step.steps.length;
    const actions = faults.dies ? [] : step.steps.slice(0, limit);
    for (const { action } of actions) this.#do(action);
    if (!faults.lags) {
      this.txt[1] = [...(this.txt[0] ?? [])];
      this.mx[1] = [...(this.mx[0] ?? [])];
    }
    this.#watch();
    this.now += ms;
    return step;
  }

  reading(blind?: StepFaults['blind']): PolicyObservation {
    const answers = (sets: readonly string[][]): PolicyObservation['txt'] =>
      sets.map((records, i) => ({
        server: `ns${i}`,
        rrset: blind === 'nameserver' && i === 1 ? ('unknown' as const) : { records, ttl: TTL },
      }));
    const hosts = [
      ...new Set([
        ...this.mx.flat().map((record) => record.split(' ')[1] ?? ''),
        'mx1.example.com',
        'mx2.example.com',
        'mx3.example.com',
      ]),
    ];
    return {
      at: this.now,
      txt: answers(this.txt),
      alias: answers([0, 1].map(() => (this.alias === undefined ? [] : [this.alias]))),
      mx: answers(this.mx),
      policyHosts: this.alias === undefined ? [] : this.#policyHosts(blind),
      hosts: hosts.map((host) => ({
        host,
        addresses: [
          { address: '192.0.2.25', verdict: this.hostsPass, why: 'its certificate has expired' },
        ],
      })),
      reports: this.reports,
    };
  }

  #policyHosts(blind: StepFaults['blind']): PolicyObservation['policyHosts'] {
    return this.bodies.map((body, index) => {
      const isBlind = blind === 'policy-host' && index === 1;
      return { address: `192.0.2.${index}`, fetched: isBlind ? 'unknown' : this.#fetch(body) };
    });
  }

  #fetch(body: string | undefined): FetchResult {
    if (!this.certified) return { failure: 'sts-policy-webpki-invalid' };
    return body === undefined ? { failure: 'sts-policy-http-status' } : { body };
  }

  get mode(): string {
    const policy = this.bodies[0] === undefined ? undefined : parsePolicy(this.bodies[0]);
    return policy?.ok ? policy.value.mode : 'absent';
  }

  #do(action: PolicyAction): void {
    this.log.push(
      action.kind === 'set-rrset' ? `${action.type} ${action.to.join(' ') || 'none'}` : action.kind,
    );
    switch (action.kind) {
      case 'serve-policy':
        if (this.#order.at(-1) !== action.id) this.#order.push(action.id);
        this.bodies = [action.body, action.body];
        break;
      case 'stop-serving':
        this.bodies = [undefined, undefined];
        break;
      case 'certify':
        this.certified = true;
        break;
      case 'make-key':
        break;
      case 'set-rrset':
        if (action.type === 'CNAME') this.#point(action);
        else if (action.type === 'MX')
          this.#set(this.mx, action.from, action.to, (r) => r.replace(/\.$/, ''));
        else this.#set(this.txt, action.from, action.to, (r) => r.replace(/^"|"$/g, ''));
    }
  }

  #point({ from, to }: SetRrset): void {
    const rdata = this.alias === undefined ? [] : [`${this.alias}.`];
    if (rdata.join() === from.join()) this.alias = to[0]?.replace(/\.$/, '');
    if (this.alias === undefined && [...this.#fetched].some(([, at]) => at > this.now - TTL * 1000))
      this.broken.push('the name of the policy host is gone while senders ask for it');
  }

  /** Compares and sets an RRset at the first name server. */
  #set(
    sets: string[][],
    from: readonly string[],
    to: readonly string[],
    read: (rdata: string) => string,
  ): void {
    if ([...(sets[0] ?? [])].sort().join() === from.map(read).sort().join()) sets[0] = to.map(read);
  }

  /** Records the visible state, and judges the deliveries of all possible senders. */
  #watch(): void {
    const ids = this.txt.map(
      (records) => records.find((r) => r.startsWith('v=STSv1'))?.match(/id=(\w+)/)?.[1],
    );
    if (this.txt.some((records) => records.filter((r) => r.startsWith('v=STSv1')).length > 1))
      this.broken.push('two records at once');
    for (const id of ids) this.#seenTxt.push({ at: this.now, is: id });
    for (const record of this.mx.flat())
      this.#seenMx.push({ at: this.now, is: record.split(' ')[1] ?? '' });
    const bodies = this.bodies.map((body) => body ?? '');
    const recently = (past: readonly Past<unknown>[]): number =>
      past.findIndex(({ at }) => at > this.now - TTL * 1000);
    const visibleIds = this.#seenTxt.slice(recently(this.#seenTxt)).map(({ is }) => is);
    for (const id of ids) {
      if (id === undefined) continue;
      // RFC 8461 §8.1: a sender that gets the new id must not get the old body.
      for (const body of bodies)
        if (this.#order.lastIndexOf(policyId(body)) < this.#order.lastIndexOf(id))
          this.broken.push(`${id} is announced and an older policy served`);
    }
    if (visibleIds.some((id) => id !== undefined))
      for (const body of bodies) this.#fetched.set(body, this.now);
    const hosts = new Set(this.#seenMx.slice(recently(this.#seenMx)).map(({ is }) => is));
    for (const [body, at] of this.#fetched) {
      const policy = parsePolicy(body);
      if (
        !policy.ok ||
        policy.value.mode !== 'enforce' ||
        this.now >= at + policy.value.maxAge * 1000
      )
        continue;
      if (ids.every((id) => id === undefined))
        this.broken.push('a sender enforces a policy that is no longer announced');
      // The policy binds only a sender whose cached record still names this policy: any
      // other sender fetches again before it defers the mail.
      if (!visibleIds.includes(policyId(body))) continue;
      for (const host of hosts)
        if (!policy.value.mx.some((pattern) => matchMx(pattern, host)))
          this.broken.push(`a sender holds mail for ${host} back`);
    }
  }
}
