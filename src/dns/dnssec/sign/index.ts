/** Signs zones: keys, RRSIG, DS, NSEC and NSEC3 chains. RFC 4034, 5155. */
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
