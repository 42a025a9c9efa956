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
 * mail. Where no other host exists, the record is replaced instead.
 */
const deleteRecord = (values: FindingValues): FixStep =>
  values.mx.length > 0
    ? dns('Delete this record.', `${values.domain}. IN MX ${values.preference} ${values.host}.`)
    : dns(`Replace the MX record that names ${values.host} by one that names your mail host.`);

/**
 * The record that replaces the one that names `v.host`. Its final dot is part of the
 * text, because a missing dot makes the zone append its own name.
 */
const nameInstead = (values: FindingValues, host: string): FixStep =>
  dns(
    `Publish this record with its final dot; it replaces the one that names ${values.host}.`,
    `${values.domain}. 3600 IN MX ${values.preference} ${host}.`,
  );

/**
 * Certificate and policy come before the record: they are compared with the name in the
 * MX record from the moment that it changes (RFC 8461 §4.1).
 */
const aliasSteps = (values: FindingValues): readonly FixStep[] => [
  confirm(
    `Make sure that the certificate and the MTA-STS policy name ${values.detail || 'the target of the alias'}.`,
  ),
  nameInstead(values, values.detail || 'HOST'),
  checkAgain(values),
];

/** The end of a conversation: the server's reply, or the failure where it sent none. */
function howEnded({ reply, detail }: FindingValues): string {
  if (reply !== undefined) return `The server answered "${reply}" (${detail})`;
  return detail === '' ? 'The conversation ended early' : `The conversation ended early: ${detail}`;
}

/** The route of the mail, and what kept this check from seeing it. */
export const routeFindings = {
  /**
   * Raised when no address of the host accepts a connection or gives a greeting. A
   * warning while another host accepts mail, a failure when all hosts are dead.
   */
  'mx-unreachable': {
    topic: 'mx',
    title: (values) => `The mail host ${values.host} cannot be reached`,
    passed: 'Every mail host answers on port 25',
    why: (values) =>
      `Senders use another host of the domain, or defer the mail${values.detail ? ` (${values.detail})` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'mail-host',
    fix: 'Start the server, open port 25 to it, or remove its MX record.',
    steps: (values) => [
      command(`On ${values.host}, see whether port 25 is open.`, "ss -ltn 'sport = :25'"),
      confirm('Make sure that the firewall admits port 25 from everywhere.'),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the host greets with 521, the code of RFC 7504 §3 for a host that never
   * accepts mail. The host refuses on purpose, so its record should go.
   */
  'mx-takes-no-mail': {
    topic: 'mx',
    title: (values) => `The mail host ${values.host} never takes mail`,
    passed: 'No mail host refuses all mail',
    why: (values) =>
      `It greets with "${values.reply ?? '521'}". Senders use the other hosts of the domain; without one they bounce the mail.`,
    reference: 'RFC 7504 §3',
    owner: 'domain',
    fix: 'Remove the MX record of this host, or start the mail server there.',
    steps: (values) => [
      confirm(
        `Make sure that all clients get this greeting: connect to ${values.host} from another network.`,
      ),
      deleteRecord(values),
      checkAgain(values),
    ],
  },
  /**
   * Raised when an address is private, reserved or otherwise not global. The check does
   * not connect to it: a domain could otherwise direct it at machines in the operator's
   * own network.
   */
  'mx-address-unroutable': {
    topic: 'mx',
    title: (values) => `The address ${values.ip} of ${values.host} is not public`,
    passed: 'Every address of a mail host is public',
    why: (values) =>
      `${values.detail || 'It is not a public address'}. Senders outside that network cannot reach it, and this check does not connect to it.`,
    reference: 'RFC 6890 §2.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Publish the public address of the mail host, and no other.',
    steps: (values) => [
      dns(
        'Replace this record by one with the public address.',
        `${values.host}. IN ${values.ip.includes(':') ? 'AAAA' : 'A'} ${values.ip}`,
      ),
      confirm(
        'If the name is only for an internal network, check with its resolver. Replace ADDRESS by its address.',
        checkCommand(values, ' --resolver ADDRESS'),
      ),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the name of an MX record has no A and no AAAA record. Senders pass over
   * it, so it fails only when no other host is left.
   */
  'mx-nonexistent': {
    topic: 'mx',
    title: (values) => `The MX host ${values.host} has no address`,
    passed: 'Every MX host has an address',
    why: (values) =>
      `${values.detail ? `${values.detail} ` : ''}Senders skip it${values.mx.length > 0 ? ' and use the other hosts' : ', so no mail is delivered'}.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: 'Correct the MX record: it must name a host with an A or AAAA record.',
    steps: (values) => [
      command(
        'See what is published.',
        `dig MX ${values.domain}; dig A ${values.host}; dig AAAA ${values.host}`,
      ),
      values.meant === undefined ? deleteRecord(values) : nameInstead(values, values.meant),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the MX record holds an IP address in the form of a name. Senders look up
   * an address of that name and find none.
   */
  'mx-is-address': {
    topic: 'mx',
    title: (values) => `The MX record names the address ${values.host}, not a host`,
    passed: 'Every MX record names a host',
    why: 'An MX record must name a host, and no host name is an address. Senders skip this record.',
    reference: 'RFC 1035 §3.3.9, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Give the mail host a name with an A or AAAA record, and name it in the MX record.',
    steps: (values) => [
      dns(`Publish an A or AAAA record with the address ${values.host} under a name of your own.`),
      dns(`Replace the MX record that names ${values.host} by one with that name.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the host lies under a reserved top-level name (RFC 6761). Some providers
   * ask for such a record to verify a domain, so it informs while other hosts exist.
   */
  'mx-special-name': {
    topic: 'mx',
    title: (values) => `The MX host ${values.host} never exists in public DNS`,
    why: (values) =>
      `The top-level name "${values.host.split('.').at(-1) ?? ''}" is reserved (${values.detail}), so senders skip it${values.mx.length > 0 ? '. A provider that verifies the domain by such a record needs it' : ', and no mail is delivered'}.`,
    reference: 'RFC 6761 §6, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'No action is needed while other MX hosts take the mail.',
    steps: (values) => [
      dns(`Publish an MX record of ${values.domain} that names your mail host.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the record of RFC 7505 is published with others, which §3 forbids.
   * Senders disagree on the meaning, so some bounce mail that others deliver.
   */
  'null-mx-beside': {
    topic: 'mx',
    title: 'A null MX record stands next to other MX records',
    passed: 'The MX records do not contradict each other',
    why: 'The null MX says that the domain takes no mail, so some senders bounce the mail at once.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'Delete the null MX record if the domain takes mail. Otherwise delete the others.',
    steps: (values) => [
      dns('If the domain takes mail, delete this record.', `${values.domain}. IN MX 0 .`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when a conversation ended in a way that says nothing about TLS, such as
   * greylisting or a block of this client. It informs, and the verdict becomes
   * inconclusive.
   */
  'mx-inconclusive': {
    topic: 'network',
    title: (values) => `The TLS of ${values.host} could not be determined`,
    why: (values) => `${howEnded(values)}. This says nothing about its TLS, neither good nor bad.`,
    reference: 'RFC 5321 §4.2.1',
    owner: 'mail-host',
    fix: 'Check again later, from a network with a mail server and a name of its own.',
    steps: (values) => [
      wait('Wait ten minutes.'),
      confirm('Check again and read the conversation.', checkCommand(values, ' --transcript')),
    ],
  },
  /**
   * Raised when the name of an MX record is an alias. Where the alias alone explains a
   * policy mismatch, the finding takes the severity of that mismatch and replaces it,
   * because one changed record repairs both.
   */
  'mx-is-cname': {
    topic: 'mx',
    title: (values) => `The MX host ${values.host} is an alias`,
    passed: 'No MX host is an alias',
    why: (values) => {
      const { meant, detail, host } = values;
      if (meant !== undefined)
        return `It leads to ${meant}. ${detail} Senders compare the name in the MX record, ${host}, and defer the mail.`;
      const target = detail === '' ? '' : ` (it leads to ${detail})`;
      return `An MX record must name a host with addresses, not a CNAME${target}. Senders differ in which name they expect in the certificate and in TLSA records.`;
    },
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: (values) =>
      values.meant === undefined
        ? 'Name the host itself in the MX record, after the certificate and the policy name it.'
        : `Name ${values.meant} in the MX record. Leave the policy and the certificate as they are.`,
    steps: (values) =>
      values.meant === undefined
        ? aliasSteps(values)
        : [nameInstead(values, values.meant), checkAgain(values)],
  },
  /**
   * Raised when one of the A and AAAA lookups failed and the other gave addresses. Mail
   * flows for senders that continue with one family, so it informs.
   */
  'address-family-failed': {
    topic: 'mx',
    title: (values) => `One address family of ${values.host} cannot be looked up`,
    why: 'Senders use the addresses of the other family. Some implementations defer the mail instead.',
    reference: 'RFC 7672 §2.1.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Let every name server answer A and AAAA questions, also for names without such a record.',
    steps: (values) => [
      command('See the answer for IPv4.', `dig +dnssec A ${values.host}`),
      command('See the answer for IPv6.', `dig +dnssec AAAA ${values.host}`),
    ],
  },
  /**
   * Raised when the MX lookup had no usable answer and DNSSEC is not the reason. Nothing
   * is known of the domain, so it informs and the verdict is inconclusive.
   */
  'mx-lookup-failed': {
    topic: 'mx',
    title: 'The MX lookup failed',
    why: (values) =>
      `The hosts that take mail for ${values.domain} are unknown${values.detail ? `: ${values.detail}` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Check again, or use another resolver: --resolver ADDRESS.',
    steps: (values) => [
      command('See what is answered.', `dig MX ${values.domain}`),
      confirm(
        'Check again through another resolver. Replace ADDRESS by its address.',
        checkCommand(values, ' --resolver ADDRESS'),
      ),
    ],
  },
  /**
   * Raised when every connection to port 25, that of the control host included, ends in
   * silence. Many access networks block the port to stop spam.
   */
  'port-25-blocked': {
    topic: 'network',
    title: 'This network seems to block port 25',
    why: 'No mail host could be reached, so nothing is known of their TLS. DNS, MTA-STS and TLS-RPT were checked.',
    reference: 'RFC 5321 §4.5.4.2',
    owner: 'own-network',
    fix: 'Run the check from a mail server, or from a network that admits outgoing port 25.',
    steps: (values) => [confirm('Run the check on a mail server.', checkCommand(values))],
  },
  /**
   * Raised when this machine has no route for IPv6. Addresses that were not tried never
   * count against the domain.
   */
  'no-ipv6': {
    topic: 'network',
    title: 'This machine has no IPv6',
    why: 'The IPv6 addresses of the mail hosts were not checked. The verdict does not depend on them.',
    reference: 'RFC 5321 §5.2',
    owner: 'own-network',
    fix: 'Run the check from a machine with IPv6 to include them.',
    steps: noSteps,
  },
  /**
   * Raised when the domain has more hosts than the limit of the check. The limit bounds
   * the time and the load that a hostile zone can cause.
   */
  'hosts-skipped': {
    topic: 'network',
    title: (values) => `Not all mail hosts were checked: ${values.detail}`,
    why: 'A check contacts at most ten mail hosts by default. Senders may still use the others.',
    reference: 'RFC 5321 §5.1',
    owner: 'own-network',
    fix: 'Check more of them.',
    steps: (values) => [
      command('Check up to 100 hosts.', checkCommand(values, ' --max-hosts 100')),
    ],
  },
  /** Raised when the only MX record is the null MX. The verdict is "not applicable". */
  'null-mx': {
    topic: 'mx',
    title: 'The domain declares that it takes no mail',
    why: 'With a null MX there is no mail to protect.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'No action is needed.',
    steps: noSteps,
  },
  /**
   * Raised when the domain has neither an MX record nor an address. A null MX would let
   * senders bounce at once instead of retrying.
   */
  'no-mail': {
    topic: 'mx',
    title: 'The domain has no mail host',
    why: 'There is neither an MX record nor an address, so mail to it bounces at once.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'If the domain takes no mail, declare it.',
    steps: (values) => [
      dns('If the domain takes no mail, publish this record.', `${values.domain}. 3600 IN MX 0 .`),
    ],
  },
  /**
   * Raised when mail goes to the address of the domain itself, the fallback of RFC 5321
   * §5.1.
   */
  'implicit-mx': {
    topic: 'mx',
    title: 'Without an MX record, mail goes to the domain itself',
    why: 'This works, but breaks when the web server moves.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Publish an MX record that names the mail host.',
    steps: (values) => [
      dns('Publish this record.', `${values.domain}. 3600 IN MX 10 ${values.domain}.`),
      checkAgain(values),
    ],
  },
  /**
   * Raised when the DNS answers NXDOMAIN. Without a DNSSEC proof the text names the
   * resolver as the source, since a resolver or an attacker can invent the answer.
   */
  'domain-nonexistent': {
    topic: 'mx',
    title: (values) =>
      values.detail
        ? 'The resolver says that the domain does not exist'
        : 'The domain does not exist',
    why: (values) => (values.detail ? 'It gives no proof.' : 'The DNS has no such name.'),
    reference: 'RFC 2308 §2.1',
    owner: 'domain',
    fix: 'Check the spelling. If it is right, use another resolver: --resolver ADDRESS.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
