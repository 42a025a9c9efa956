import { getDomain } from 'tldts';
import { BoundedMap, neutralise } from '../../base/index.js';
import { reportDay } from '../../tls-rpt/index.js';
import { counts, type JudgedReading, type Reading, type TrustVerdict } from '../types.js';

export interface JudgeOptions {
  /** When the report came, milliseconds since 1970. */
  readonly at: number;
  /** Domains whose reports are wanted, their subdomains included. None: all of them. */
  readonly domains?: readonly string[];
  /** Days after which a report that comes in is too old to be anything but replayed. Not for files. Default 60. */
  readonly staleDays?: number;
}

const day = 86_400_000;

/** Who vouches for a report [8460-3-16, 8460-5.3-4], whether it is about one's own domains [8460-7-5], and who sent it. */
export function judgeTrust(reading: Reading, options: JudgeOptions): JudgedReading {
  const sender = judgeSender(reading);
  const content = judgeContent(reading, options);
  const { trust, detail } = counts(sender.trust) && content ? content : sender;
  // One by one: a spread of the whole takes as long as parsing the report.
  const { name, via, peer, mail, raw, parsed } = reading;
  return {
    name,
    via,
    raw,
    parsed,
    ...(peer === undefined ? {} : { peer }),
    ...(mail ? { mail } : {}),
    trust,
    detail,
    reporter: reporterOf(reading),
  };
}

function judgeSender({ via, mail, parsed }: Reading): TrustVerdict {
  if (!mail)
    return via === 'https' ? { trust: 'posted', detail: '' } : { trust: 'given', detail: '' };
  const { result, signer, detail } = mail.dkim;
  if (result === 'none') return { trust: 'unsigned', detail };
  if (result === 'temperror')
    return { trust: 'unverifiable', detail: `${signer ?? ''}: ${detail}` };
  if (result === 'fail' || signer === undefined)
    return { trust: 'broken', detail: `${signer ?? ''}: ${detail}` };
  const claimed = [
    mail.from,
    mail.submitter,
    parsed.ok ? domainOf(parsed.value.report.contactInfo) : undefined,
  ];
  const other = claimed.find((domain) => domain !== undefined && !sameOrganisation(domain, signer));
  if (other !== undefined)
    return {
      trust: 'misaligned',
      detail: `signed by ${signer}, in the name of ${neutralise(other, 100)}`,
    };
  return { trust: 'signed', detail: signer };
}

function judgeContent(
  { via, parsed }: Reading,
  { at, domains = [], staleDays = 60 }: JudgeOptions,
): TrustVerdict | undefined {
  if (!parsed.ok) return undefined;
  const { report } = parsed.value;
  const foreign = report.policies.find(
    (p) => p.policyDomain !== undefined && !isWanted(p.policyDomain, domains),
  );
  if (foreign)
    return { trust: 'other-domain', detail: neutralise(foreign.policyDomain ?? '', 100) };
  const about = reportDay(report);
  if (about === undefined) return undefined;
  if (about > at + day) return { trust: 'future', detail: report.startDatetime ?? '' };
  return via !== 'file' && about < at - staleDays * day
    ? { trust: 'stale', detail: report.startDatetime ?? '' }
    : undefined;
}

function isWanted(domain: string, domains: readonly string[]): boolean {
  return (
    domains.length === 0 || domains.some((own) => domain === own || domain.endsWith(`.${own}`))
  );
}

function reporterOf({ mail, parsed, peer, name }: Reading): string {
  const report = parsed.ok ? parsed.value.report : undefined;
  const domain =
    mail?.dkim.result === 'pass' ? mail.dkim.signer : (domainOf(report?.contactInfo) ?? mail?.from);
  const own = domain === undefined ? undefined : organisation(domain);
  return own ?? neutralise(report?.organizationName?.toLowerCase() ?? domain ?? peer ?? name, 200);
}

/** Same domain, or same organisational domain by the public suffix list: who signs for a subdomain signs for its organisation. */
function sameOrganisation(a: string, b: string): boolean {
  const [one, two] = [a.toLowerCase(), b.toLowerCase()];
  return (
    one === two || (organisation(one) !== undefined && organisation(one) === organisation(two))
  );
}

/** A handful of reporters sends nearly everything. */
const organisations = new BoundedMap<string>(1000);

function organisation(domain: string): string | undefined {
  const known = organisations.get(domain);
  if (known !== undefined) return known === '' ? undefined : known;
  const found = neutralise(getDomain(domain, { allowPrivateDomains: true }) ?? '', 200);
  organisations.set(domain, found);
  return found === '' ? undefined : found;
}

function domainOf(address: string | undefined): string | undefined {
  const domain = address === undefined ? undefined : /@([^@>\s]+)[^@]*$/.exec(address)?.[1];
  return domain?.toLowerCase();
}
