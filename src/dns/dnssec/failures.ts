import { defineFailures } from '../../base/index.js';

/**
 * The reasons why DNSSEC validation of an answer failed. The sender defers mail that
 * depends on the answer, and does not fall back to plaintext (RFC 7672 §2.1.2).
 */
export const dnssecFailures = defineFailures({
  'dnssec-signature-missing': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3',
    message: 'A record of a signed zone arrived without its signature.',
    fix: 'Re-sign the zone, or find the device that removes the signature.',
  },
  'dnssec-signature-invalid': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.3',
    message:
      'A signature does not match its record. The record has changed, or another key signed it.',
    fix: 'Re-sign the zone. If the zone is correct, an on-path attacker forges answers.',
  },
  'dnssec-signature-expired': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.1',
    message: 'A signature has expired.',
    fix: 'Re-sign the zone, and fix the job that signs it.',
  },
  'dnssec-signature-not-yet-valid': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.1',
    message: 'A signature begins in the future.',
    fix: 'Check the clock of the signer and of this machine.',
  },
  'dnssec-key-missing': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.1',
    message: 'No key of the zone matches the signature.',
    fix: 'Publish the DNSKEY that signs, or sign with a published one.',
  },
  'dnssec-ds-mismatch': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.2',
    message: 'No DNSKEY of the zone both matches a DS record at the parent and signs the zone.',
    fix: 'Ask the parent to publish the DS of the key in use.',
  },
  'dnssec-denial-missing': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.4',
    message: 'A signed zone denied the existence of a record without proof.',
    fix: 'Check the NSEC or NSEC3 records of the zone. If they are correct, an on-path attacker forges answers.',
  },
  'dnssec-cut-unproved': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.2',
    message: 'The parent zone did not prove that the delegation is unsigned.',
    fix: 'Check the delegation at the parent. If it is correct, an on-path attacker forges answers.',
  },
  'dnssec-iterations': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 9276 §3.2',
    message: 'The zone uses more NSEC3 iterations than validators accept.',
    fix: 'Sign the zone with NSEC, or NSEC3 with 0 iterations.',
  },
  'dnssec-type-unsigned': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 4035 §2.2',
    message:
      'RRSIG records are themselves unsigned, so an answer of RRSIG records alone proves nothing.',
    fix: 'Ask for the record type that the signature covers.',
  },
  'dnssec-limit': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'CVE-2023-50387',
    message: 'The validation of the answer exceeds the limit of work.',
    fix: 'Remove superfluous keys and signatures from the zone.',
  },
  'dnssec-anchor-stale': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4035 §4.4',
    message: 'No trust anchor signs the root zone.',
    fix: 'Update this program, or supply current anchors with --trust-anchor.',
  },
  'dnssec-no-anchor': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4033 §5',
    message: 'No trust anchor covers this name.',
    fix: 'Supply an anchor for the root with --trust-anchor.',
  },
  'dnssec-clock': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4034 §3.1.5',
    message: 'According to this machine’s clock, every signature of the root zone is out of date.',
    fix: 'Set the clock of this machine.',
  },
  'dnssec-stripped': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4035 §3.2.1',
    message: 'The resolver removes DNSSEC records from its answers.',
    fix: 'Use a resolver that preserves them: --resolver ADDRESS.',
  },
  'dnssec-not-validating': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 6840 §5.7',
    message:
      'The resolver for --trust-ad does not set the AD bit for the name servers of the root.',
    fix: 'Enable validation in the resolver (systemd-resolved: DNSSEC=yes), or omit --trust-ad.',
  },
  'dns-alias-loop': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 1034 §3.6.2',
    message: 'A chain of aliases is a loop or too long.',
    fix: 'Point the alias directly at its final name.',
  },
  'dns-servfail': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver found no answer (SERVFAIL).',
    fix: 'Check the name servers of the zone.',
  },
  'dns-refused': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver refused the question.',
    fix: 'Use a resolver that accepts this machine: --resolver ADDRESS.',
  },
  'dns-rcode': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver answered with an error code.',
    fix: 'Use another resolver: --resolver ADDRESS.',
  },
});

export type DnssecFailureCode = keyof typeof dnssecFailures.entries;
