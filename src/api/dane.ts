/** DANE for SMTP (RFC 6698, RFC 7671, RFC 7672): TLSA lookup and verification. */
export {
  explainMismatch,
  explainUnusable,
  formatTlsa,
  lookupTlsa,
  parseTlsa,
  rolloverState,
  usableRecords,
  verifyDane,
  type VerifyDaneRequest,
  type DaneVerdict,
  type LookupTlsaOptions,
  type TlsaLookup,
} from '../dane/index.js';
