import { WrittenProof } from '../dnssec/validate/index.js';
import type { DnsAnswer } from '../types.js';

/** Estimated overhead in octets of a cached record, name or object. */
const OVERHEAD = 200;

/** Estimates the memory of an answer in octets: its records and those of its proof. */
export function answerSize({ records, aliases, proof }: DnsAnswer): number {
  const proofOctets = proof instanceof WrittenProof ? proof.octets : textSize(proof);
  return recordSize(records) + aliases.length * OVERHEAD + proofOctets + OVERHEAD;
}

/** Estimates the memory of records in octets. */
export function recordSize(records: DnsAnswer['records']): number {
  return records.reduce((count, { rdata }) => count + rdata.length + OVERHEAD, 0);
}

/** Estimates the memory of the strings in plain data in octets, four levels deep. */
function textSize(value: unknown, levels = 4): number {
  if (typeof value === 'string') return value.length + 50;
  if (typeof value !== 'object' || value === null || levels === 0) return 0;
  let byteCount = 50;
  for (const member of Object.values(value)) byteCount += textSize(member, levels - 1);
  return byteCount;
}
