import type { FixStep } from '../../evidence/index.js';
import {
  checkAgain,
  checkCommand,
  command,
  confirm,
  dns,
  noSteps,
  wait,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/**
 * Deleting the record comes after another one works: the domain keeps a route for its
 * mail.
 */
const deleteRecord = (v: FindingValues): FixStep =>
  v.mx.length > 0
    ? dns('Delete this record.', `${v.domain}. IN MX ${v.preference} ${v.host}.`)
    : dns(`Replace the MX record that names ${v.host} by one that names your mail host.`);

/** The record that takes the place of the one that names `v.host`. */
const nameInstead = (v: FindingValues, host: string): FixStep =>
  dns(
    `Publish this record with its final dot; it replaces the one that names ${v.host}.`,
    `${v.domain}. 3600 IN MX ${v.preference} ${host}.`,
  );

const aliasSteps = (v: FindingValues): readonly FixStep[] => [
  confirm(
    `Make sure that the certificate and the MTA-STS policy name ${v.detail || 'the target of the alias'}.`,
  ),
  nameInstead(v, v.detail || 'HOST'),
  checkAgain(v),
];

/** The route of the mail, and what kept this check from seeing it. */
export const routeFindings = {
  'mx-unreachable': {
    topic: 'mx',
    title: (v) => `The mail host ${v.host} cannot be reached`,
    passed: 'Every mail host answers on port 25',
    why: (v) =>
      `Senders use another host of the domain, or defer the mail${v.detail ? ` (${v.detail})` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'mail-host',
    fix: 'Start the server, open port 25 to it, or remove its MX record.',
    steps: (v) => [
      command(`On ${v.host}, see whether port 25 is open.`, "ss -ltn 'sport = :25'"),
      confirm('Make sure that the firewall admits port 25 from everywhere.'),
      checkAgain(v),
    ],
  },
  'mx-takes-no-mail': {
    topic: 'mx',
    title: (v) => `The mail host ${v.host} never takes mail`,
    passed: 'No mail host refuses all mail',
    why: (v) =>
      `It greets with "${v.reply ?? '521'}". Senders use the other hosts of the domain; without one they bounce the mail.`,
    reference: 'RFC 7504 §3',
    owner: 'domain',
    fix: 'Remove the MX record of this host, or start the mail server there.',
    steps: (v) => [
      confirm(
        `Make sure that all clients get this greeting: connect to ${v.host} from another network.`,
      ),
      deleteRecord(v),
      checkAgain(v),
    ],
  },
  'mx-address-unroutable': {
    topic: 'mx',
    title: (v) => `The address ${v.ip} of ${v.host} is not public`,
    passed: 'Every address of a mail host is public',
    why: (v) =>
      `${v.detail || 'It is not a public address'}. Senders outside that network cannot reach it, and this check does not connect to it.`,
    reference: 'RFC 6890 §2.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Publish the public address of the mail host, and no other.',
    steps: (v) => [
      dns(
        'Replace this record by one with the public address.',
        `${v.host}. IN ${v.ip.includes(':') ? 'AAAA' : 'A'} ${v.ip}`,
      ),
      confirm(
        'If the name is only for an internal network, check with its resolver. Replace ADDRESS by its address.',
        checkCommand(v, ' --resolver ADDRESS'),
      ),
      checkAgain(v),
    ],
  },
  'mx-nonexistent': {
    topic: 'mx',
    title: (v) => `The MX host ${v.host} has no address`,
    passed: 'Every MX host has an address',
    why: (v) =>
      `${v.detail ? `${v.detail} ` : ''}Senders skip it${v.mx.length > 0 ? ' and use the other hosts' : ', so no mail is delivered'}.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: 'Correct the MX record: it must name a host with an A or AAAA record.',
    steps: (v) => [
      command('See what is published.', `dig MX ${v.domain}; dig A ${v.host}; dig AAAA ${v.host}`),
      v.meant === undefined ? deleteRecord(v) : nameInstead(v, v.meant),
      checkAgain(v),
    ],
  },
  'mx-is-address': {
    topic: 'mx',
    title: (v) => `The MX record names the address ${v.host}, not a host`,
    passed: 'Every MX record names a host',
    why: 'An MX record must name a host, and no host name is an address. Senders skip this record.',
    reference: 'RFC 1035 §3.3.9, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Give the mail host a name with an A or AAAA record, and name it in the MX record.',
    steps: (v) => [
      dns(`Publish an A or AAAA record with the address ${v.host} under a name of your own.`),
      dns(`Replace the MX record that names ${v.host} by one with that name.`),
      checkAgain(v),
    ],
  },
  'mx-special-name': {
    topic: 'mx',
    title: (v) => `The MX host ${v.host} never exists in public DNS`,
    why: (v) =>
      `The top-level name "${v.host.split('.').at(-1) ?? ''}" is reserved (${v.detail}), so senders skip it${v.mx.length > 0 ? '. A provider that verifies the domain by such a record needs it' : ', and no mail is delivered'}.`,
    reference: 'RFC 6761 §6, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'No action is needed while other MX hosts take the mail.',
    steps: (v) => [
      dns(`Publish an MX record of ${v.domain} that names your mail host.`),
      checkAgain(v),
    ],
  },
  'null-mx-beside': {
    topic: 'mx',
    title: 'A null MX record stands next to other MX records',
    passed: 'The MX records do not contradict each other',
    why: 'The null MX says that the domain takes no mail, so some senders bounce the mail at once.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'Delete the null MX record if the domain takes mail. Otherwise delete the others.',
    steps: (v) => [
      dns('If the domain takes mail, delete this record.', `${v.domain}. IN MX 0 .`),
      checkAgain(v),
    ],
  },
  'mx-inconclusive': {
    topic: 'network',
    title: (v) => `The TLS of ${v.host} could not be determined`,
    why: (v) =>
      `${v.reply === undefined ? `The conversation ended early${v.detail ? `: ${v.detail}` : ''}` : `The server answered "${v.reply}" (${v.detail})`}. This says nothing about its TLS, neither good nor bad.`,
    reference: 'RFC 5321 §4.2.1',
    owner: 'mail-host',
    fix: 'Check again later, from a network with a mail server and a name of its own.',
    steps: (v) => [
      wait('Wait ten minutes.'),
      confirm('Check again and read the conversation.', checkCommand(v, ' --transcript')),
    ],
  },
  'mx-is-cname': {
    topic: 'mx',
    title: (v) => `The MX host ${v.host} is an alias`,
    passed: 'No MX host is an alias',
    why: (v) =>
      v.meant === undefined
        ? `An MX record must name a host with addresses, not a CNAME${v.detail ? ` (it leads to ${v.detail})` : ''}. Senders differ in which name they expect in the certificate and in TLSA records.`
        : `It leads to ${v.meant}. ${v.detail} Senders compare the name in the MX record, ${v.host}, and defer the mail.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: (v) =>
      v.meant === undefined
        ? 'Name the host itself in the MX record, after the certificate and the policy name it.'
        : `Name ${v.meant} in the MX record. Leave the policy and the certificate as they are.`,
    steps: (v) =>
      v.meant === undefined ? aliasSteps(v) : [nameInstead(v, v.meant), checkAgain(v)],
  },
  'address-family-failed': {
    topic: 'mx',
    title: (v) => `One address family of ${v.host} cannot be looked up`,
    why: 'Senders use the addresses of the other family. Some implementations defer the mail instead.',
    reference: 'RFC 7672 §2.1.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Let every name server answer A and AAAA questions, also for names without such a record.',
    steps: (v) => [
      command('See the answer for IPv4.', `dig +dnssec A ${v.host}`),
      command('See the answer for IPv6.', `dig +dnssec AAAA ${v.host}`),
    ],
  },
  'mx-lookup-failed': {
    topic: 'mx',
    title: 'The MX lookup failed',
    why: (v) =>
      `The hosts that take mail for ${v.domain} are unknown${v.detail ? `: ${v.detail}` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Check again, or use another resolver: --resolver ADDRESS.',
    steps: (v) => [
      command('See what is answered.', `dig MX ${v.domain}`),
      confirm(
        'Check again through another resolver. Replace ADDRESS by its address.',
        checkCommand(v, ' --resolver ADDRESS'),
      ),
    ],
  },
  'port-25-blocked': {
    topic: 'network',
    title: 'This network seems to block port 25',
    why: 'No mail host could be reached, so nothing is known of their TLS. DNS, MTA-STS and TLS-RPT were checked.',
    reference: 'RFC 5321 §4.5.4.2',
    owner: 'own-network',
    fix: 'Run the check from a mail server, or from a network that admits outgoing port 25.',
    steps: (v) => [confirm('Run the check on a mail server.', checkCommand(v))],
  },
  'no-ipv6': {
    topic: 'network',
    title: 'This machine has no IPv6',
    why: 'The IPv6 addresses of the mail hosts were not checked. The verdict does not depend on them.',
    reference: 'RFC 5321 §5.2',
    owner: 'own-network',
    fix: 'Run the check from a machine with IPv6 to include them.',
    steps: noSteps,
  },
  'hosts-skipped': {
    topic: 'network',
    title: (v) => `Not all mail hosts were checked: ${v.detail}`,
    why: 'A check contacts at most ten mail hosts by default. Senders may still use the others.',
    reference: 'RFC 5321 §5.1',
    owner: 'own-network',
    fix: 'Check more of them.',
    steps: (v) => [command('Check up to 100 hosts.', checkCommand(v, ' --max-hosts 100'))],
  },
  'null-mx': {
    topic: 'mx',
    title: 'The domain declares that it takes no mail',
    why: 'With a null MX there is no mail to protect.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  'no-mail': {
    topic: 'mx',
    title: 'The domain has no mail host',
    why: 'There is neither an MX record nor an address, so mail to it bounces at once.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'If the domain takes no mail, declare it.',
    steps: (v) => [
      dns('If the domain takes no mail, publish this record.', `${v.domain}. 3600 IN MX 0 .`),
    ],
  },
  'implicit-mx': {
    topic: 'mx',
    title: 'Without an MX record, mail goes to the domain itself',
    why: 'This works, but breaks when the web server moves.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Publish an MX record that names the mail host.',
    steps: (v) => [
      dns('Publish this record.', `${v.domain}. 3600 IN MX 10 ${v.domain}.`),
      checkAgain(v),
    ],
  },
  'domain-nonexistent': {
    topic: 'mx',
    title: (v) =>
      v.detail ? 'The resolver says that the domain does not exist' : 'The domain does not exist',
    why: (v) => (v.detail ? 'It gives no proof.' : 'The DNS has no such name.'),
    reference: 'RFC 2308 §2.1',
    owner: 'domain',
    fix: 'Check the spelling. If it is right, use another resolver: --resolver ADDRESS.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
