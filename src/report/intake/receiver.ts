import type { Clock, Failure } from '../../base/index.js';
import { groupCommit, type Store } from '../../store/index.js';
import { readItem } from '../read/read-item.js';
import { claimedSize } from '../../tls-rpt/index.js';
import { storeRefusals, type Refusal } from '../tables/refusals.js';
import type { ReceivedReport } from '../tables/prepare-report.js';
import { storeReports, type StoreOutcome } from '../tables/store-reports.js';
import type { DkimVerdict, Trust, Via } from '../types.js';
import { judgeTrust } from '../verify/judge-trust.js';
import { sourceBudget } from './source-budget.js';

export interface ReceiverOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Domains whose reports count, with those below them. */
  readonly domains: readonly string[];
  /** The known MX hosts of these domains: with DANE they are policy domains. */
  readonly hosts?: () => ReadonlySet<string>;
  readonly verify: (mail: Uint8Array) => Promise<DkimVerdict>;
  /** Octets of a report unpacked. Default 10 MB. */
  readonly maxBytes?: number;
  /** Reports a minute from one source. Default 600. */
  readonly perMinute?: number;
  /** Told of every report, for logs. */
  readonly onReceipt?: (receipt: Receipt, peer: string) => void;
}

/** What became of a body or a mail. `stored` is durable. */
export type Receipt =
  | {
      readonly status: 'stored';
      readonly reports: readonly {
        readonly outcome: StoreOutcome;
        readonly trust: Trust;
        readonly reporter: string;
      }[];
      /** Of what came with them. */
      readonly failures: readonly Failure[];
    }
  | { readonly status: 'refused'; readonly failure: Failure }
  /** To be sent again: too much from this source, a key lookup that failed, or no room here. */
  | { readonly status: 'later'; readonly why: 'source' | 'keys' | 'store' };

export interface Receiver {
  receive(
    bytes: Uint8Array,
    from: { readonly via: Via; readonly peer: string; readonly name: string },
  ): Promise<Receipt>;
  /** Whether this source may send now; asked before its body is read. */
  admits(peer: string): boolean;
  /** Charges a source for octets that never came to `receive`. */
  charge(peer: string, octets: number): void;
}

/** A body that is no report costs its source as much as this many, and one more for each so many octets. */
const refusalCost = 20;
const octetsPerReport = 32 * 1024;

/** Octets from which reading takes long enough to be felt. */
const large = 512 * 1024;

/** Takes reports in: read, judged, and written together with what else came at that moment. Never rejects. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { store, clock, domains, verify, maxBytes, perMinute = 600, onReceipt } = options;
  const budget = sourceBudget(perMinute, () => clock.monotonic());
  const write = groupCommit({
    store,
    job: 'report',
    write: (reports: readonly ReceivedReport[]) => storeReports(store, reports),
  });
  const count = groupCommit({
    store,
    job: 'report',
    write: (refusals: readonly Refusal[]) => storeRefusals(store, refusals),
  });
  const turn = separateTurns();
  const take = async (
    bytes: Uint8Array,
    via: Via,
    peer: string,
    name: string,
  ): Promise<Receipt> => {
    if (!budget.admits(peer)) return { status: 'later', why: 'source' };
    if (claimedSize(bytes) > large) await turn();
    const verifyInTurn = async (mail: Uint8Array): Promise<DkimVerdict> => {
      const verdict = await verify(mail);
      await turn();
      return verdict;
    };
    const readings = await readItem(bytes, {
      name,
      via,
      peer,
      verify: verifyInTurn,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    });
    const failures = readings.flatMap(({ parsed }) => (parsed.ok ? [] : [parsed.failure]));
    const [failure] = failures;
    // What can be read is kept, whatever came with it.
    if (failure && failures.length === readings.length) return { status: 'refused', failure };
    const receivedAt = clock.now();
    const reports = readings.flatMap((reading): ReceivedReport[] =>
      reading.parsed.ok
        ? [
            {
              reading: judgeTrust(reading, { at: receivedAt, domains, hosts: options.hosts?.() }),
              parsed: reading.parsed.value,
              receivedAt,
            },
          ]
        : [],
    );
    // RFC 6376 §6.1.2: the sender keeps the mail until the key can be looked up.
    if (reports.some(({ reading }) => reading.trust === 'unverifiable'))
      return { status: 'later', why: 'keys' };
    try {
      const outcomes = await Promise.all(reports.map(write));
      return {
        status: 'stored',
        reports: reports.map(({ reading: { trust, reporter } }, i) => ({
          outcome: outcomes[i] ?? 'stored',
          trust,
          reporter,
        })),
        failures,
      };
    } catch {
      return { status: 'later', why: 'store' };
    }
  };
  return {
    admits: (peer) => budget.admits(peer),
    charge: (peer, octets) => budget.spend(peer, costOf(1, octets)),
    async receive(bytes, { via, peer, name }) {
      const receipt = await take(bytes, via, peer, name);
      const failures =
        receipt.status === 'refused'
          ? [receipt.failure]
          : receipt.status === 'stored'
            ? receipt.failures
            : [];
      const reports = receipt.status === 'stored' ? receipt.reports.length : 0;
      budget.spend(peer, Math.max(1, reports + costOf(failures.length, bytes.length)));
      // Nobody waits for this, and a full disk is told elsewhere.
      for (const { code } of failures)
        void count({ day: Math.floor(clock.now() / 86_400_000), via, code }).catch(() => undefined);
      onReceipt?.(receipt, peer);
      return receipt;
    },
  };
}

function costOf(refused: number, octets: number): number {
  return refused === 0 ? 0 : refusalCost * refused + Math.floor(octets / octetsPerReport);
}

/** Gives each caller a turn of the event loop of its own: between two large bodies there is always room for small ones. */
function separateTurns(): () => Promise<void> {
  let last = Promise.resolve();
  return () => (last = last.then(() => new Promise((resolve) => setImmediate(resolve))));
}
