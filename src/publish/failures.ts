import { defineFailures } from '../base/index.js';

/** Conditions that stop a part of publishing and need the operator. */
export const publishFailures = defineFailures({
  'publish-key-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8',
    message:
      'The mail server presents a key that is not in the key ring. Hermetic creates no record from observed keys.',
    fix: 'Import the key of the server’s certificate into the key ring, or give the server a key of the ring.',
  },
  'publish-starttls-absent': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 7672 §9.2',
    message:
      'The mail server does not offer STARTTLS at every address, so Hermetic publishes no TLSA records for it.',
    fix: 'Offer STARTTLS at every address of the host.',
  },
  'publish-zone-unsigned': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.2.2',
    message:
      'The zone is not signed, or its parent has no DS record. TLSA records in this zone have no effect.',
    fix: 'Sign the zone and publish its DS record. Hermetic then publishes the TLSA records.',
  },
  'publish-zone-bogus': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 7672 §2.1.2',
    message: 'The signatures of the zone are invalid, so senders with DANE defer mail.',
    fix: 'Fix the signatures first. hermetic dnssec NAME TLSA shows the broken one.',
  },
  'publish-reload-failed': {
    blame: 'local',
    temporary: true,
    message: 'The reload command of the mail server failed.',
    fix: 'Run the command of install.reload in a shell and read its output. The next round tries again.',
  },
  'publish-write-failed': {
    blame: 'local',
    temporary: true,
    message:
      'Hermetic could not write a key, a certificate or a policy. The current one stays in use.',
    fix: 'Make the folder writable (publish.keys, install.folder, exportTo), and free space on its disk. The next round tries again.',
  },
  'publish-certificate-unfit': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message:
      'A certificate does not match the key, the host name or the date. Hermetic does not install it.',
    fix: 'Replace it with the complete chain of a certificate for this key and this name.',
  },
  'publish-brought-unfit': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message:
      'The certificate files contain no key with a matching chain. Hermetic ignores them, and the current certificate stays.',
    fix: 'Specify fullchain.pem and privkey.pem of a certificate for the host. Read the log of the program that renews them.',
  },
  'publish-adopt-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file in adopt contains no readable private key.',
    fix: 'Specify an unencrypted private key in PEM. Remove the file from adopt once its key is in the ring.',
  },
  'publish-key-brought': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 7671 §8.1',
    message:
      'A renewal created a new key. The server keeps the current one until every cache has the record of the new key.',
    fix: 'Run apply. To keep the key at renewal, set reuse_key = True in certbot’s renewal file. With acme.sh, omit --always-force-new-domain-key.',
  },
  'publish-key-brought-unannounced': {
    blame: 'local',
    temporary: true,
    clause: 'RFC 7671 §8.1',
    message:
      'A renewal created a new key in files that the server reads. A restart now would make senders with DANE defer mail.',
    fix: 'Do not reload the server until status shows the key as pinned for two TTLs. Set reuse_key, and configure the server to read install.folder.',
  },
  'publish-key-not-kept': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8.1',
    message:
      'The next renewal will create a new key in files that the server reads. Senders with DANE would then defer mail.',
    fix: 'Write reuse_key = True below [renewalparams] in /etc/letsencrypt/renewal/NAME.conf. Alternatively, configure the server to read install.folder, where new keys stay until their records are published.',
  },
  'publish-certificate-ending': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 8461 §4.2',
    message: 'The certificate of the mail host expires soon, and no program has renewed it.',
    fix: 'Find the failure: hermetic publish status for acme, otherwise the log of your ACME client.',
  },
  'publish-certificate-not-shown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 7671 §8.4',
    message:
      'The mail server reloaded but presents another certificate. Records and keys stay unchanged, so no mail is deferred.',
    fix: 'Check that its configuration names the files of install.folder, and restart it. If it runs on another machine, the reload command must copy the files.',
  },
  'publish-mx-failing': {
    blame: 'peer',
    temporary: false,
    clause: 'RFC 8461 §4',
    message:
      'According to Hermetic’s probe, senders that enforce the policy cannot deliver to this address.',
    fix: 'Fix the server: its certificate, its chain or STARTTLS. Change the mode from enforce only as a last resort. This change needs your confirmation.',
  },
  'publish-reports-failing': {
    blame: 'network',
    temporary: true,
    clause: 'RFC 8460 §4',
    message:
      'TLS-RPT reports contain failures that Hermetic’s probe does not find. An on-path attacker may affect those senders. The policy stays.',
    fix: 'Read the reports: hermetic report show.',
  },
  'publish-mx-unlisted': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §4.1',
    message: 'DNS names an MX host that is in neither the configuration nor the policy.',
    fix: 'If the host is yours, add it to mx of the domain. The policy then includes it.',
  },
  'publish-record-multiple': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8461 §3.1',
    message: 'There is more than one MTA-STS record, so senders use none.',
    fix: 'Apply the next change, which leaves exactly one.',
  },
  'publish-name-synthesised': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 4592 §2.2.2',
    message:
      'A wildcard answers for the name, and a record below the name would disable the wildcard.',
    fix: 'Publish address records, or an alias, at the name itself.',
  },
  'publish-caa-refuses': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 8659 §4',
    message: 'CAA records refuse the certificate, so no order is placed.',
    fix: 'Permit this CA, its account and its method in the CAA records. The next round detects the change.',
  },
  'publish-issuance-bogus': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 4035 §5.5',
    message: 'DNSSEC is bogus at a name that the CA looks up, so no order is placed.',
    fix: 'Sign the zone again. If the keys of the zone are lost, remove the DS record at the registrar.',
  },
  'publish-hook-failed': {
    blame: 'local',
    temporary: true,
    message: 'The command that changes records failed.',
    fix: 'Run the command of publish.dns manually with the JSON of the change, and read its output. The next round tries again.',
  },
  'publish-change-unseen': {
    blame: 'publisher',
    temporary: true,
    message: 'A change was reported as done, and the authoritative servers do not show it.',
    fix: 'Look for the record at the DNS provider. It may be in another zone, need approval, or be missing on a secondary server. Each round repeats the change.',
  },
  'publish-tsig-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file contains no usable TSIG key.',
    fix: 'Create one with tsig-keygen -a hmac-sha256 hermetic.',
  },
  'publish-key-unreadable': {
    blame: 'local',
    temporary: false,
    message: 'A file contains no readable private key.',
    fix: 'Specify a PEM file with an unencrypted private key, and check its permissions.',
  },
  'config-impossible': {
    blame: 'local',
    temporary: false,
    message: 'This version of the mail server does not have the requested settings.',
    fix: 'Upgrade the mail server, or leave out the option that the message names.',
  },
});
