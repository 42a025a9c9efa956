/**
 * DANE for mail between servers: TLSA records, where they are looked for and what they
 * authenticate. RFC 6698, 7671, 7672.
 *
 * @example const record = parseTlsa('3 1 1
 * 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3'); if (record)
 * console.log(verifyDane({ records: [record], chain: [], names: [], at: Date.now()
 * }).verdict); // unverifiable
 */
export { lookupTlsa, type LookupTlsaOptions, type TlsaLookup } from './lookup-tlsa.js';
export { lookupMisplaced, type MisplacedOptions } from './lookup-misplaced.js';
export {
  verifyDane,
  type VerifyDaneRequest,
  type DaneVerdict,
  type RecordVerdict,
} from './verify-dane.js';
export {
  rolloverState,
  type RolloverQuestion,
  type TlsaCoverage,
  type TlsaRole,
} from './rollover-state.js';
export { usableRecords, isUsable, explainUnusable } from './usable-records.js';
export { explainMismatch, type MismatchQuestion, type RecordFault } from './explain-mismatch.js';
export { parseTlsa, formatTlsa } from './tlsa-text.js';
export { daneFailures } from './failures.js';
