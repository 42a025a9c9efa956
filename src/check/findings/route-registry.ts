import { checkAgain, command, confirm, dns, noSteps, wait, type FindingEntry } from './entry.js';

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
  'mx-inconclusive': {
    title: (v) => `What ${v.host} offers could not be told`,
    why: (v) =>
      `The conversation ended early${v.detail ? `: ${v.detail}` : ''}. This says nothing about its TLS, neither good nor bad.`,
    reference: 'RFC 5321 §4.2.1',
    owner: 'mail-host',
    fix: 'Check again later, from a network with a mail server and a name of its own.',
    steps: (v) => [wait('Ten minutes.'), confirm(`hermetic check ${v.domain} --transcript`)],
  },
  'mx-is-cname': {
    title: (v) => `The MX host ${v.host} is an alias`,
    why: (v) =>
      `An MX record has to name a host with addresses, not a CNAME${v.detail ? ` (it leads to ${v.detail})` : ''}: senders differ in which name they expect in the certificate and in TLSA records.`,
    reference: 'RFC 5321 §5.1, RFC 2181 §10.3',
    owner: 'domain',
    fix: 'Name the host itself in the MX record, after the certificate and the policy have that name.',
    steps: (v) => [
      confirm(
        `The certificate and the MTA-STS policy, where there is one, name ${v.detail || 'the host the alias leads to'}.`,
      ),
      dns(`${v.domain}. 3600 IN MX 10 ${v.detail || 'HOST'}.   (in the place of ${v.host})`),
      checkAgain(v),
    ],
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
