import type { HostView } from '../../tls-policy/index.js';
import { matchMx } from '../../mta-sts/index.js';
import type { Dnssec } from '../../dns/index.js';
import type { Fact, RequiredCertificate, SettingSource, TlsRules } from './sender-model.js';

/** The requirement of a sender for one MX host, with the setting that decides. */
export type Requirement =
  | {
      readonly action: 'use';
      readonly tls: 'never' | 'opportunistic' | 'required';
      /** TLSA records must match. */
      readonly dane: boolean;
      /** A certificate of a trusted CA for the MX host (MTA-STS). */
      readonly sts: boolean;
      /** The certificate rule of the configuration itself. */
      readonly certificate: RequiredCertificate;
      readonly source: SettingSource;
    }
  | {
      readonly action: 'skip';
      readonly bounce: boolean;
      readonly reason: string;
      readonly source: SettingSource;
    }
  | { readonly action: 'unknown'; readonly reason: string; readonly source: SettingSource };

/** The MTA-STS policy in force for a domain. */
export interface PolicyInForce {
  readonly mode: 'enforce' | 'testing' | 'none';
  readonly mx: readonly string[];
  /** The media type of the policy is not text/plain. */
  readonly otherMediaType?: boolean;
}

/** The host to which the requirement applies. */
export interface RequirementQuestion {
  readonly rules: TlsRules;
  readonly host: Pick<HostView, 'name' | 'dnssec' | 'tlsa'>;
  readonly mxDnssec: Dnssec;
  readonly policy: PolicyInForce | undefined;
}

/** The part of a requirement that one mechanism determines. */
type Share =
  | { readonly kind: 'none' }
  | { readonly kind: 'encrypt' | 'authenticate'; readonly source: SettingSource }
  | Exclude<Requirement, { action: 'use' }>;

const none: Share = { kind: 'none' };

/** Returns the requirement of a sender for a host. Pure. */
export function requirementOf(question: RequirementQuestion): Requirement {
  const { rules } = question;
  if (!rules.tls.known) return openFact(rules.tls);
  const { value: tls, source } = rules.tls;
  if (tls === 'broken')
    return skip('the configuration has an error, so the server defers all mail', source);
  if (question.mxDnssec === 'bogus' || question.host.dnssec === 'bogus')
    return skip('the lookup of MX and addresses fails: the resolver validates DNSSEC', source);
  const dane = daneShare(question);
  const sts = stsShare(question, dane);
  const counted = supersedes(question, sts) ? none : dane;
  for (const share of [counted, sts]) if ('action' in share) return share;
  if (!rules.certificate.known) return openFact(rules.certificate);
  const strict = [counted, sts].find(isStrict);
  return {
    action: 'use',
    tls: strict === undefined ? tls : 'required',
    dane: isAuthenticated(counted),
    sts: isAuthenticated(sts),
    // A policy level replaces the level of the configuration.
    certificate: strict === undefined ? rules.certificate.value : { kind: 'nothing' },
    source: strict?.source ?? source,
  };
}

function isStrict(share: Share): share is Extract<Share, { kind: 'encrypt' | 'authenticate' }> {
  return 'kind' in share && share.kind !== 'none';
}

function isAuthenticated(share: Share): boolean {
  return 'kind' in share && share.kind === 'authenticate';
}

/**
 * Returns the part that DANE determines by RFC 7672 §2.2, with the deviations that a
 * configuration allows.
 */
function daneShare({ rules, host, mxDnssec }: RequirementQuestion): Share {
  // Readers also report TLS as unknown if DANE may be mandatory.
  const unsigned = host.tlsa === 'absent' || host.tlsa === 'insecure';
  if (!rules.dane.known) return unsigned ? none : openFact(rules.dane);
  const { value: dane, source } = rules.dane;
  if (dane.use === 'no' || dane.use === 'observe') return none;
  const missing: Share =
    dane.use === 'mandatory'
      ? skip('DANE is mandatory, and the host has no usable TLSA records', source, dane.missing)
      : none;
  if (mxDnssec === 'insecure' && dane.insecureMx === 'ignore') return missing;
  switch (host.tlsa) {
    case 'usable':
      if (mxDnssec === 'insecure' && dane.insecureMx === 'encrypt')
        return { kind: 'encrypt', source };
      return { kind: 'authenticate', source };
    case 'unusable':
      return unusableShare(dane.unusable, source);
    case 'absent':
    case 'insecure':
      return missing;
    case 'bogus':
    case 'tempfail':
      return skip('the TLSA lookup fails', source);
    case 'unknown':
      return { action: 'unknown', reason: 'the result of the TLSA lookup is unknown', source };
  }
}

/**
 * Returns the part that DANE determines if no record is usable: RFC 7672 §2.2 requires
 * TLS without authentication.
 */
function unusableShare(unusable: 'encrypt' | 'defer' | 'unknown', source: SettingSource): Share {
  switch (unusable) {
    case 'encrypt':
      return { kind: 'encrypt', source };
    case 'defer':
      return skip('no TLSA record is usable, so this sender defers the mail', source);
    case 'unknown':
      return {
        action: 'unknown',
        reason: 'the effect of unusable TLSA records depends on the TLS library of the sender',
        source,
      };
  }
}

/**
 * Returns the part that MTA-STS determines by RFC 8461 §5, with the deviations that a
 * configuration allows.
 */
function stsShare({ rules, host, policy }: RequirementQuestion, dane: Share): Share {
  if (!rules.mtaSts.known) return policy === undefined ? none : openFact(rules.mtaSts);
  const { value: sts, source } = rules.mtaSts;
  if (sts.use !== 'enforce' || policy === undefined) return none;
  if (policy.otherMediaType === true) {
    if (sts.otherMediaType === 'void') return none;
    if (sts.otherMediaType === 'unknown')
      return {
        action: 'unknown',
        reason: 'RFC 8461 lets the sender decide whether this policy applies',
        source,
      };
  }
  if (policy.mode !== 'enforce') return none;
  if (sts.withDane === 'dane-alone' && isAuthenticated(dane)) return none;
  if (!policy.mx.some((pattern) => matchMx(pattern, host.name)))
    return skip('the MTA-STS policy does not list the MX host', source);
  return { kind: 'authenticate', source };
}

/** Returns whether a policy replaces DANE, which RFC 8461 §2 forbids. */
function supersedes({ rules }: RequirementQuestion, sts: Share): boolean {
  return (
    rules.mtaSts.known &&
    rules.mtaSts.value.use === 'enforce' &&
    rules.mtaSts.value.withDane === 'sts-alone' &&
    ('action' in sts ? sts.action === 'skip' : sts.kind !== 'none')
  );
}

function openFact(fact: Extract<Fact<unknown>, { known: false }>): Requirement & Share {
  return { action: 'unknown', reason: fact.reason, source: fact.source };
}

function skip(
  reason: string,
  source: SettingSource,
  missing: 'defer' | 'bounce' = 'defer',
): Extract<Requirement, { action: 'skip' }> {
  return { action: 'skip', bounce: missing === 'bounce', reason, source };
}
