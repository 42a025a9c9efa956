import type { Dnssec } from '../../dns/index.js';
import type { HostView, Known, ServerView, StsView, View } from '../../tls-policy/index.js';
import { caseNames } from './case-names.js';
import type { CaseHost, SenderCase } from './sender-case.js';

/**
 * Returns the view that a sender has of a case, as input of `exposureOf`, `cell` or
 * `decideHost`: a prediction and the receiver use the same description.
 *
 * TLS versions, suites, SNI and packet sizes depend on the sender's library, so `tls` is
 * `unknown` in cases about these properties.
 *
 * @param message 2 for the second message of a case that is withdrawn in between; its
 * view has no policy any more, so a sender with a cached policy must have it already
 */
export function viewOfCase(senderCase: SenderCase, message: 1 | 2 = 1): View {
  const { mxHost } = caseNames(senderCase.id, 'me', 'sender.example');
  const withdrawn = senderCase.withdrawn === true && message === 2;
  const host = withdrawn ? { ...senderCase.host, starttls: 'absent' as const } : senderCase.host;
  const zone = senderCase.zone.dnssec;
  const dnssec: Dnssec = zone === 'bogus-tlsa' ? 'secure' : zone;
  return {
    route: { kind: dnssec === 'bogus' ? 'error' : 'mx', dnssec },
    mtaSts: withdrawn ? { live: 'absent', mx: [] } : policyView(senderCase, mxHost),
    hosts: [
      {
        name: mxHost,
        preference: 10,
        dnssec,
        tlsa: tlsaStatus(senderCase),
        servers: [serverView(host)],
      },
    ],
  };
}

function policyView({ policy }: SenderCase, mxHost: string): StsView {
  if (!policy || policy.records === 2) return { live: 'absent', mx: [] };
  const { mode, mx, certificate, reply = 'good' } = policy;
  // RFC 8461 §3.2 only recommends to require the media type, so senders differ.
  if (reply === 'wrong-type') return { live: 'unknown', mx: [mxHost], maxAge: TEST_MAX_AGE };
  if (certificate !== undefined || reply !== 'good') return { live: 'unavailable', mx: [] };
  return {
    live: mode,
    mx: [mx === 'other-host' ? `other.${mxHost}` : mxHost],
    maxAge: TEST_MAX_AGE,
  };
}

/** Seconds for which the policies of the test may be cached. */
export const TEST_MAX_AGE = 604_800;

function tlsaStatus({ zone, host: { tlsa = [] } }: SenderCase): HostView['tlsa'] {
  switch (zone.dnssec) {
    case 'insecure':
      return 'insecure';
    case 'bogus':
    case 'bogus-tlsa':
      return 'bogus';
    case 'secure':
      if (tlsa.length === 0) return 'absent';
      return tlsa.some((record) => record !== 'pkix-usage') ? 'usable' : 'unusable';
  }
}

function serverView(host: CaseHost): ServerView {
  const { starttls = 'offered', certificate = 'valid', tlsa = [] } = host;
  const byLibrary =
    host.version !== undefined ||
    host.suites !== undefined ||
    host.withoutSni !== undefined ||
    host.requiresHybrid === true ||
    host.dropsLargeHello === true;
  let tls: Known = byLibrary ? 'unknown' : 'yes';
  if (starttls === 'broken') tls = 'no';
  const matches =
    tlsa.includes('key') || (tlsa.includes('issuer') && certificate !== 'private-ca-name');
  return {
    ip: '',
    reachable: 'yes',
    starttls: starttls === 'absent' || starttls === 'deferred' ? 'no' : 'yes',
    tls,
    pkix: certificate === 'valid' || certificate === 'valid-rsa' ? 'yes' : 'no',
    dane: matches ? 'yes' : 'no',
    attacker: false,
  };
}
