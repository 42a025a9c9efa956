import type { DomainDecision, Rationale, HostDecision, LookupFailure } from './domain-decision.js';

/** The reason why a domain's mail is deferred or bounced, and the host that decides. */
export interface DecidingCause {
  /** The MX host; absent if the route itself decided. */
  readonly host?: string;
  /** The reason as one sentence, without the failure that caused it. */
  readonly says: string;
  /** The failed lookup on which the reason depends. */
  readonly trouble?: LookupFailure;
}

/**
 * Finds the reason why no host may be used: the route, else the most preferred host
 * that has addresses and must not be used, else a host without addresses. Returns
 * undefined if a host may be used.
 */
export function decidingCause(decision: DomainDecision): DecidingCause | undefined {
  const { action, route, hosts } = decision;
  if (action === 'deliver') return undefined;
  if (action === 'reject') return { says: 'The domain accepts no mail, or does not exist.' };
  if (route.kind === 'error')
    return withTrouble(
      { says: 'The mail hosts of the domain could not be looked up.' },
      route.trouble,
    );
  const forbidden = hosts.filter((host) => host.decision.action !== 'use');
  const host = forbidden.find(({ addresses }) => addresses.length > 0) ?? forbidden[0] ?? hosts[0];
  return host ? causeOfHost(host) : { says: 'The domain has no mail host.' };
}

/**
 * Returns the reason why a host cannot be used: its deciding ground, or the lack of an
 * address.
 */
export function causeOfHost(host: HostDecision): DecidingCause {
  const { name, addresses, trouble } = host;
  const ground: Rationale | undefined =
    host.decision.action === 'use' ? undefined : host.grounds[0];
  if (ground) return withTrouble({ host: name, says: ground.says }, ground.trouble);
  if (addresses.length > 0) return { host: name, says: 'The host can be used.' };
  return trouble
    ? withTrouble(
        { host: name, says: 'The addresses of the host could not be looked up.' },
        trouble,
      )
    : { host: name, says: 'The host has no address.' };
}

/**
 * Returns a cause on one line: `mx.example: The TLSA records could not be looked up
 * (dns-servfail: ...)`.
 */
export function causeText({ host, says, trouble }: DecidingCause): string {
  const sentence = says.replace(/\.$/, '');
  const ours = trouble?.whose === 'ours' ? ', by our own resolver' : '';
  const failure = trouble
    ? ` (${[trouble.code, trouble.detail].filter(Boolean).join(': ')}${ours})`
    : '';
  return `${host === undefined ? '' : `${host}: `}${sentence}${failure}`;
}

function withTrouble(cause: DecidingCause, trouble: LookupFailure | undefined): DecidingCause {
  return trouble ? { ...cause, trouble } : cause;
}
