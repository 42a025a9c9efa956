import { sourceOf, type Clock } from '../../base/index.js';
import { newSlotId, newSlotLabel } from './slot-names.js';
import type { Lending, LendingLimits, Slot, SlotTable } from './slot-table.js';

const HOUR = 3_600_000;

export interface LendingOptions {
  readonly table: SlotTable;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits: LendingLimits;
  /** Hours for which a slot is lent. */
  readonly hours: number;
}

/** A lent slot, or the reason for the refusal. */
export type LentSlot =
  { readonly ok: true; readonly slot: Slot } | Extract<Lending, { readonly ok: false }>;

/**
 * Lends a slot to a client. `client` is its address; IPv6 clients count by their /64
 * network.
 */
export async function lendSlot(client: string, options: LendingOptions): Promise<LentSlot> {
  const { table, clock, limits, hours } = options;
  const lentAt = clock.now();
  const made = { slot: newSlotLabel(), id: newSlotId(), lentAt, endsAt: lentAt + hours * HOUR };
  const lending = await table.lend({ ...made, client: sourceOf(client) }, limits);
  if (!lending.ok) return lending;
  const state = { withdrawnAt: undefined, readyAt: undefined, problem: undefined, revision: 0 };
  return { ok: true, slot: { ...made, ...state } };
}
