import { defineFailures } from '../base/index.js';

/** What hinders publishing and needs a person. */
export const publishFailures = defineFailures({
  'publish-key-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8',
    says: 'The mail server shows a key that is not in the key ring; a record for it is never made from what the network shows.',
    fix: 'Put the key of the server’s certificate into the key ring, or give the server back a key of the ring.',
  },
  'publish-starttls-absent': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 7672 §9.2',
    says: 'The mail server does not offer STARTTLS at every address, so no TLSA records are published for it.',
    fix: 'Offer STARTTLS at every address of the host.',
  },
  'publish-zone-unsigned': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.2.2',
    says: 'The zone is not signed, or its parent has no DS record: TLSA records there are inert.',
    fix: 'Sign the zone and have its DS record published; then records follow by themselves.',
  },
  'publish-zone-bogus': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.1.2',
    says: 'The zone’s signatures do not hold, so senders with DANE hold mail back.',
    fix: 'Repair the signatures first: hermetic dnssec NAME TLSA shows where they break.',
  },
  'publish-reload-failed': {
    blame: 'local',
    temporary: true,
    says: 'The mail server could not be told to read its certificate again.',
    fix: 'Run the command of install.reload by hand and see what it says; the next round tries again.',
  },
  'publish-mx-failing': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8461 §4',
    says: 'Our own probe finds that senders which enforce the policy cannot deliver to this address.',
    fix: 'Repair the server: its certificate, its chain or STARTTLS. Leaving enforce is the last resort, and yours to confirm.',
  },
  'publish-reports-failing': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 8460 §4',
    says: 'TLS-RPT reports tell of failures that our own probe does not find. Somebody may be on the path of those senders; the policy stays.',
    fix: 'Look at the reports: hermetic report show.',
  },
  'publish-mx-unlisted': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §4.1',
    says: 'The DNS names an MX host that is neither wanted nor in the policy.',
    fix: 'Add it to mx of the domain if it is yours; then the policy takes it in.',
  },
  'publish-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §3.1',
    says: 'There is more than one MTA-STS record, so senders use none.',
    fix: 'The next change leaves exactly one; apply it.',
  },
});
