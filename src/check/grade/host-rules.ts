import type { Evidence, HostEvidence } from '../../evidence/index.js';
import { tlsFailures } from '../../tls/index.js';
import { ownNetworkStrips } from './exposure.js';
import { netFailures, specialPurpose } from '../../net/index.js';
import { smtpFailures } from '../../smtp/index.js';
import { addressBeforeOrigin, foreignCharacters, specialName } from '../mx-name.js';
import { tlsRules } from './tls-rules.js';
import { certificateRules } from './certificate-rules.js';
import { withoutSniRules } from './without-sni-rules.js';
import { alternativeTo } from './alternative.js';
import { isUntried, type JudgedAddress, type JudgedHost } from './judge-host.js';
import { handshakeFailed, replyOf, type IntermittentTls } from './session.js';
import { severityOf } from '../profiles/goals.js';
import { failureWords } from './record-rules.js';
import { undecidedRules } from './undecided-rules.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';

/**
 * Raises findings on the mail hosts: records without a usable host, hosts that do not
 * answer, and the observations at each address. An unreachable host gets one finding
 * instead of one per test.
 */
export function hostRules(raised: FindingCollector): void {
  passedOverRules(raised);
  const dead = raised.hosts.filter(isDead);
  const { network, route } = raised.evidence;
  const { control } = network;
  if (route.skipped) raised.add('hosts-skipped', { detail: route.skipped.join(', ') });
  if (ownNetworkStrips(raised.evidence))
    raised.add('own-network-strips', { detail: control?.host ?? '' });
  for (const judgedHost of raised.hosts) {
    if (dead.includes(judgedHost)) {
      const all = dead.length === raised.hosts.length && route.skipped === undefined;
      deadHost(raised, judgedHost, all);
    } else {
      for (const address of judgedHost.addresses) addressRules(raised, judgedHost, address);
      if (!ownNetworkStrips(raised.evidence)) differing(raised, judgedHost);
    }
    // A failed lookup that is not bogus proves nothing about the host.
    if (
      judgedHost.addresses.length === 0 &&
      judgedHost.evidence.addressLookup.status === 'failed' &&
      judgedHost.evidence.dnssec !== 'bogus'
    )
      raised.add('mx-inconclusive', {
        host: judgedHost.evidence.name,
        lookup: true,
        reason: failureWords(judgedHost.evidence.addressLookup.failure),
      });
  }
}

/** The finding for each reason to skip an MX record. */
const passedOverAs = {
  'address-literal': 'mx-is-address',
  'special-name': 'mx-special-name',
  'no-address': 'mx-nonexistent',
} as const;

/**
 * Raises findings on MX records without a usable host: a fault of the DNS, never of a
 * firewall (RFC 5321 §5.1).
 */
function passedOverRules(raised: FindingCollector): void {
  for (const { evidence, summary } of raised.passedOver) {
    const { name, preference, meant } = evidence;
    const all = raised.hosts.length === 0;
    const address = addressBeforeOrigin(name, raised.evidence.domain);
    if (address !== undefined) {
      raised.add('mx-is-address', { host: name, preference, meant: address, all });
      continue;
    }
    raised.add(passedOverAs[summary.passedOver ?? 'no-address'], {
      host: name,
      preference,
      meant,
      detail:
        summary.passedOver === 'special-name'
          ? (specialName(name)?.clause ?? '')
          : explainName(evidence, meant),
      all,
    });
  }
}

/**
 * Returns the mistake in an MX record whose name has no address; empty if it is not
 * known.
 */
function explainName({ name, alias }: HostEvidence, meant: string | undefined): string {
  if (meant !== undefined)
    return `The final dot is missing, so the name server appended the name of the zone. ${meant} exists.`;
  if (alias) return `It is an alias of ${alias.canonicalName}, which has no address.`;
  const foreign = foreignCharacters(name);
  return foreign === undefined ? '' : `A host name cannot hold ${foreign}.`;
}

/**
 * Raises findings on an unreachable host: one on each address if the reasons differ,
 * otherwise one on the host.
 */
function deadHost(
  raised: FindingCollector,
  { evidence, addresses }: JudgedHost,
  all: boolean,
): void {
  const host = { host: evidence.name, preference: evidence.preference, all };
  for (const { summary } of addresses) {
    const id = unreachableAs(summary.reason);
    const ip = id === 'mx-address-unroutable' ? summary.ip : '';
    const instead = otherwise(raised, evidence.name);
    raised.add(id, {
      ...host,
      ip,
      instead,
      detail: unreachableBecause(summary),
      reply: summary.reply,
    });
  }
}

/**
 * Returns the action of every sender that cannot reach a host or an address, as a
 * predicate.
 */
function otherwise(raised: FindingCollector, name: string, ip = ''): string {
  return alternativeTo(raised, { name, ip, sender: 'opportunistic' }) ?? 'defer the mail';
}

/** Returns the finding that corresponds to a reason for being unreachable. */
function unreachableAs(
  reason = '',
): 'mx-unreachable' | 'mx-takes-no-mail' | 'mx-address-unroutable' {
  if (reason === 'smtp-takes-no-mail') return 'mx-takes-no-mail';
  if (reason === 'net-guarded') return 'mx-address-unroutable';
  return 'mx-unreachable';
}

/**
 * Returns the reason in words if the check itself refused to connect, otherwise the
 * failure code.
 */
function unreachableBecause({ ip, reason = '' }: JudgedAddress['summary']): string {
  if (reason === 'net-guarded')
    return `${ip} is reserved for special use (${specialPurpose(ip) ?? 'not public'})`;
  return reason;
}

/**
 * Raises a finding if only some addresses offer STARTTLS: one server, or the path to it,
 * has a fault [3207-6-2].
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
  // Addresses are often split by family: a new IPv6 address reaches another server, or
  // another path.
  const family = familyOf(without);
  const split =
    family !== undefined && !having.some((judgedAddress) => familyOf([judgedAddress]) === family)
      ? ` This affects all of ${family} and no other address.`
      : '';
  // Different greetings suggest different servers behind one name, and equal greetings a
  // device on the path.
  const [odd, usual] = [greetings(without), greetings(having)];
  const others = odd !== '' && odd !== usual ? ` It greets as ${odd}, the others as ${usual}.` : '';
  const addressesWithout = without.map((judgedAddress) => judgedAddress.evidence.ip).join(', ');
  raised.add('starttls-differs', {
    host: evidence.name,
    detail: `Without STARTTLS: ${addressesWithout}.${split}${others}`,
  });
}

/** Returns the address family that all addresses share; undefined for a mixture. */
function familyOf(addresses: readonly JudgedAddress[]): 'IPv4' | 'IPv6' | undefined {
  const six = addresses.map((address) => address.evidence.ip.includes(':'));
  if (six.every((isIpv6) => isIpv6)) return 'IPv6';
  if (six.some((isIpv6) => isIpv6)) return undefined;
  return 'IPv4';
}

/** Returns the names that servers greet with. */
function greetings(addresses: readonly JudgedAddress[]): string {
  return [
    ...new Set(
      addresses.flatMap((address) => address.connection?.greeting?.lines[0]?.split(' ')[0] ?? []),
    ),
  ]
    .sort()
    .join(', ');
}

/**
 * Returns true if the host refused this client at every tried address. Addresses without
 * a route from this machine are ignored, so a missing IPv6 route makes no host
 * unreachable.
 */
function isDead(judgedHost: JudgedHost): boolean {
  const tried = judgedHost.addresses.filter((address) => address.summary.status !== 'skipped');
  return (
    tried.length > 0 &&
    !isUntried(judgedHost) &&
    tried.every((judgedAddress) => judgedAddress.summary.status === 'unreachable')
  );
}

/**
 * Raises findings on one address. The rules follow the order of the conversation, and
 * stop after a finding on an early step: without STARTTLS there is no version, suite or
 * certificate to judge.
 */
function addressRules(
  raised: FindingCollector,
  judgedHost: JudgedHost,
  address: JudgedAddress,
): void {
  const { evidence, connection, summary } = address;
  const subject = { host: judgedHost.evidence.name, ip: evidence.ip };
  const { status, reason = '' } = summary;
  if (status === 'inconclusive' && raised.evidence.network.port25 !== 'blocked')
    raised.add('mx-inconclusive', { ...subject, ...endedBy(reason, summary.reply) });
  if (status === 'unreachable')
    raised.add(unreachableAs(reason), {
      ...subject,
      preference: judgedHost.evidence.preference,
      instead: otherwise(raised, subject.host, subject.ip),
      detail: unreachableBecause(summary),
      reply: summary.reply,
    });
  // The rules below apply after a reply to EHLO.
  if (status !== 'reachable' || !connection) return;

  if (
    ownNetworkStrips(raised.evidence) &&
    (summary.starttls === 'absent' || summary.starttls === 'mangled')
  )
    return;
  // The contradiction with the policy is a finding on the host, in addition to the
  // finding on the address, which names only the fault.
  const promise = promiseOf(raised.evidence, judgedHost);
  if (promise && ['absent', 'mangled', 'refused'].includes(summary.starttls))
    raised.add('starttls-promised', { host: judgedHost.evidence.name, detail: promise });
  // STARTTLS on a submission port proves that the server supports TLS (RFC 6409).
  const beside = (summary.submission ?? [])
    .filter((submissionPort) => submissionPort.starttls === 'offered')
    .map((submissionPort) => submissionPort.port);
  if (beside.length > 0 && (summary.starttls === 'absent' || summary.starttls === 'mangled'))
    raised.add('starttls-differs', {
      host: judgedHost.evidence.name,
      detail: `Without TLS: port ${raised.evidence.smtpPort}; with it: ${beside.join(', ')}. The server supports TLS, so STARTTLS is disabled on this port, or removed on the path to it.`,
    });
  // The reply is the refusal of EHLO, if the server supports HELO only.
  if (summary.starttls === 'absent')
    raised.add('starttls-absent', { ...subject, reply: summary.reply });
  if (summary.starttls === 'mangled')
    raised.add('starttls-mangled', { ...subject, detail: `"${connection.mangledAs ?? ''}"` });
  if (summary.starttls === 'refused')
    raised.add('starttls-refused', { ...subject, reply: summary.reply });
  if (summary.starttls === 'offered' && !connection.handshake) {
    const { code = '', detail = '' } = connection.failure ?? {};
    if (handshakeFailed(code))
      raised.add('tls-handshake-failed', {
        ...subject,
        detail: describeHandshakeFailure(code, detail),
      });
    else raised.add('mx-inconclusive', { ...subject, ...endedBy(code) });
  }

  // A network may remove STARTTLS from some connections only.
  const strips = address.intermittent?.step === 'offer' && ownNetworkStrips(raised.evidence);
  if (address.intermittent && !strips) {
    const { worked, of: attempts, step } = address.intermittent;
    raised.add('starttls-intermittent', {
      ...subject,
      detail: `${worked} of ${attempts} connections ${successOf[step]}. ${effectOf(step)}`,
    });
  }
  strictTlsRule(raised, address, { ...subject, mechanisms: [promise ? 'enforce' : 'none'] });
  insideTlsRules(raised, address, subject);
  tlsRules(raised, address, subject);
  if (evidence.connections.some((connection) => connection.injection === 'executed'))
    raised.add('injection-vulnerable', subject);
  if (evidence.connections.some((connection) => connection.renegotiation === 'accepted'))
    raised.add('tls-renegotiation', subject);
  certificateRules(raised, judgedHost, address);
  withoutSniRules(raised, address, subject);
  unsettledRule(raised, judgedHost, address);
}

/** A step of TLS that succeeded, as the end of a sentence about connections. */
const successOf: Readonly<Record<IntermittentTls['step'], string>> = {
  offer: 'offered STARTTLS',
  command: 'accepted STARTTLS',
  handshake: 'completed the TLS handshake',
  session: 'accepted EHLO inside TLS',
};

/** Returns the effect on mail of a step that fails on some connections. */
function effectOf(step: IntermittentTls['step']): string {
  if (step === 'session') return 'Senders defer part of the mail at random and try again.';
  return 'Senders that require TLS defer mail at random and try again. Others send part of the mail in plaintext.';
}

/** Reports TLS that fails for every sender that requires TLS. */
function strictTlsRule(
  raised: FindingCollector,
  { strictTls, connection }: JudgedAddress,
  subject: FindingInput,
): void {
  const { version, suite } = connection?.handshake ?? {};
  const newest = version === 'TLSv1' ? '1.0' : '1.1';
  if (strictTls === 'old-version')
    raised.add('tls-outdated', { ...subject, reason: `the newest version is TLS ${newest}` });
  if (strictTls === 'old-suites')
    raised.add('tls-outdated-suites', { ...subject, reason: `the server chose ${suite}` });
}

/**
 * Reports a failed EHLO inside TLS: without a 2yz reply the sender hands over no mail
 * [3207-4.2-2].
 */
function insideTlsRules(
  raised: FindingCollector,
  { insideTls, connection, summary }: JudgedAddress,
  subject: FindingInput & { readonly host: string },
): void {
  const { code = '', detail = '' } = connection?.failure ?? {};
  if (insideTls === 'refused')
    raised.add('tls-session-refused', {
      ...subject,
      instead: otherwise(raised, subject.host, subject.ip),
      detail: code,
      reply: summary.reply,
      reason: code === ALERT && detail !== '' ? `the alert is ${detail}` : undefined,
      advice: code === ALERT ? smtpFailures.find(code)?.fix : undefined,
    });
  if (insideTls === 'unknown') {
    const end = endedBy(code, summary.reply);
    raised.add('mx-inconclusive', { ...subject, ...end, detail: `${end.detail} inside TLS` });
  }
}

/**
 * Returns the end of a session: the server's reply with the failure code, or else the
 * failure in words.
 */
function endedBy(
  code: string,
  reply?: string,
): Pick<FindingInput, 'reply' | 'advice'> & { readonly detail: string } {
  const detail = reply === undefined ? codeWords(code) : code;
  const advice = lastingFaults.has(code) ? smtpFailures.find(code)?.fix : undefined;
  return { detail, reply, advice };
}

const ALERT = 'smtp-tls-alert';

/** Failures of the server that a later check from another network would also observe. */
const lastingFaults: ReadonlySet<string> = new Set([
  'smtp-garbage',
  'smtp-too-long',
  'smtp-injected-plaintext',
  'smtp-greylister',
]);

/** Returns a failure code with its message, so that a reader needs no catalogue. */
function codeWords(code: string): string {
  const { message } = smtpFailures.find(code) ?? netFailures.find(code) ?? {};
  return message === undefined ? code : `${message.replace(/\.$/, '')} (${code})`;
}

/** Returns the end of the handshake, and the likely cause. */
function describeHandshakeFailure(code: string, detail: string): string {
  const { message = `${code}.`, fix = '' } = tlsFailures.find(code) ?? {};
  return `${message.replace(/\.$/, detail === '' ? '.' : ` (${detail}).`)} ${fix}`.trimEnd();
}

/** Raises a finding that names each open question whose answer could be a fault. */
function unsettledRule(
  raised: FindingCollector,
  judgedHost: JudgedHost,
  address: JudgedAddress,
): void {
  const { evidence, profile } = raised;
  // Only questions that could lower the verdict justify another run.
  const open = undecidedRules(evidence, profile, judgedHost, address).filter((id) =>
    ['fail', 'warn'].includes(severityOf(profile, id)),
  );
  // If the finding was raised on another address, the report already contains its fix.
  const left = [...new Set(open)].filter((id) => !raised.has(id));
  if (left.length === 0) return;
  const { stopped, connections, ip } = address.evidence;
  // `mx-inconclusive` already reports the end of the session, which left these questions
  // open.
  if (address.insideTls === 'unknown') return;
  const spent = connections.filter((connection) => !connection.earlier).length;
  let reason = 'the test belongs to another profile';
  if (evidence.depth === 'triage') reason = 'depth triage omits the test';
  if (stopped !== undefined) reason = codeWords(stopped).replace(/^The /, 'the ');
  if (stopped === 'budget') reason = `${spent} connections reached the limit`;
  if (stopped?.startsWith('starttls-')) reason = 'the last connections offered no STARTTLS';
  raised.add('tls-unsettled', {
    host: judgedHost.evidence.name,
    ip,
    detail: `${reason}; open: ${left.join(', ')}`,
    reply: replyOf(connections.at(-1)),
  });
}

/**
 * Returns the published mechanisms that make senders require TLS with this host, joined
 * by "and"; otherwise empty. Records in an unsigned zone, and a policy that does not list
 * the host, have no effect on senders.
 */
function promiseOf({ mtaSts, route }: Evidence, { evidence, summary }: JudgedHost): string {
  const dane =
    evidence.tlsa.status === 'usable' && route.dnssec === 'secure' ? ['TLSA records'] : [];
  const sts =
    mtaSts.policy?.mode === 'enforce' && summary.mtaStsMatch === 'match'
      ? ['an MTA-STS policy in mode enforce']
      : [];
  return [...dane, ...sts].join(' and ');
}
