import { connect } from 'node:net';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import type { GroupChange, ScanWork, VisitObservation } from '../../../src/scan/engine/index.js';

/** Domains that share one mail host, and hosts that share one address. */
const DOMAINS_A_HOST = 5;
const HOSTS_AN_ADDRESS = 6;
const ADDRESSES_A_NETWORK = 3;
/** Duration of a session: long enough that a kill interrupts some sessions. */
const SESSION_MS = 60;
/** Visits to an address before the scan infers the results of further hosts. */
const PROBED = 2;

/** The servers to visit, and the domains that differ from those of another scan. */
export interface CountedWorld {
  readonly port: number;
  /** Domains with a number below this one have changed since the first scan. */
  readonly changedBelow?: number;
  /** Hosts whose operator refuses visits by a record. */
  readonly optedOutBelow?: number;
  /** Milliseconds for which a visit is valid; negative if a certificate has expired. */
  readonly validMs?: number;
  /** Whether further hosts at an address receive the result of the first hosts. */
  readonly infers?: boolean;
}

/**
 * Returns observation functions whose results depend only on the name. Names and hosts
 * are looked up in memory. Visits are real sessions with `CountingServers`.
 */
export function countedWork(counted: CountedWorld): ScanWork {
  const { port, changedBelow = 0, optedOutBelow = 0, validMs, infers = false } = counted;
  return {
    async observeDomain(domain) {
      const n = numberIn(domain);
      const host = Math.floor(n / DOMAINS_A_HOST);
      return {
        facts: { mx: `mx${host}.example`, changed: n < changedBelow },
        known: true,
        hosts: [`mx${host}.example`],
        visitAlways: n % 10 === 0,
        questions: 4,
      };
    },
    resolverFails: () => false,
    async observeHost(host) {
      const address = addressOf(host);
      return {
        facts: { address },
        known: true,
        addresses: [address],
        family: 'example',
        visitAlways: false,
        questions: 3,
      };
    },
    async visitHost({ host, address, mayConnect }, signal) {
      if (numberIn(host) < optedOutBelow) return { facts: {}, connections: 0, optedOut: true };
      if (!mayConnect()) return undefined;
      return { ...(await session({ address, port }, signal)), validMs };
    },
    maxFamilies: 50,
    probedNames: PROBED,
    planVisit: ({ family }) =>
      family && Math.max(Number(family.state['equal']), family.equal) >= PROBED
        ? { kind: 'infer', group: 'family' }
        : { kind: 'visit' },
    afterVisit({ family }, { host }) {
      const equal = Number(family?.state['equal'] ?? 0) + 1;
      const change: GroupChange = {
        group: 'family',
        state: { equal },
        isModel: equal === 1,
        isReady: infers && equal >= PROBED,
        visited: 1,
        countedAs: infers ? 'every address' : host,
        digest: 'greeting',
        added: { equal: 1, checked: 0, wrong: 0, ended: false },
      };
      return [change];
    },
    inferredFacts: ({ model }) => model ?? {},
    judgeVisit: (_, { facts }) => ({
      standing: {},
      isSettled: facts['greeting'] === '220',
      givesUp: false,
      restMs: 0,
      isSlow: false,
      timedOut: false,
    }),
    judgeWeb: () => ({
      ...{ standing: {}, isSettled: true, givesUp: false },
      ...{ restMs: 0, isSlow: false, timedOut: false },
    }),
    gradeDomain({ facts, hosts }) {
      const replies = hosts.flatMap(({ visits }) =>
        visits.map(({ state, facts: seen }) => `${state} ${String(seen?.['greeting'])}`),
      );
      const verdict = replies.every((reply) => /^(visited|inferred) 220$/.test(reply))
        ? 'pass'
        : 'inconclusive';
      return { verdict, replies, changed: facts['changed'], tls: tlsOf(hosts) };
    },
    compareDomain(before, _, grade) {
      const was = before?.['changed'];
      const is = (grade as unknown as { readonly changed: boolean }).changed;
      const changes = was === undefined || was === is ? [] : [{ kind: 'changed', was, is }];
      return { changes, stands: { changed: is } };
    },
    async summarise(domains) {
      let [n, of] = [0, 0];
      for await (const { grade } of domains) {
        of++;
        if (grade.verdict === 'pass') n++;
      }
      return [{ page: 'overview', key: 'pass', counted: 'domains', n, of, unknown: 0 }];
    },
  };
}

/** Returns the address of a host: a number of 127.0.0.0/8 that depends on its name. */
export function addressOf(host: string): string {
  const address = Math.floor(numberIn(host) / HOSTS_AN_ADDRESS);
  const network = Math.floor(address / ADDRESSES_A_NETWORK);
  return `127.${1 + (network >> 8)}.${network & 255}.${1 + (address % ADDRESSES_A_NETWORK)}`;
}

function numberIn(name: string): number {
  return Number(/\d+/.exec(name)?.[0] ?? 0);
}

function tlsOf(hosts: readonly { readonly name: string }[]): string {
  const [first] = hosts;
  const digest = createHash('sha256')
    .update(first?.name ?? '')
    .digest();
  return (digest[0] ?? 0) < 128 ? 'TLSv1.2' : 'TLSv1.3';
}

async function session(
  { address, port }: { readonly address: string; readonly port: number },
  signal: AbortSignal,
): Promise<VisitObservation> {
  const socket = connect({ host: address, port, signal });
  try {
    const [octets] = (await once(socket, 'data', { signal })) as [Buffer];
    const greeting = octets.toString().slice(0, 3);
    await new Promise((done) => setTimeout(done, SESSION_MS));
    socket.write('QUIT\r\n');
    await once(socket, 'close', { signal });
    return { facts: { greeting }, connections: 1 };
  } catch (error) {
    if (signal.aborted) throw error;
    return { facts: { error: true }, connections: 1 };
  } finally {
    socket.destroy();
  }
}
