import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  command,
  confirm,
  dns,
  noSteps,
  wait,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * Deleting the record comes after another one works: the domain keeps a way for its mail.
 */
const deleteRecord = (v: FindingValues) =>
  v.mx.length > 0
    ? dns(`Delete: ${v.domain}. IN MX ${v.preference} ${v.host}.`)
    : dns(
        `Replace ${v.domain}. IN MX ${v.preference} ${v.host}. by an MX record that names your mail host.`,
      );

const aliasSteps = (v: FindingValues): readonly FixStep[] => [
  confirm(
    `The certificate and the MTA-STS policy, where there is one, name ${v.detail || 'the host the alias leads to'}.`,
  ),
  dns(`${v.domain}. 3600 IN MX ${v.preference} ${v.detail || 'HOST'}.   (replaces ${v.host}.)`),
  checkAgain(v),
];

/** Where mail goes, and what kept this check from seeing it. */
export const routeFindings = {
  'mx-unreachable': {
    title: (v) => `The mail host ${v.host} cannot be reached`,
    why: (v) =>
      `Mail waits, or goes to another host of the domain${v.detail ? ` (${v.detail})` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'mail-host',
    fix: 'Start the server, open port 25 to it, or remove its MX record.',
    steps: (v) => [
      command(`On ${v.host}: ss -ltn 'sport = :25'`),
      confirm('The firewall lets port 25 in from everywhere.'),
      checkAgain(v),
    ],
  },
  'mx-takes-no-mail': {
    title: (v) => `The mail host ${v.host} never takes mail`,
    why: (v) =>
      `It greets with "${v.reply ?? '521'}". Senders go on to the other hosts of the domain; without one the mail is returned.`,
    reference: 'RFC 7504 §3',
    owner: 'domain',
    fix: 'Remove the MX record of this host, or start the mail server there.',
    steps: (v) => [
      confirm(`The greeting concerns all clients: connect to ${v.host} from another network.`),
      deleteRecord(v),
      checkAgain(v),
    ],
  },
  'mx-address-unroutable': {
    title: (v) => `The address ${v.ip} of ${v.host} cannot be reached from the internet`,
    why: (v) =>
      `${v.detail}. No sender outside its own network reaches it, and this check does not connect to it.`,
    reference: 'RFC 6890 §2.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Publish the public address of the mail host, and no other.',
    steps: (v) => [
      dns(
        `Replace ${v.host}. IN ${v.ip.includes(':') ? 'AAAA' : 'A'} ${v.ip} by the public address.`,
      ),
      confirm(
        `The name is meant for an internal network only: hermetic check ${v.domain} --resolver ADDRESS   (the resolver of that network)`,
      ),
      checkAgain(v),
    ],
  },
  'mx-nonexistent': {
    title: (v) => `The MX host ${v.host} has no address`,
    why: (v) =>
      `${v.detail ? `${v.detail} ` : ''}Senders pass over it${v.mx.length > 0 ? ' and use the other hosts' : ': no mail is delivered'}.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: 'Correct the MX record: it has to name a host with an A or AAAA record.',
    steps: (v) => [
      command(`dig MX ${v.domain}; dig A ${v.host}; dig AAAA ${v.host}`),
      v.meant === undefined
        ? deleteRecord(v)
        : dns(
            `${v.domain}. 3600 IN MX ${v.preference} ${v.meant}.   (with the final dot, replaces ${v.host}.)`,
          ),
      checkAgain(v),
    ],
  },
  'mx-is-address': {
    title: (v) => `The MX record names an address, ${v.host}, not a host`,
    why: 'An MX record must name a host. No host has a name that is an address, so senders pass over this record.',
    reference: 'RFC 1035 §3.3.9, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Give the mail host a name with an A or AAAA record, and put that name into the MX record.',
    steps: (v) => [
      dns(`Publish an A or AAAA record with the address ${v.host} under a name of your own.`),
      dns(`Replace ${v.domain}. IN MX ${v.preference} ${v.host}. by an MX record with that name.`),
      checkAgain(v),
    ],
  },
  'mx-special-name': {
    title: (v) => `The MX host ${v.host} never exists in the public DNS`,
    why: (v) =>
      `The top-level name "${v.host.split('.').at(-1) ?? ''}" is reserved (${v.detail}), so senders pass over it${v.mx.length > 0 ? '. A provider that verifies the domain by such a record needs it' : ': no mail is delivered'}.`,
    reference: 'RFC 6761 §6, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Nothing has to be done while other MX hosts take the mail.',
    steps: (v) => [
      dns(`Publish an MX record of ${v.domain} that names your mail host.`),
      checkAgain(v),
    ],
  },
  'null-mx-beside': {
    title: 'A null MX record stands next to other MX records',
    why: 'The null MX says that the domain takes no mail, the others say where mail goes. Some senders return the mail at once.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'Delete the null MX record if the domain takes mail; if it does not, delete the others.',
    steps: (v) => [
      dns(`Delete: ${v.domain}. IN MX 0 .   (if the domain takes mail)`),
      checkAgain(v),
    ],
  },
  'mx-inconclusive': {
    title: (v) => `What ${v.host} offers could not be told`,
    why: (v) =>
      `${v.reply === undefined ? `The conversation ended early${v.detail ? `: ${v.detail}` : ''}` : `The server answered "${v.reply}" (${v.detail})`}. This says nothing about its TLS, neither good nor bad.`,
    reference: 'RFC 5321 §4.2.1',
    owner: 'mail-host',
    fix: 'Check again later, from a network with a mail server and a name of its own.',
    steps: (v) => [wait('Ten minutes.'), confirm(`hermetic check ${v.domain} --transcript`)],
  },
  'mx-is-cname': {
    title: (v) => `The MX host ${v.host} is an alias`,
    why: (v) =>
      v.meant === undefined
        ? `An MX record has to name a host with addresses, not a CNAME${v.detail ? ` (it leads to ${v.detail})` : ''}: senders differ in which name they expect in the certificate and in TLSA records.`
        : `It leads to ${v.meant}. ${v.detail} Senders compare the name in the MX record, ${v.host}, and defer the mail.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: (v) =>
      v.meant === undefined
        ? 'Name the host itself in the MX record, after the certificate and the policy have that name.'
        : `Name ${v.meant} in the MX record; the policy and the certificate stay as they are.`,
    steps: (v) =>
      v.meant === undefined
        ? aliasSteps(v)
        : [
            dns(`${v.domain}. 3600 IN MX ${v.preference} ${v.meant}.   (replaces ${v.host}.)`),
            checkAgain(v),
          ],
  },
  'address-family-failed': {
    title: (v) => `One address family of ${v.host} cannot be looked up`,
    why: 'Senders use the addresses of the other family. Some implementations defer the mail instead.',
    reference: 'RFC 7672 §2.1.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Let every name server answer A and AAAA questions, also for names that have no such record.',
    steps: (v) => [command(`dig +dnssec A ${v.host}`), command(`dig +dnssec AAAA ${v.host}`)],
  },
  'mx-lookup-failed': {
    title: 'The MX lookup failed',
    why: (v) =>
      `Where mail for ${v.domain} goes could not be found out${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Check again, or through another resolver: --resolver ADDRESS.',
    steps: (v) => [
      command(`dig MX ${v.domain}`),
      confirm(`hermetic check ${v.domain} --resolver ADDRESS`),
    ],
  },
  'port-25-blocked': {
    title: 'This network seems to block port 25',
    why: 'No mail host could be reached from here, so nothing is known of their TLS. DNS, MTA-STS and TLS-RPT were checked.',
    reference: 'RFC 5321 §4.5.4.2',
    owner: 'own-network',
    fix: 'Run the check from a mail server, or from a network that lets port 25 out.',
    steps: (v) => [confirm(`From a mail server: hermetic check ${v.domain}`)],
  },
  'no-ipv6': {
    title: 'This machine has no IPv6',
    why: 'The IPv6 addresses of the mail hosts were not looked at. This does not change the verdict.',
    reference: 'RFC 5321 §5.2',
    owner: 'own-network',
    fix: 'Run the check from a machine with IPv6 to see them too.',
    steps: noSteps,
  },
  'hosts-skipped': {
    title: (v) => `Not all mail hosts were looked at: ${v.detail}`,
    why: 'No more than ten are, so that nobody is bothered by accident. A sender may still use the others.',
    reference: 'RFC 5321 §5.1',
    owner: 'own-network',
    fix: 'Look at more of them.',
    steps: (v) => [command(`hermetic check ${v.domain} --max-hosts 100`)],
  },
  'null-mx': {
    title: 'The domain says that it takes no mail',
    why: 'With a null MX there is nothing to protect.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'Nothing has to be done.',
    steps: noSteps,
  },
  'no-mail': {
    title: 'The domain has no mail host',
    why: 'There is neither an MX record nor an address, so mail to it bounces at once.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'If the domain takes no mail, say so.',
    steps: (v) => [dns(`${v.domain}. 3600 IN MX 0 .   (only if it takes no mail)`)],
  },
  'implicit-mx': {
    title: 'There is no MX record; mail goes to the address of the domain',
    why: 'This works, but is easily overlooked when the web server moves.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Publish an MX record that names the mail host.',
    steps: (v) => [dns(`${v.domain}. 3600 IN MX 10 ${v.domain}.`), checkAgain(v)],
  },
  'domain-nonexistent': {
    title: (v) =>
      v.detail ? 'The resolver says that the domain does not exist' : 'The domain does not exist',
    why: (v) => (v.detail ? 'It gives no proof of it.' : 'The DNS has no such name.'),
    reference: 'RFC 2308 §2.1',
    owner: 'domain',
    fix: 'Check the spelling; if it is right, ask another resolver: --resolver ADDRESS.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
