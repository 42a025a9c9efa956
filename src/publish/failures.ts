import { defineFailures } from '../base/index.js';

/** What hinders publishing and needs a person. */
export const publishFailures = defineFailures({
  'publish-key-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8',
    message:
      'The mail server shows a key that is not in the key ring; a record for it is never made from what the network shows.',
    fix: 'Put the key of the server’s certificate into the key ring, or give the server back a key of the ring.',
  },
  'publish-starttls-absent': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 7672 §9.2',
    message:
      'The mail server does not offer STARTTLS at every address, so no TLSA records are published for it.',
    fix: 'Offer STARTTLS at every address of the host.',
  },
  'publish-zone-unsigned': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.2.2',
    message:
      'The zone is not signed, or its parent has no DS record: TLSA records there are inert.',
    fix: 'Sign the zone and have its DS record published; then records follow by themselves.',
  },
  'publish-zone-bogus': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.1.2',
    message: 'The zone’s signatures do not hold, so senders with DANE hold mail back.',
    fix: 'Repair the signatures first: hermetic dnssec NAME TLSA shows where they break.',
  },
  'publish-reload-failed': {
    blame: 'local',
    temporary: true,
    message: 'The mail server could not be told to read its certificate again.',
    fix: 'Run the command of install.reload by hand and see what it says; the next round tries again.',
  },
  'publish-write-failed': {
    blame: 'local',
    temporary: true,
    message:
      'A key, a certificate or a policy could not be written; what is there already stays in use.',
    fix: 'See that the folder can be written (publish.keys, install.folder, exportTo) and its disk has room; the next round tries again.',
  },
  'publish-certificate-unfit': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message:
      'A certificate does not fit the key, the name of the host or the date, so no server is given it; the one in use stays.',
    fix: 'Put the whole chain of a certificate for this key and this name in its place.',
  },
  'publish-brought-unfit': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message:
      'The certificate files that are looked at do not hold a key with a chain that fits, so nothing is taken from them; what is in use stays.',
    fix: 'Name fullchain.pem and privkey.pem of a certificate for the host, and see what the program that renews them says.',
  },
  'publish-adopt-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file in adopt does not hold a private key that can be read.',
    fix: 'Name an unencrypted private key in PEM, or remove the file from adopt once its key is in the ring.',
  },
  'publish-key-brought': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 7671 §8.1',
    message:
      'A renewal has made a new key. The server goes on with the present one until the new key is announced and no cache is without it.',
    fix: 'Nothing to do but apply. So that renewals keep the key: reuse_key = True in certbot’s renewal file, or acme.sh without --always-force-new-domain-key.',
  },
  'publish-key-brought-unannounced': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 7671 §8.1',
    message:
      'A renewal has made a new key in the files that the server reads itself, and caches may hold records without it: a restart now would hold mail back.',
    fix: 'Do not reload the server until status shows the key as pinned for two TTLs; set reuse_key, and give the server install.folder to read.',
  },
  'publish-key-not-kept': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8.1',
    message:
      'The next renewal will make a new key and the server reads those files itself: mail of senders with DANE would be held back.',
    fix: 'Write reuse_key = True below [renewalparams] in /etc/letsencrypt/renewal/NAME.conf; or give the server install.folder to read: new keys wait there for their records.',
  },
  'publish-certificate-ending': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message: 'The certificate of the mail host ends soon and nobody has renewed it.',
    fix: 'See why its renewal fails: hermetic publish status with acme, the log of your own client else.',
  },
  'publish-certificate-not-shown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8.4',
    message:
      'The mail server was told to read its new certificate and shows another one. Records and keys stay as they are, so no mail is held back.',
    fix: 'See that its configuration names the files of install.folder, and restart it; where it runs on other machines, the reload command has to copy them there.',
  },
  'publish-mx-failing': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8461 §4',
    message:
      'Our own probe finds that senders which enforce the policy cannot deliver to this address.',
    fix: 'Repair the server: its certificate, its chain or STARTTLS. Leaving enforce is the last resort, and yours to confirm.',
  },
  'publish-reports-failing': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 8460 §4',
    message:
      'TLS-RPT reports tell of failures that our own probe does not find. Somebody may be on the path of those senders; the policy stays.',
    fix: 'Look at the reports: hermetic report show.',
  },
  'publish-mx-unlisted': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §4.1',
    message: 'The DNS names an MX host that is neither wanted nor in the policy.',
    fix: 'Add it to mx of the domain if it is yours; then the policy takes it in.',
  },
  'publish-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §3.1',
    message: 'There is more than one MTA-STS record, so senders use none.',
    fix: 'The next change leaves exactly one; apply it.',
  },
  'publish-name-synthesised': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 4592 §2.2.2',
    message: 'A wildcard answers for the name, and a record below it would end that.',
    fix: 'Publish address records, or an alias, at the name itself.',
  },
  'publish-hook-failed': {
    blame: 'local',
    temporary: true,
    message: 'The command that changes records failed.',
    fix: 'Run the command of publish.dns by hand with the JSON of the change and see what it says; the next round tries again.',
  },
  'publish-tsig-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file does not hold a TSIG key that can be used.',
    fix: 'Make one with tsig-keygen -a hmac-sha256 hermetic.',
  },
  'publish-key-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file does not hold a private key that can be read.',
    fix: 'Name a PEM file with an unencrypted private key, and check its permissions.',
  },
  'config-impossible': {
    blame: 'local',
    temporary: false,
    message: 'The mail server of this version does not have the settings that were asked for.',
    fix: 'Upgrade the mail server, or leave out the option that the message names.',
  },
});
