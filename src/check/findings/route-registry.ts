import type { FixStep } from '../../evidence/index.js';
import { specialName } from '../mx-name.js';
import {
  checkAgain,
  checkCommand,
  checkElsewhere,
  command,
  confirm,
  dns,
  inBrackets,
  noSteps,
  wait,
  withDetail,
  type FindingEntry,
  type FindingValues,
} from './entry.js';

/** Returns true if another MX host has an address, or may have one. */
const hasOtherHosts = ({ mx, unseen, host }: FindingValues): boolean =>
  [...mx, ...unseen].some((hostName) => hostName !== host);

/**
 * The step that deletes the MX record of `host`. If no other host exists, the step
 * replaces the record instead, so that the domain always has a route for its mail.
 */
const deleteRecord = (findingValues: FindingValues): FixStep =>
  hasOtherHosts(findingValues)
    ? dns(
        'Delete this record.',
        `${findingValues.domain}. IN MX ${findingValues.preference} ${findingValues.host}.`,
      )
    : dns(
        `Replace the MX record that names ${findingValues.host} by one that names your mail host.`,
      );

/** The address record at fault, as it is published. */
const addressRecord = ({ addressOwner, ip }: FindingValues): string =>
  `${addressOwner}. IN ${ip.includes(':') ? 'AAAA' : 'A'} ${ip}`;

/** The step that deletes one address record of a host with several addresses. */
const deleteAddress = (findingValues: FindingValues): FixStep =>
  dns(
    'Delete this address record. The other addresses of the host stay.',
    addressRecord(findingValues),
  );

/**
 * The step that publishes an MX record of `hostName` instead of the record of `host`. The
 * final dot is part of the text, because name servers append the zone name to a name
 * without a final dot.
 */
const nameInstead = (findingValues: FindingValues, hostName: string): FixStep =>
  dns(
    `Publish this record with its final dot; it replaces the one that names ${findingValues.host}.`,
    `${findingValues.domain}. 3600 IN MX ${findingValues.preference} ${hostName}.`,
  );

/**
 * Certificate and policy change before the record: senders compare both with the name in
 * the MX record as soon as the record changes (RFC 8461 §4.1).
 */
const aliasSteps = (findingValues: FindingValues): readonly FixStep[] => [
  confirm(
    `Make sure that the certificate and the MTA-STS policy name ${findingValues.detail || 'the target of the alias'}.`,
  ),
  nameInstead(findingValues, findingValues.detail || 'HOST'),
  checkAgain(findingValues),
];

/**
 * Describes the end of a conversation by the server's reply, or by the failure if the
 * server sent none.
 */
function howEnded({ reply, detail, lookup }: FindingValues): string {
  if (lookup) return 'The addresses of the host could not be looked up';
  if (reply !== undefined) return `The server answered "${reply}" (${detail})`;
  return detail === '' ? 'The SMTP session ended early' : detail;
}

/**
 * Findings on the route of the mail, and on the reasons why this check could not observe
 * it.
 */
export const routeFindings = {
  /**
   * Raised when the host accepts no connection, or sends no greeting, at any address. The
   * severity is warn if another host accepts mail, and fail if all hosts are unreachable.
   */
  'mx-unreachable': {
    topic: 'mx',
    title: ({ host, ip }) =>
      ip === ''
        ? `The mail host ${host} cannot be reached`
        : `The address ${ip} of ${host} cannot be reached`,
    passed: 'Every mail host answers on port 25',
    why: ({ instead, detail }) => `Senders ${instead}${inBrackets(detail)}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'mail-host',
    fix: 'Start the server, open port 25 to it, or remove its MX record.',
    steps: (findingValues) => [
      command(`On ${findingValues.host}, check whether port 25 is open.`, "ss -ltn 'sport = :25'"),
      confirm('Make sure that the firewall allows port 25 from every address.'),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the host greets with 521, the code of RFC 7504 §3 for a host that never
   * accepts mail. The host refuses mail on purpose, so the operator should delete its
   * record.
   */
  'mx-takes-no-mail': {
    topic: 'mx',
    title: ({ host, ip }) =>
      ip === ''
        ? `The mail host ${host} never accepts mail`
        : `The address ${ip} of ${host} never accepts mail`,
    passed: 'No mail host refuses all mail',
    why: ({ reply, ip }) =>
      `It greets with "${reply ?? '521'}". Senders use the other ${ip === '' ? 'hosts of the domain' : 'addresses and hosts'}; without another, they bounce the mail.`,
    reference: 'RFC 7504 §3',
    owner: 'domain',
    fix: 'Remove the record that names this server, or start the mail server.',
    steps: (findingValues) => [
      confirm(
        `Check whether all clients get this greeting: connect to ${findingValues.ip || findingValues.host} from another network.`,
      ),
      findingValues.ip === '' ? deleteRecord(findingValues) : deleteAddress(findingValues),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when an address is private, reserved or otherwise not global. The check does
   * not connect to such an address: a domain could otherwise direct the check at machines
   * in the operator's own network.
   */
  'mx-address-unroutable': {
    topic: 'mx',
    title: (findingValues) =>
      `The address ${findingValues.ip} of ${findingValues.host} is not public`,
    passed: 'Every address of a mail host is public',
    why: (findingValues) =>
      `${findingValues.detail || 'It is not a public address'}. Senders on the internet cannot reach it, and this check does not connect to it.`,
    reference: 'RFC 6890 §2.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Publish only the public address of the mail host.',
    steps: (findingValues) => [
      dns('Change this record to the public address of the host.', addressRecord(findingValues)),
      confirm(
        'If the name is only for an internal network, check with its resolver. Replace ADDRESS with its address.',
        checkElsewhere(findingValues),
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the name of an MX record has no A and no AAAA record. Senders skip this
   * host, so the severity is fail only if no other host is left.
   */
  'mx-nonexistent': {
    topic: 'mx',
    title: (findingValues) => `The MX host ${findingValues.host} has no address`,
    passed: 'Every MX host has an address',
    why: (findingValues) =>
      `${findingValues.detail ? `${findingValues.detail} ` : ''}Senders skip it${hasOtherHosts(findingValues) ? ' and use the other hosts' : ', so no mail is delivered'}.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: 'Correct the MX record: it must name a host with an A or AAAA record.',
    steps: (findingValues) => [
      command(
        'Show the published records.',
        `dig MX ${findingValues.domain}; dig A ${findingValues.host}; dig AAAA ${findingValues.host}`,
      ),
      findingValues.meant === undefined
        ? deleteRecord(findingValues)
        : nameInstead(findingValues, findingValues.meant),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the MX record contains an IP address in the form of a name. Senders look
   * up the addresses of this name and find none.
   */
  'mx-is-address': {
    topic: 'mx',
    title: (findingValues) =>
      `The MX record names the address ${findingValues.meant ?? findingValues.host}, not a host`,
    passed: 'Every MX record names a host',
    why: 'An MX record must name a host, and no host name is an address. Senders skip this record.',
    reference: 'RFC 1035 §3.3.9, RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Give the mail host a name with an A or AAAA record, and name it in the MX record.',
    steps: (findingValues) => [
      dns(
        'Publish an A or AAAA record with the public address of the mail host under a name in your zone.',
      ),
      dns(`In the MX record, replace ${findingValues.host} with the name of that record.`),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the host is under a reserved top-level name (RFC 6761). Some providers
   * ask for an MX record of this kind to verify a domain, so the severity is info while
   * other hosts exist.
   */
  'mx-special-name': {
    topic: 'mx',
    title: (findingValues) => `The MX host ${findingValues.host} cannot exist in public DNS`,
    why: (findingValues) =>
      `Names under "${specialName(findingValues.host)?.suffix ?? 'invalid'}" are reserved${inBrackets(findingValues.detail)}, so senders skip it${hasOtherHosts(findingValues) ? '. Some providers verify a domain by such a record' : ', and no mail is delivered'}.`,
    reference: 'RFC 6761 §6, RFC 5321 §5.1',
    owner: 'domain',
    fix: (findingValues) =>
      hasOtherHosts(findingValues)
        ? 'Delete the record if no provider needs it. The other MX hosts accept the mail.'
        : 'Publish an MX record that names your mail host.',
    steps: (findingValues) => [deleteRecord(findingValues), checkAgain(findingValues)],
  },
  /**
   * Raised when a null MX is published with other MX records, which RFC 7505 §3 forbids.
   * Senders disagree on the meaning, so some bounce mail that others deliver.
   */
  'null-mx-beside': {
    topic: 'mx',
    title: 'A null MX record exists next to other MX records',
    passed: 'The MX records do not contradict each other',
    why: 'The null MX declares that the domain accepts no mail, so a sender may bounce the mail immediately.',
    reference: 'RFC 7505 §3',
    owner: 'domain',
    fix: 'Delete the null MX record if the domain accepts mail. Otherwise delete the other MX records.',
    steps: (findingValues) => [
      dns(
        `If ${findingValues.domain} accepts mail, delete its null MX record, the one that names only a dot.`,
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when a conversation ended in a way that proves nothing about TLS, such as
   * greylisting or a block of this client. Its severity is info, and the verdict becomes
   * inconclusive.
   */
  'mx-inconclusive': {
    topic: 'network',
    title: (findingValues) => `The TLS of ${findingValues.host} could not be determined`,
    why: (findingValues) =>
      `${howEnded(findingValues)}. This result contains no information about its TLS.`,
    reference: 'RFC 5321 §4.2.1',
    owner: 'mail-host',
    fix: ({ lookup, advice }) => {
      if (lookup)
        return 'Make the name servers of the host answer. Delete its MX record if the host no longer exists.';
      return advice ?? 'Check again later, from a network with a mail server and reverse DNS.';
    },
    steps: (findingValues) =>
      !findingValues.lookup
        ? [
            wait('Wait ten minutes.'),
            confirm(
              'Check again and read the conversation.',
              checkCommand(findingValues, ' --transcript'),
            ),
          ]
        : [
            command(
              'Repeat the lookup.',
              `dig A ${findingValues.host}; dig AAAA ${findingValues.host}`,
            ),
            checkAgain(findingValues),
          ],
  },
  /**
   * Raised when the name of an MX record is an alias. If the alias alone explains a
   * policy mismatch, this finding replaces the finding on the mismatch and has its
   * severity, because one changed record repairs both.
   */
  'mx-is-cname': {
    topic: 'mx',
    title: (findingValues) => `The MX host ${findingValues.host} is an alias`,
    passed: 'No MX host is an alias',
    why: (findingValues) => {
      const { meant, detail, host, policy, instead } = findingValues;
      const enforced = policy?.mode === 'enforce';
      const refusal = enforced
        ? `Senders that apply the policy compare it with the name in the MX record, ${host}, and ${instead}`
        : `With MTA-STS in mode enforce, senders compare the policy with the name in the MX record, ${host}, and defer the mail`;
      if (meant !== undefined) return `The alias leads to ${meant}. ${detail} ${refusal}.`;
      const target = detail === '' ? '' : ` (it leads to ${detail})`;
      return `An MX record must name a host with addresses, not a CNAME${target}. Senders differ in which name they expect in the certificate and in TLSA records.`;
    },
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: (findingValues) =>
      findingValues.meant === undefined
        ? 'Name the host itself in the MX record, after the certificate and the policy name it.'
        : `Name ${findingValues.meant} in the MX record. Leave all other names unchanged.`,
    steps: (findingValues) =>
      findingValues.meant === undefined
        ? aliasSteps(findingValues)
        : [nameInstead(findingValues, findingValues.meant), checkAgain(findingValues)],
  },
  /**
   * Raised when one of the A and AAAA lookups failed and the other returned addresses.
   * Senders that continue with one family deliver mail, so the severity is info.
   */
  'address-family-failed': {
    topic: 'mx',
    title: (findingValues) => `The A or AAAA lookup of ${findingValues.host} fails`,
    why: 'Senders use the addresses of the other family. Some implementations defer the mail instead.',
    reference: 'RFC 7672 §2.1.2, RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Configure every name server to answer A and AAAA queries, including for names without such a record.',
    steps: (findingValues) => [
      command('Query the IPv4 address.', `dig +dnssec A ${findingValues.host}`),
      command('Query the IPv6 address.', `dig +dnssec AAAA ${findingValues.host}`),
    ],
  },
  /**
   * Raised when the MX lookup had no usable answer and DNSSEC is not the reason. Nothing
   * is known about the domain, so the severity is info and the verdict is inconclusive.
   */
  'mx-lookup-failed': {
    topic: 'mx',
    title: 'The MX lookup failed',
    why: (findingValues) =>
      `The hosts that accept mail for ${findingValues.domain} are unknown${findingValues.detail ? `: ${findingValues.detail}` : ''}.`,
    reference: 'RFC 5321 §5.1',
    owner: 'dns-host',
    fix: 'Check again, or use another resolver: --resolver ADDRESS.',
    steps: (findingValues) => [
      command('Show the answer.', `dig MX ${findingValues.domain}`),
      confirm(
        'Check again through another resolver. Replace ADDRESS with its address.',
        checkElsewhere(findingValues),
      ),
    ],
  },
  /**
   * Raised when every connection to port 25 times out, including that to the control
   * host. Many access networks block the port to stop spam.
   */
  'port-25-blocked': {
    topic: 'network',
    title: 'This network seems to block port 25',
    why: 'No mail host could be reached: the port is blocked here, or every host is down. This result contains no information about their TLS. This check covered DNS, MTA-STS and TLS-RPT.',
    reference: 'RFC 5321 §4.5.4.2',
    owner: 'own-network',
    fix: 'Run the check from a mail server, or from a network that allows outgoing port 25.',
    steps: (findingValues) => [
      confirm('Run the check on a mail server.', checkCommand(findingValues)),
    ],
  },
  /**
   * Raised when this machine has no route for IPv6. Addresses that were not tried never
   * lower the verdict on the domain.
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
    title: withDetail('Not all mail hosts were checked'),
    why: 'A check contacts at most ten mail hosts by default. Senders may still use the other hosts.',
    reference: 'RFC 5321 §5.1',
    owner: 'own-network',
    fix: 'Check more hosts.',
    steps: (findingValues) => [
      command('Check up to 100 hosts.', checkCommand(findingValues, ' --max-hosts 100')),
    ],
  },
  /** Raised when the only MX record is the null MX. The verdict is "not applicable". */
  'null-mx': {
    topic: 'mx',
    title: 'The domain declares that it accepts no mail',
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
    why: 'The domain has neither an MX record nor an address, so senders bounce its mail immediately.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'If the domain accepts no mail, publish a null MX record.',
    steps: (findingValues) => [
      dns(
        'If the domain accepts no mail, publish this record.',
        `${findingValues.domain}. 3600 IN MX 0 .`,
      ),
    ],
  },
  /**
   * Raised when mail goes to the address of the domain itself, the fallback of RFC 5321
   * §5.1.
   */
  'implicit-mx': {
    topic: 'mx',
    title: 'Without an MX record, mail goes to the domain itself',
    why: 'Delivery works, but breaks when the web server moves to another address.',
    reference: 'RFC 5321 §5.1',
    owner: 'domain',
    fix: 'Publish an MX record that names the mail host.',
    steps: (findingValues) => [
      dns(
        'Publish this record.',
        `${findingValues.domain}. 3600 IN MX 10 ${findingValues.domain}.`,
      ),
      checkAgain(findingValues),
    ],
  },
  /**
   * Raised when the DNS answers NXDOMAIN. Without a DNSSEC proof the text names the
   * resolver as the source, since a resolver or an attacker can invent the answer.
   */
  'domain-nonexistent': {
    topic: 'mx',
    title: (findingValues) =>
      findingValues.detail
        ? 'According to the resolver, the domain does not exist'
        : 'The domain does not exist',
    why: (findingValues) =>
      findingValues.detail ? 'The answer has no DNSSEC proof.' : 'The name does not exist in DNS.',
    reference: 'RFC 2308 §2.1',
    owner: 'domain',
    fix: 'Check the spelling. If it is correct, use another resolver: --resolver ADDRESS.',
    steps: noSteps,
  },
} satisfies Record<string, FindingEntry>;
