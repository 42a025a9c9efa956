import type { SenderCase } from './sender-case.js';

/** The place of a case in DNS: `<case>.<slot>.<zone>`. */
export interface CaseNames {
  /** The domain to which the messages of the test are addressed. */
  readonly domain: string;
  readonly mxHost: string;
  /** A preferred MX host that accepts no connections, in the case `second-mx`. */
  readonly deadMxHost: string;
  readonly policyHost: string;
  readonly policyRecord: string;
  readonly tlsaOwner: string;
  readonly reportRecord: string;
}

/**
 * Returns the names of a case. The MX host is `mx` below the domain of the case, so that
 * one zone holds all names, and SNI, policy fetches and DNS questions name the case. In a
 * case of a `bogus-tlsa` zone the TLSA records are in the zone `_25._tcp.mx...`.
 *
 * @param slot names one test; `me` on an installation for one sender
 */
export function caseNames(caseId: string, slot: string, zone: string): CaseNames {
  const domain = `${caseId}.${slot}.${zone}`;
  const mxHost = `mx.${domain}`;
  return {
    domain,
    mxHost,
    deadMxHost: `dead.${domain}`,
    policyHost: `mta-sts.${domain}`,
    policyRecord: `_mta-sts.${domain}`,
    tlsaOwner: `_25._tcp.${mxHost}`,
    reportRecord: `_smtp._tls.${domain}`,
  };
}

/** The case and slot that a host name, mail domain or DNS question names. */
export interface NamedCase {
  readonly caseId: string;
  readonly slot: string;
}

/**
 * Returns the case and slot of a name below the zone; undefined for any other name.
 * Letter case and a final dot do not matter. The function does not verify the case id.
 */
export function caseOfName(name: string, zone: string): NamedCase | undefined {
  const lower = name.toLowerCase().replace(/\.$/, '');
  if (!lower.endsWith(`.${zone.toLowerCase()}`)) return undefined;
  const labels = lower.slice(0, -zone.length - 1).split('.');
  const [caseId, slot] = labels.slice(-2);
  if (labels.length < 2 || caseId === undefined || slot === undefined) return undefined;
  return { caseId, slot };
}

/** Returns the cases that a zone of this kind can open. */
export function openableCases(
  cases: readonly SenderCase[],
  abilities: { readonly ipv4?: boolean; readonly ipv6: boolean },
): readonly SenderCase[] {
  const { ipv4 = true, ipv6 } = abilities;
  const has = { ipv4, ipv6 };
  return cases.filter(({ needs }) => needs === undefined || has[needs]);
}
