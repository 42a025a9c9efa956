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
});
