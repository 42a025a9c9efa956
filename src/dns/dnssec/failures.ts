import { defineFailures } from '../../base/index.js';

/**
 * Why an answer could not be proved. Everything here means: mail that depends on it
 * waits, it never falls back (RFC 7672 §2.1.2).
 */
export const dnssecFailures = defineFailures({
  'dnssec-signature-missing': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3',
    message: 'A record of a signed zone came without its signature.',
    fix: 'Re-sign the zone, or find out who removed the signature on the way.',
  },
  'dnssec-signature-invalid': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.3',
    message:
      'A signature does not match its record: the record was changed or signed with another key.',
    fix: 'Re-sign the zone; if the zone is in order, somebody forges answers on the way.',
  },
  'dnssec-signature-expired': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.3.1',
    message: 'A signature has expired.',
    fix: 'Re-sign the zone and repair the job that should have done it.',
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
    message: 'No key of the zone fits the signature.',
    fix: 'Publish the DNSKEY that signs, or sign with one that is published.',
  },
  'dnssec-ds-mismatch': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.2',
    message:
      'No DNSKEY of the zone matches a DS record at the parent, or the matching one does not sign.',
    fix: 'Have the parent publish the DS of the key in use.',
  },
  'dnssec-denial-missing': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.4',
    message: 'A signed zone said that something does not exist, without proof.',
    fix: 'Check the NSEC or NSEC3 records of the zone; if they are in order, somebody forges answers on the way.',
  },
  'dnssec-cut-unproved': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 4035 §5.2',
    message: 'The parent zone did not prove that the delegation is unsigned.',
    fix: 'Check the delegation at the parent; if it is in order, somebody forges answers on the way.',
  },
  'dnssec-iterations': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'RFC 9276 §3.2',
    message: 'The zone uses more NSEC3 iterations than anybody accepts.',
    fix: 'Sign the zone with NSEC, or NSEC3 with 0 iterations.',
  },
  'dnssec-limit': {
    blame: 'publisher',
    temporary: true,
    resultType: 'dnssec-invalid',
    clause: 'CVE-2023-50387',
    message: 'Proving the answer would take more work than any honest zone needs.',
    fix: 'Remove superfluous keys and signatures from the zone.',
  },
  'dnssec-anchor-stale': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4035 §4.4',
    message: 'None of the trust anchors signs the root zone any more.',
    fix: 'Update this program, or give current anchors with --trust-anchor.',
  },
  'dnssec-no-anchor': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4033 §5',
    message: 'No trust anchor covers this name.',
    fix: 'Give an anchor for the root with --trust-anchor.',
  },
  'dnssec-clock': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4034 §3.1.5',
    message: 'Every signature of the root zone is out of date as this machine counts time.',
    fix: 'Set the clock of this machine.',
  },
  'dnssec-stripped': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 4035 §3.2.1',
    message: 'The resolver removes DNSSEC records from its answers.',
    fix: 'Use a resolver that passes them on: --resolver ADDRESS.',
  },
  'dnssec-not-validating': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 6840 §5.7',
    message:
      'The resolver whose word was to be taken does not say of the root’s name servers that it validated them.',
    fix: 'Switch validation on in the resolver (systemd-resolved: DNSSEC=yes), or leave out --trust-ad.',
  },
  'dns-alias-loop': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 1034 §3.6.2',
    message: 'A chain of aliases is a loop or too long.',
    fix: 'Let the alias point directly at the name it means.',
  },
  'dns-servfail': {
    blame: 'publisher',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver could not get an answer (SERVFAIL).',
    fix: 'Check the name servers of the zone.',
  },
  'dns-refused': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver refused the question.',
    fix: 'Use a resolver that answers this machine: --resolver ADDRESS.',
  },
  'dns-rcode': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 1035 §4.1.1',
    message: 'The resolver answered with an error code.',
    fix: 'Ask another resolver: --resolver ADDRESS.',
  },
});

export type DnssecFailureCode = keyof typeof dnssecFailures.entries;
