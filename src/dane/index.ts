/**
 * DANE for mail between servers: RFC 6698, 7671, 7672.
 *
 * DANE publishes the key of a mail server in TLSA records at `_25._tcp.<MX host>` in DNS.
 * DNSSEC protects these records. A sender that finds secure TLSA records for an MX host
 * must use TLS and must authenticate the server by these records (RFC 7672 §2.2).
 * Otherwise the sender defers the mail. No certification authority is involved, and the
 * domain needs no policy host.
 *
 * A record has four fields, such as `3 1 1 <SHA-256>`:
 * - certificate usage: 3 (DANE-EE) is the server's own key, 2 (DANE-TA) its issuer. The
 *   PKIX usages 0 and 1 are not used for mail (RFC 7672 §3.1.3);
 * - selector: 0 the whole certificate, 1 the public key only;
 * - matching type: 0 the full data, 1 its SHA-256, 2 its SHA-512;
 * - the data.
 *
 * With usage 3 a match is sufficient: names and dates of the certificate are ignored (RFC
 * 7671 §5.1). With usage 2 the chain, its dates and a reference identifier must match.
 *
 * This part looks up the records of a host (`lookupTlsa`), authenticates a chain by the
 * records (`verifyDane`), explains records that do not match (`explainMismatch`), finds
 * records at wrong owner names (`lookupMisplaced`), and derives the state of a key
 * rollover (`rolloverState`). A lookup without a definite result is `bogus` or
 * `tempfail`, never
 * `absent`: an on-path attacker could otherwise switch DANE off by dropping packets (RFC
 * 7672 §2.1.2).
 *
 * This part leaves DNSSEC validation to `dns`, path validation to `x509`, and the duties
 * of a sender to `tls-policy`.
 *
 * @example
 * ```ts
 * const record = parseTlsa(
 *   '3 1 1 0b9fa5a59eed715c26c1020c711b4f6ec42d58b0015e14337a39dad301c5afc3',
 * );
 * if (record)
 *   console.log(
 *     verifyDane({
 *       records: [record],
 *       chain: [],
 *       names: [],
 *       validationTime: Date.now(),
 *     }).verdict,
 *   ); // unverifiable
 * ```
 */
export { askTlsa, lookupTlsa, type LookupTlsaOptions, type TlsaLookup } from './lookup-tlsa.js';
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
