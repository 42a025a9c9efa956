import type { Clock } from '../../base/index.js';
import {
  addressesOf,
  caseNames,
  closedCases,
  judgeSender,
  allocateSlot,
  openCases,
  reportObservations,
  SlotTable,
  type ClosedCase,
  type AllocatedSlot,
  type Observation,
  type SenderCase,
  type SenderTestResult,
  type Slot,
} from '../../sender/index.js';
import type { SenderTestSettings } from '../../sender/settings.js';
import type { Store } from '../../store/index.js';
import { domainReports, prepareReports } from '../../tls-rpt-receive/index.js';

/** Milliseconds between two searches for changes while a page is open. */
const LOOK_MS = 1000;
/**
 * Milliseconds without changes after which the server sends a comment, so that the stream
 * stays open.
 */
const IDLE_MS = 15_000;

/** Maximum number of reports that one view reads. */
const MAX_REPORTS = 100;

/** The state of a test, for its page. */
export interface SenderTestView {
  readonly slot: Slot;
  readonly hasEnded: boolean;
  readonly result: SenderTestResult;
  /** The cases of the test, each with the address to which the mail must be sent. */
  readonly cases: readonly { readonly senderCase: SenderCase; readonly address: string }[];
  readonly closed: readonly ClosedCase[];
  /** Whether the cases request TLS reports (RFC 8460). */
  readonly hasReports: boolean;
  /**
   * Whether cases share IP addresses, because the installation has fewer addresses than
   * cases.
   */
  readonly inTurns: boolean;
}

/** The sets of cases whose addresses one mail link contains. */
export type CaseSet = 'quick' | 'all';

/**
 * The functions of the public sender test for its pages and its API. The daemon's job
 * `senderTest` runs the receivers. The pages and the job share the tables of slots.
 */
export class SenderTests {
  readonly #table: SlotTable;
  readonly #store: Store;

  constructor(
    readonly settings: SenderTestSettings,
    store: Store,
    private readonly clock: Clock,
  ) {
    this.#table = new SlotTable(store);
    this.#store = store;
    // The tables of reports are needed only if cases request reports.
    if (this.hasReports) prepareReports(store);
  }

  /** Whether the cases request TLS reports. */
  get hasReports(): boolean {
    return this.settings.reportUri !== undefined;
  }

  /** Allocates a slot to a client, which its address identifies. */
  start(client: string): Promise<AllocatedSlot> {
    const { slots, perClient, hours } = this.settings;
    const { clock } = this;
    return allocateSlot(client, { table: this.#table, clock, limits: { slots, perClient }, hours });
  }

  find(id: string): Slot | undefined {
    return this.#table.byId(id);
  }

  /** Returns the state of a test, with the results that follow from its observations. */
  view(slot: Slot): SenderTestView {
    const now = this.clock.now();
    const { settings } = this;
    const cases = openCases(settings);
    return {
      slot,
      hasEnded: slot.endsAt <= now,
      result: judgeSender([...this.#table.observations(slot.slot), ...this.#reports(slot)], {
        now: new Date(now).toISOString(),
        cases,
      }),
      cases: cases.map((senderCase) => ({
        senderCase,
        address: `test@${caseNames(senderCase.id, slot.slot, settings.zone).domain}`,
      })),
      closed: closedCases(settings),
      hasReports: this.hasReports,
      inTurns: !addressesOf(settings).areSeparate,
    };
  }

  /**
   * Returns observations from the TLS reports of all reporters about the domains of a
   * test.
   */
  #reports({ slot }: Slot): readonly Observation[] {
    if (!this.hasReports) return [];
    const { zone } = this.settings;
    const domains = openCases(this.settings).map(({ id }) => caseNames(id, slot, zone).domain);
    const reports = domainReports(this.#store, domains, MAX_REPORTS);
    return reportObservations(reports, { zone, slot, now: this.clock.now() });
  }

  /**
   * Records that the client has sent the mails of a set. From then on, a case without a
   * connection counts as one whose mail did not arrive.
   */
  async markSent({ slot }: Slot, set: CaseSet): Promise<void> {
    const at = new Date(this.clock.now()).toISOString();
    const cases = openCases(this.settings).filter(({ quick }) => set === 'all' || quick);
    await this.#table.add(
      slot,
      cases.map(({ id }) => ({ kind: 'submitted', at, case: id, slot })),
    );
  }

  /** Withdraws the policy of the case that needs two messages. */
  async withdraw({ slot, withdrawnAt }: Slot): Promise<void> {
    if (withdrawnAt !== undefined) return;
    const now = this.clock.now();
    const withdrawn = openCases(this.settings).find((senderCase) => senderCase.withdrawn);
    if (!withdrawn) return;
    await this.#table.withdraw(slot, now);
    const at = new Date(now).toISOString();
    await this.#table.add(slot, [{ kind: 'withdrawn', at, case: withdrawn.id, slot }]);
  }

  /**
   * Resolves when a test has changed, after some seconds without a change, or when the
   * signal aborts.
   */
  async changed(id: string, revision: number, signal: AbortSignal): Promise<void> {
    for (let waited = 0; waited < IDLE_MS && !signal.aborted; waited += LOOK_MS) {
      if (this.find(id)?.revision !== revision) return;
      await this.clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }
}
