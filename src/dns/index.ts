/**
 * DNS and DNSSEC for a mail sender: codec, validating resolver, mail route. RFC 1034,
 * 1035, 4033-4035, 5155, 6840, 6891, 7672 §2.1; for updates RFC 2136, 8945.
 *
 * A sender uses DNS to find the mail hosts of a domain and to learn whether TLS is
 * mandatory. An on-path attacker can forge every unsigned answer. So each answer has one
 * of four states (RFC 4033 §5, RFC 7672 §2.1.1):
 * - `secure`: signatures prove the answer, from a trust anchor down;
 * - `insecure`: signatures prove that the zone is unsigned;
 * - `bogus`: the data must be signed but does not validate;
 * - `indeterminate`: the state could not be determined, for example because the
 *   resolver strips signatures.
 *
 * Only `secure` data is authenticated, and only a secure or insecure denial counts as
 * absence. Bogus and indeterminate answers defer mail: a sender never falls back to
 * plaintext because of a failed lookup.
 *
 * - `wire/` encodes and parses messages and records. Every read is bounds-checked.
 * - `dnssec/validate/` is a validating stub as a pure function, with a budget for the
 *   work that one answer may cause. Each verdict has a proof that can be verified again
 *   offline (`verifyProof`).
 * - `client/` is the resolver: UDP, TCP and TLS transport, cache, several upstreams. A
 *   resolver's AD bit is trusted only if the operator configures that.
 * - `mail-route/` looks up MX hosts, addresses and TXT records with their states.
 * - `update/` changes records by dynamic update with TSIG.
 * - `authority/` answers questions about the zones of this server and signs each answer.
 * - `caa/` looks up and evaluates the CAA records that decide whether a CA may issue (RFC
 *   8659, 8657).
 *
 * @example
 * ```ts
 * const resolver = createResolver({
 *   network: nodeNetwork(),
 *   upstreams: systemUpstreams(),
 * });
 * const route = await lookupMailRoute(resolver, Name.of('example.com'));
 * ```
 */
export type {
  ResourceRecord,
  Dnssec,
  AliasStep,
  UnsupportedZone,
  AnswerStatus,
  DnsAnswer,
  AskOptions,
  Resolver,
  ResolverHealth,
} from './types.js';
export { responseTo, type Message, type DnsQuestion, type Edns } from './wire/message.js';
export { RRType, RRClass, Rcode, typeName, typeNumber } from './wire/types-registry.js';
export { decodeMessage, encodeMessage } from './wire/codec.js';
export {
  parseRecord,
  parseZone,
  formatRecord,
  formatRdata,
  type TextOptions,
} from './wire/presentation.js';
export {
  readMx,
  readTarget,
  readTxt,
  txtText,
  readTlsa,
  readDs,
  readDnskey,
  readRrsig,
  readNsec,
  readNsec3,
  readSoa,
  encodeTypeBitmap,
  makeRecord,
} from './wire/rdata.js';
export type { Mx, TlsaData, Ds, Dnskey, Rrsig, Nsec, Nsec3, Soa } from './wire/rdata.js';
export { toBase32hex, fromBase32hex } from './wire/base32hex.js';
export { wireFailures } from './wire/failures.js';
export {
  validate,
  verifyProof,
  rootAnchors,
  parseTrustAnchors,
  defaultLimits,
  MAX_CLOCK_SKEW,
} from './dnssec/validate/index.js';
export type {
  Fetch,
  Fetched,
  TrustAnchor,
  ValidationLimits,
  ValidateRequest,
  ZoneCache,
  CachedZone,
  ZoneStatus,
  Proof,
  ProofRecords,
} from './dnssec/validate/index.js';
export {
  standardAlgorithms,
  rsa,
  type Algorithm,
  type AlgorithmRegistry,
} from './dnssec/algorithms.js';
export { dnssecFailures } from './dnssec/failures.js';
export {
  generateZoneKey,
  createZoneKeyPem,
  parseZoneKey,
  dnskeyRecord,
  dsRecord,
  signRrset,
  denialChain,
} from './dnssec/sign/index.js';
export type {
  ZoneSigningKey,
  SigningAlgorithm,
  SigningWindow,
  DsDigestType,
  DenialScheme,
  ZoneName,
} from './dnssec/sign/index.js';
export {
  lookupZone,
  encloserOf,
  wildcardBelow,
  respondToQuery,
  serveDnsStream,
  OnlineZone,
  StaticRecords,
} from './authority/index.js';
export type {
  ZoneData,
  RecordSets,
  OnlineZoneSpec,
  AuthorityOptions,
  AuthorityResponse,
} from './authority/index.js';
export { compareNames, keyTag } from './dnssec/canonical.js';
export { nsec3Hash } from './dnssec/nsec3-hash.js';
export { askServer } from './client/ask-server.js';
export { createResolver, type ResolverOptions } from './client/resolver.js';
export { chooseResolver, type ResolverChoice } from './client/choose-resolver.js';
export { parseUpstream, systemUpstreams, type Upstream } from './client/upstream.js';
export { sendUpdate, type UpdateOptions } from './update/send-update.js';
export { updateMessage, type RrsetChange } from './update/update-message.js';
export {
  signTsig,
  verifyTsig,
  type TsigKey,
  type TsigAlgorithm,
  type SignedMessage,
} from './update/tsig.js';
export { updateFailures } from './update/failures.js';
export { transportFailures } from './client/failures.js';
export {
  lookupMailRoute,
  type MailRoute,
  type MailRouteOptions,
} from './mail-route/lookup-mail-route.js';
export { lookupAddresses, type HostAddresses } from './mail-route/lookup-addresses.js';
export { lookupTexts, type Texts } from './mail-route/lookup-texts.js';
export { isSynthesised } from './mail-route/is-synthesised.js';
export { formatCaa, parseIssueValue, type CaaProperty, type IssueValue } from './caa/parse-caa.js';
export { judgeCaa, type CaaDecision, type CaaRequest } from './caa/judge-caa.js';
export { lookupCaa, type RelevantCaa } from './caa/lookup-caa.js';
