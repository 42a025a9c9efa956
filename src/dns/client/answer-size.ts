import { recordMemory, WrittenProof } from '../dnssec/validate/index.js';
import type { DnsAnswer } from '../types.js';

/** Measured octets of a cached answer without its records. */
const ANSWER_OVERHEAD = 1000;
/** Estimated octets of an alias. */
const ALIAS_OVERHEAD = 200;

/** Estimates the memory of an answer in octets: its records and those of its proof. */
export function answerSize({ records, aliases, proof }: DnsAnswer): number {
  const proofOctets = proof instanceof WrittenProof ? proof.octets : 0;
  return recordMemory(records) + aliases.length * ALIAS_OVERHEAD + proofOctets + ANSWER_OVERHEAD;
}

/** Returns the octets of the data of records. */
export function dataSize(records: DnsAnswer['records']): number {
  return records.reduce((count, { rdata }) => count + rdata.length, 0);
}
