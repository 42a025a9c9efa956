import { recordMemory, WrittenProof } from '../dnssec/validate/index.js';
import type { DnsAnswer } from '../types.js';

/** Octets of memory for a cached answer without its records, as measured. */
const ANSWER_OVERHEAD = 1000;
/** Estimated octets of memory for one alias. */
const ALIAS_OVERHEAD = 200;

/**
 * Estimates the memory of an answer in octets: its records, its aliases and its proof.
 */
export function answerSize({ records, aliases, proof }: DnsAnswer): number {
  const proofOctets = proof instanceof WrittenProof ? proof.octets : 0;
  return recordMemory(records) + aliases.length * ALIAS_OVERHEAD + proofOctets + ANSWER_OVERHEAD;
}

/** Returns the total octets of RDATA in the records. */
export function dataSize(records: DnsAnswer['records']): number {
  return records.reduce((count, { rdata }) => count + rdata.length, 0);
}
