import type { CheckResult } from '../../evidence/index.js';
import { formatPolicy } from '../../mta-sts/index.js';
import { policyId, stsRecord } from '../policy/policy-id.js';
import { txtRdata } from './txt-rdata.js';

/** One step towards what is missing: text to paste, or something to do. */
export interface MissingStep {
  /** `unknown`: whether it is missing could not be told. */
  readonly kind: 'record' | 'file' | 'wait' | 'note' | 'unknown';
  readonly why: string;
  readonly text: string;
}

export interface MissingOptions {
  /** Where TLS reports go. Default `mailto:tlsrpt@DOMAIN`. */
  readonly reportTo?: string;
  /** Host that serves the policy: `mta-sts.DOMAIN` becomes its alias. */
  readonly policyHost?: string;
}

const DAY = 86_400;
const TTL = 3600;

/**
 * What a domain lacks, ready to paste, in the order that never holds mail back: reports first, so that there is something to see; the policy in testing mode
 * before its record (RFC 8461 §8.1); TLSA records for what the servers show, where DNSSEC makes them count. Pure; judged by a check of the domain.
 */
export function missingRecords(result: CheckResult, options: MissingOptions = {}): readonly MissingStep[] {
  const { domain, route } = result;
  if (route.kind === 'null-mx') return [{ kind: 'note', why: 'the domain receives no mail (RFC 7505)', text: 'nothing is missing' }];
  if (route.kind === 'error') return [unknown(`where mail for ${domain} goes could not be told`)];
  const hosts = result.hosts.map(({ name }) => name);
  if (hosts.length === 0) return [{ kind: 'note', why: 'no mail host was found', text: `publish an MX record for ${domain} first` }];
  return [...reporting(result, options), ...policy(result, hosts, options), ...dane(result)];
}

function reporting({ domain, tlsRpt }: CheckResult, { reportTo = `mailto:tlsrpt@${domain}` }: MissingOptions): readonly MissingStep[] {
  if (tlsRpt.status === 'found') return [];
  if (tlsRpt.status === 'tempfail') return [unknown('whether senders are told where to report could not be told')];
  const replaces = tlsRpt.status === 'invalid' ? '; it replaces every record there that begins with v=TLSRPTv1' : '';
  return [
    record(`_smtp._tls.${domain}`, 'TXT', txtRdata(`v=TLSRPTv1; rua=${reportTo}`), `senders tell you of failures (RFC 8460 §3)${replaces}`),
  ];
}

function policy({ domain, mtaSts, hosts }: CheckResult, names: readonly string[], { policyHost }: MissingOptions): readonly MissingStep[] {
  if (mtaSts.status === 'found') {
    return mtaSts.mode === 'testing'
      ? [
          {
            kind: 'wait',
            why: 'reports of two weeks without failures come before mode: enforce',
            text: 'hermetic publish promotes it by that evidence',
          },
        ]
      : [];
  }
  if (mtaSts.status === 'tempfail') return [unknown('whether there is a policy could not be told')];
  const failing = hosts.filter(({ addresses }) => !addresses.every((a) => a.starttls === 'offered' && a.certificates.every(isValid)));
  const body = formatPolicy({ mode: 'testing', maxAge: DAY, mx: [...names].sort() });
  return [
    ...failing.map(({ name }): MissingStep => ({
      kind: 'note',
      why: 'a policy in testing mode shows this, one that is enforced holds mail back',
      text: `${name}: STARTTLS and a certificate of a public CA for ${name} at every address`,
    })),
    ...(policyHost === undefined
      ? []
      : [record(`mta-sts.${domain}`, 'CNAME', `${policyHost}.`, 'where the policy is served (RFC 8461 §8.2)')]),
    {
      kind: 'file',
      why: `serve it as https://mta-sts.${domain}/.well-known/mta-sts.txt, text/plain, with a certificate for mta-sts.${domain} (RFC 8461 §3.3)`,
      text: body,
    },
    record(
      `_mta-sts.${domain}`,
      'TXT',
      txtRdata(stsRecord(policyId(body))),
      `only when the policy can be fetched (RFC 8461 §8.1)${mtaSts.status === 'invalid' ? '; it replaces every record there that begins with v=STSv1' : ''}`,
    ),
  ];
}

function isValid(c: CheckResult['hosts'][number]['addresses'][number]['certificates'][number]): boolean {
  return c.chain === 'trusted' && c.validity === 'valid' && c.nameMatch === 'match';
}

function dane({ hosts, route }: CheckResult): readonly MissingStep[] {
  return hosts.flatMap(({ name, dnssec, tlsa, addresses }): readonly MissingStep[] => {
    if (tlsa.status === 'tempfail' || tlsa.status === 'bogus') return [unknown(`the TLSA records of ${name} could not be read`)];
    if (tlsa.status !== 'absent') return [];
    if (dnssec !== 'secure')
      return [
        {
          kind: 'note',
          why: 'TLSA records in an unsigned zone are inert (RFC 7672 §2.2.2)',
          text: `${name}: sign its zone and publish a DS record first`,
        },
      ];
    if (addresses.length === 0 || !addresses.every((a) => a.starttls === 'offered' && a.certificates.length > 0))
      return [
        { kind: 'note', why: 'TLSA records bind senders to TLS (RFC 7672 §9.2)', text: `${name}: offer STARTTLS at every address first` },
      ];
    const keys = [...new Set(addresses.flatMap((a) => a.certificates.map((c) => c.spkiSha256)))].sort();
    const secure = route.dnssec === 'secure' ? '' : '; the MX records are not signed, so only some senders ask for it';
    return [
      {
        kind: 'note',
        why: 'a renewal that makes a new key would hold mail back (RFC 7671 §8)',
        text: `${name}: keep its key over renewals, and compare these digests with hermetic tlsa on the server itself; only if it is yours`,
      },
      ...keys.map((key) => record(`_25._tcp.${name}`, 'TLSA', `3 1 1 ${key}`, `the key it shows (RFC 7672 §3.1)${secure}`)),
    ];
  });
}

function record(name: string, type: string, rdata: string, why: string): MissingStep {
  return { kind: 'record', why, text: `${name}. ${TTL} IN ${type} ${rdata}` };
}

function unknown(why: string): MissingStep {
  return { kind: 'unknown', why, text: 'look at it with hermetic check, then run this again' };
}
