/**
 * Signs zones: keys, RRSIG and DS records, NSEC and NSEC3 chains (RFC 4034, RFC 5155).
 */
export {
  generateZoneKey,
  createZoneKeyPem,
  parseZoneKey,
  dnskeyRecord,
  dsRecord,
  type ZoneSigningKey,
  type SigningAlgorithm,
  type DsDigestType,
} from './zone-key.js';
export { signRrset, type SigningWindow } from './sign-rrset.js';
export { denialChain, type DenialScheme, type ZoneName } from './denial-chain.js';
