import { sourceOf, type Clock } from '../../base/index.js';
import { newSlotId, newSlotLabel } from './slot-names.js';
import type { Allocation, AllocationLimits, Slot, SlotTable } from './slot-table.js';

const HOUR = 3_600_000;

export interface AllocationOptions {
  readonly table: SlotTable;
  readonly clock: Pick<Clock, 'now'>;
  readonly limits: AllocationLimits;
  /** Hours for which a slot is allocated. */
  readonly hours: number;
}

/** An allocated slot, or the reason for the refusal. */
export type AllocatedSlot =
  { readonly ok: true; readonly slot: Slot } | Extract<Allocation, { readonly ok: false }>;

/**
 * Allocates a slot to a client. `client` is the address of the client; IPv6 clients count
 * by their /64 network.
 */
export async function allocateSlot(
  client: string,
  options: AllocationOptions,
): Promise<AllocatedSlot> {
  const { table, clock, limits, hours } = options;
  const lentAt = clock.now();
  const made = { slot: newSlotLabel(), id: newSlotId(), lentAt, endsAt: lentAt + hours * HOUR };
  const allocation = await table.allocate({ ...made, client: sourceOf(client) }, limits);
  if (!allocation.ok) return allocation;
  const state = { withdrawnAt: undefined, readyAt: undefined, problem: undefined, revision: 0 };
  return { ok: true, slot: { ...made, ...state } };
}
