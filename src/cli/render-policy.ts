import { neutralise, wrap } from '../base/index.js';
import {
  causeText,
  decidingCause,
  type DomainDecision,
  type HostDecision,
  type StsDecision,
  type LookupFailure,
  type Waiver,
} from '../tls-policy/index.js';
import { sayFailure, sayUnsupported } from './failure-text.js';

/** The word for each action, at the right margin of the first line. */
const actions = { deliver: 'DELIVER', wait: 'WAIT', reject: 'RETURN' } as const;

/**
 * Renders the decision of a sender about a domain's mail, host by host, with the record
 * that causes it. Ends with a line feed.
 */
export function renderPolicy(decision: DomainDecision, lineWidth = 80): string {
  const { domain, action, validUntil, hosts, waiver, settings } = decision;
  const head = `${domain.padEnd(Math.max(1, lineWidth - actions[action].length))}${actions[action]}`;
  const outputLines = head.length <= lineWidth ? [head] : [domain, actions[action]];
  outputLines.push(
    ...causeLines(decision, lineWidth),
    ...wrap(routeText(decision), lineWidth),
    ...wrap(stsText(decision.mtaSts), lineWidth),
  );
  if (waiver) outputLines.push(...wrap(waiverText(waiver), lineWidth));
  if (settings.require)
    outputLines.push(...wrap(`This sender requires: ${settings.require}.`, lineWidth));
  if (settings.daneSuffices)
    outputLines.push(
      ...wrap('If TLSA records match, no public CA is required (daneSuffices).', lineWidth),
    );
  outputLines.push(
    ...hosts.flatMap((host) => ['', ...hostLines(host, lineWidth)]),
    '',
    `This answer is valid until ${validUntil}.`,
  );
  return outputLines.map((textLine) => `${neutralise(textLine)}\n`).join('');
}

/** Returns the reason why mail is deferred: the ground that decided. */
function causeLines(decision: DomainDecision, lineWidth: number): readonly string[] {
  const cause = decision.action === 'wait' ? decidingCause(decision) : undefined;
  if (cause) return wrap(`Why: ${causeText(cause)}.`, lineWidth);
  return [];
}

/** Returns a sentence about the mail route and the security of the MX lookup. */
function routeText({ route, hosts }: DomainDecision): string {
  const signed = {
    secure: 'signed',
    insecure: 'not signed',
    bogus: 'broken',
    indeterminate: 'of unknown security',
  }[route.dnssec];
  switch (route.kind) {
    case 'null-mx':
      return 'The domain declares that it accepts no mail (RFC 7505).';
    case 'none':
      return 'The domain has neither an MX record nor an address, or does not exist.';
    case 'error':
      return `The route of mail to the domain could not be looked up. ${route.trouble ? troubleText(route.trouble) : 'DNS fails.'}`;
    case 'address':
      return 'No policy applies to an IP address.';
    case 'host':
      return 'The destination names a host directly, so no MX lookup is necessary.';
    case 'implicit':
      return `Without an MX record, mail goes to the domain's own address. The absence is ${signed}.`;
    case 'mx':
      return `${hosts.length === 1 ? 'One MX host' : `${hosts.length} MX hosts`}; the MX is ${signed}.`;
  }
}

/** Returns a sentence about the MTA-STS policy and its source. */
function stsText({ policy, how, record, trouble }: StsDecision): string {
  const reason = trouble ? ` ${troubleText(trouble)}` : '';
  if (record.status === 'not-asked') return 'MTA-STS: not looked up.';
  if (!policy)
    return `MTA-STS: no policy${record.status === 'absent' ? ', and no record' : ''}.${reason}`;
  const source = {
    live: 'fetched now',
    cached: 'cached and current',
    kept: 'cached; the last fetch failed',
    none: '',
  }[how];
  return `MTA-STS: ${policy.mode}, policy ${policy.id}, ${source}, until ${policy.expiresAt}.${reason}`;
}

/** Returns the reason why the policy is not enforced. */
function waiverText(waiver: Waiver): string {
  switch (waiver.kind) {
    case 'observe':
      return 'The sender enforces nothing: it only observes.';
    case 'exemption':
      return `The sender enforces nothing: the domain is exempt until ${waiver.until}, since ${waiver.reason}`;
    case 'tls-required-no':
      return 'The sender enforces nothing: the message says TLS-Required: No.';
  }
}

/** Describes a failed lookup, and the party that must fix it. */
function troubleText({ code, detail, whose }: LookupFailure): string {
  const side = whose === 'ours' ? 'The cause is local' : 'The cause is on the remote side';
  return `${sayFailure({ code, detail })}. ${side}.`;
}

/** Returns the lines of one host: addresses, requirement, the records that require it. */
function hostLines(host: HostDecision, lineWidth: number): string[] {
  const { name, preference, addresses, tlsa, grounds } = host;
  return [
    ...wrap(
      `${String(preference).padStart(4)} ${name}  ${addresses.join(' ')}`,
      lineWidth,
      '',
      '       ',
    ),
    ...wrap(needText(host), lineWidth, '     '),
    ...addressLines(host, lineWidth),
    ...(host.unsupported ? wrap(sayUnsupported(host.unsupported), lineWidth, '     ') : []),
    ...(tlsa.trouble ? wrap(`TLSA records. ${troubleText(tlsa.trouble)}`, lineWidth, '     ') : []),
    ...grounds.flatMap(({ says, clause, record, until }) => [
      ...wrap(`- ${says} (${clause})`, lineWidth, '     ', '       '),
      ...(record === undefined
        ? []
        : record
            .split('; ')
            .flatMap((textLine) => wrap(textLine, lineWidth, '       ', '         '))),
      ...(until === undefined ? [] : [`       until ${until}`]),
    ]),
  ];
}

/**
 * States that a host has no address, or that its addresses of one family could not be
 * looked up.
 */
function addressLines({ addresses, trouble }: HostDecision, lineWidth: number): readonly string[] {
  const reason = trouble ? ` ${troubleText(trouble)}` : '';
  if (addresses.length === 0) return wrap(`No address.${reason}`, lineWidth, '     ');
  if (trouble)
    return wrap(`One address family could not be looked up.${reason}`, lineWidth, '     ');
  return [];
}

/**
 * Returns the requirement on a host. A host with insecure addresses may still need TLS by
 * MTA-STS; a host with bogus addresses must not be used at all (RFC 7672 §2.2.2).
 */
function needText({ decision, sni, name }: HostDecision): string {
  if (decision.action === 'skip') return 'Senders must not use this host.';
  if (decision.action === 'unknown')
    return 'Its security is unknown, so senders must not use it now.';
  if (decision.tls === 'opportunistic') return 'Opportunistic TLS: no policy requires TLS.';
  const asks = {
    dane: 'match its TLSA records',
    pkix: `have a certificate from a public CA for ${name}`,
  };
  const what = decision.authenticate.map((mechanism) => asks[mechanism]).join(', and ');
  return `TLS is mandatory${what ? `; the server must ${what}` : ', without authentication'}.${sni === name ? '' : ` SNI: ${sni}.`}`;
}
