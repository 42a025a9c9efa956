import type { Evidence } from '../../evidence/index.js';
import { tlsFailures } from '../../tls/index.js';
import { handshakeFailed, ownNetworkStrips } from './exposure.js';
import { specialPurpose } from '../../net/index.js';
import { specialName } from '../mx-name.js';
import { tlsRules } from './tls-rules.js';
import { certificateRules } from './certificate-rules.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import { replyOf } from './session.js';
import { severityOf } from '../profiles/goals.js';
import { undecidedRules } from './undecided-rules.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';

/** Raises findings on the mail hosts themselves. */
export function hostRules(raised: FindingCollector): void {
  passedOverRules(raised);
  const dead = raised.hosts.filter(isDead);
  const { network, route } = raised.evidence;
  const { control } = network;
  if (route.skipped) raised.add('hosts-skipped', { detail: route.skipped.join(', ') });
  if (ownNetworkStrips(raised.evidence))
    raised.add('own-network-strips', { detail: control?.host ?? '' });
  for (const host of raised.hosts) {
    if (dead.includes(host)) {
      deadHost(raised, host, dead.length === raised.hosts.length);
    } else {
      for (const address of host.addresses) addressRules(raised, host, address);
      if (!ownNetworkStrips(raised.evidence)) differing(raised, host);
    }
    // A failed lookup that is not bogus says nothing about the host.
    if (
      host.addresses.length === 0 &&
      host.evidence.addressLookup.status === 'failed' &&
      host.evidence.dnssec !== 'bogus'
    )
      raised.add('mx-inconclusive', {
        host: host.evidence.name,
        detail: host.evidence.addressLookup.failure?.code ?? '',
      });
  }
}

const passedOverAs = {
  'address-literal': 'mx-is-address',
  'special-name': 'mx-special-name',
  'no-address': 'mx-nonexistent',
} as const;

/**
 * MX records that lead to no host: a fault of the DNS, never of a firewall (RFC 5321
 * §5.1).
 */
function passedOverRules(raised: FindingCollector): void {
  for (const { evidence, summary } of raised.passedOver) {
    const { name, preference, meant } = evidence;
    const says =
      meant === undefined
        ? ''
        : `The final dot is missing, so the zone's own name was added: ${meant} exists.`;
    raised.add(passedOverAs[summary.passedOver ?? 'no-address'], {
      host: name,
      preference,
      meant,
      detail: summary.passedOver === 'special-name' ? (specialName(name)?.clause ?? '') : says,
      all: raised.hosts.length === 0,
    });
  }
}

/** One finding on each address where the reasons differ, else one on the host. */
function deadHost(
  raised: FindingCollector,
  { evidence, addresses }: JudgedHost,
  all: boolean,
): void {
  const host = { host: evidence.name, preference: evidence.preference, all };
  for (const { summary } of addresses) {
    const id = unreachableAs(summary.reason);
    const ip = id === 'mx-address-unroutable' ? summary.ip : '';
    raised.add(id, { ...host, ip, detail: unreachableBecause(summary), reply: summary.reply });
  }
}

/** The finding that a reason for being unreachable comes to. */
function unreachableAs(
  reason = '',
): 'mx-unreachable' | 'mx-takes-no-mail' | 'mx-address-unroutable' {
  if (reason === 'smtp-takes-no-mail') return 'mx-takes-no-mail';
  if (reason === 'net-guarded') return 'mx-address-unroutable';
  return 'mx-unreachable';
}

function unreachableBecause({ ip, reason = '' }: JudgedAddress['summary']): string {
  if (reason === 'net-guarded') return `${ip} is ${specialPurpose(ip) ?? 'not a public address'}`;
  return reason;
}

/**
 * Some addresses offer what others do not: a fault of one of them, or of one path
 * [3207-6-2].
 */
function differing(raised: FindingCollector, { addresses, evidence }: JudgedHost): void {
  const seen = addresses.filter(
    (address) => address.summary.status === 'reachable' && address.summary.starttls !== 'unknown',
  );
  const [without, having] = [
    seen.filter((judgedAddress) => judgedAddress.summary.starttls !== 'offered'),
    seen.filter((judgedAddress) => judgedAddress.summary.starttls === 'offered'),
  ];
  if (without.length === 0 || having.length === 0) return;
  const family = familyOf(without);
  const split =
    family !== undefined && !having.some((judgedAddress) => familyOf([judgedAddress]) === family)
      ? ` That is all of ${family} and none of the rest.`
      : '';
  const [odd, usual] = [greetings(without), greetings(having)];
  const others = odd !== '' && odd !== usual ? ` It greets as ${odd}, the others as ${usual}.` : '';
  const addressesWithout = without.map((judgedAddress) => judgedAddress.evidence.ip).join(', ');
  raised.add('starttls-differs', {
    host: evidence.name,
    detail: `Without STARTTLS: ${addressesWithout}.${split}${others}`,
  });
}

function familyOf(addresses: readonly JudgedAddress[]): 'IPv4' | 'IPv6' | undefined {
  const six = addresses.map((address) => address.evidence.ip.includes(':'));
  if (six.every((is) => is)) return 'IPv6';
  if (six.some((is) => is)) return undefined;
  return 'IPv4';
}

/** The names that servers greet with. */
function greetings(addresses: readonly JudgedAddress[]): string {
  return [
    ...new Set(
      addresses.flatMap((address) => address.connection?.greeting?.lines[0]?.split(' ')[0] ?? []),
    ),
  ]
    .sort()
    .join(', ');
}

function isDead({ addresses }: JudgedHost): boolean {
  const tried = addresses.filter((address) => address.summary.status !== 'skipped');
  return (
    tried.length > 0 &&
    tried.every((judgedAddress) => judgedAddress.summary.status === 'unreachable')
  );
}

function addressRules(raised: FindingCollector, host: JudgedHost, address: JudgedAddress): void {
  const { evidence, connection, summary } = address;
  const on = { host: host.evidence.name, ip: evidence.ip };
  const { status, reason = '' } = summary;
  if (status === 'inconclusive' && raised.evidence.network.port25 !== 'blocked')
    raised.add('mx-inconclusive', { ...on, detail: reason, reply: summary.reply });
  if (status === 'unreachable')
    raised.add(unreachableAs(reason), {
      ...on,
      preference: host.evidence.preference,
      detail: unreachableBecause(summary),
      reply: summary.reply,
    });
  if (status !== 'reachable' || !connection) return;

  if (
    ownNetworkStrips(raised.evidence) &&
    (summary.starttls === 'absent' || summary.starttls === 'mangled')
  )
    return;
  const promise = promiseOf(raised.evidence, host);
  if (promise && ['absent', 'mangled', 'refused'].includes(summary.starttls))
    raised.add('starttls-promised', { host: host.evidence.name, detail: promise });
  const beside = (summary.submission ?? [])
    .filter((submissionPort) => submissionPort.starttls === 'offered')
    .map((submissionPort) => submissionPort.port);
  if (beside.length > 0 && (summary.starttls === 'absent' || summary.starttls === 'mangled'))
    raised.add('starttls-differs', {
      host: host.evidence.name,
      detail: `Without TLS: port ${raised.evidence.smtpPort}; with it: ${beside.join(', ')}. The server knows TLS, so STARTTLS is switched off on the one port, or taken away on the path to it.`,
    });
  if (summary.starttls === 'absent') raised.add('starttls-absent', on);
  if (summary.starttls === 'mangled')
    raised.add('starttls-mangled', { ...on, detail: `"${connection.mangledAs ?? ''}"` });
  if (summary.starttls === 'refused')
    raised.add('starttls-refused', { ...on, reply: summary.reply });
  if (summary.starttls === 'offered' && !connection.handshake) {
    const { code = '', detail = '' } = connection.failure ?? {};
    if (handshakeFailed(code))
      raised.add('tls-handshake-failed', { ...on, detail: describeHandshakeFailure(code, detail) });
    else raised.add('mx-inconclusive', { ...on, detail: code });
  }

  if (address.intermittent) {
    const { offered, of } = address.intermittent;
    raised.add('starttls-intermittent', {
      ...on,
      detail: `${offered} of ${of} connections offered STARTTLS.`,
    });
  }
  insideTlsRules(raised, address, on);
  tlsRules(raised, address.probed, on);
  if (evidence.connections.some((connection) => connection.injection === 'executed'))
    raised.add('injection-vulnerable', on);
  if (evidence.connections.some((connection) => connection.renegotiation === 'accepted'))
    raised.add('tls-renegotiation', on);
  certificateRules(raised, host, address);
  unsettledRule(raised, host, address);
}

/**
 * Raises findings on EHLO inside TLS: without a 2yz reply no mail is transferred
 * [3207-4.2-2].
 */
function insideTlsRules(
  raised: FindingCollector,
  { insideTls, connection, summary }: JudgedAddress,
  on: FindingInput,
): void {
  const { code = '' } = connection?.failure ?? {};
  const seen = { ...on, detail: code, reply: summary.reply };
  if (insideTls === 'refused') raised.add('tls-session-refused', seen);
  if (insideTls === 'unknown')
    raised.add('mx-inconclusive', { ...seen, detail: `${code} inside TLS` });
}

/** How the handshake ended, and what that suggests. */
function describeHandshakeFailure(code: string, detail: string): string {
  const { message = `${code}.`, fix = '' } = tlsFailures.find(code) ?? {};
  return `${message.replace(/\.$/, detail === '' ? '.' : ` (${detail}).`)} ${fix}`.trimEnd();
}

/** Says what is left open, where it could have been a fault. */
function unsettledRule(raised: FindingCollector, host: JudgedHost, address: JudgedAddress): void {
  const { evidence, profile } = raised;
  const open = undecidedRules(evidence, profile, host, address).filter((id) =>
    ['fail', 'warn'].includes(severityOf(profile, id)),
  );
  const left = [...new Set(open)].filter((id) => !raised.has(id));
  if (left.length === 0) return;
  const { stopped, connections, ip } = address.evidence;
  const spent = connections.filter((connection) => !connection.earlier).length;
  const budgetSpent = stopped === 'budget' ? `${spent} connections are spent` : stopped;
  const why = budgetSpent ?? 'the evidence was collected for another profile';
  raised.add('tls-unsettled', {
    host: host.evidence.name,
    ip,
    detail: `${why}; open: ${left.join(', ')}`,
    reply: replyOf(connections.at(-1)),
  });
}

/** Returns the records of the domain that make senders require TLS with this host. */
function promiseOf({ mtaSts, route }: Evidence, { evidence, summary }: JudgedHost): string {
  const dane =
    evidence.tlsa.status === 'usable' && route.dnssec === 'secure' ? ['TLSA records'] : [];
  const sts =
    mtaSts.policy?.mode === 'enforce' && summary.mtaStsMatch === 'match'
      ? ['an MTA-STS policy in mode enforce']
      : [];
  return [...dane, ...sts].join(' and ');
}
