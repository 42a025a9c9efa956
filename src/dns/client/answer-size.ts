import type { DnsAnswer } from '../types.js';

/** Octets that a cached record, name or object takes beside its content. */
const OVERHEAD = 200;

/**
 * About how many octets an answer takes in memory: its records, and the texts of its
 * proof.
 */
export function answerSize({ records, aliases, proof }: DnsAnswer): number {
  return recordSize(records) + aliases.length * OVERHEAD + textSize(proof) + OVERHEAD;
}

/** About how many octets records take in memory. */
export function recordSize(records: DnsAnswer['records']): number {
  return records.reduce((count, { rdata }) => count + rdata.length + OVERHEAD, 0);
}

/** About how many octets the texts in a value of plain data take, four levels deep. */
export function textSize(value: unknown, levels = 4): number {
  if (typeof value === 'string') return value.length + 50;
  if (typeof value !== 'object' || value === null || levels === 0) return 0;
  let size = 50;
  for (const member of Object.values(value)) size += textSize(member, levels - 1);
  return size;
}
