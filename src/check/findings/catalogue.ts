import { neutralise } from '../../base/index.js';
import type { Finding, Severity } from '../../evidence/index.js';
import { certificateFindings } from './certificate-registry.js';
import { continuityFindings } from './continuity-registry.js';
import { daneFindings } from './dane-registry.js';
import { noOptions, say, type FindingEntry, type FindingValues } from './entry.js';
import { mtaStsFindings } from './mta-sts-registry.js';
import { routeFindings } from './route-registry.js';
import { starttlsFindings } from './starttls-registry.js';
import { tlsFindings } from './tls-registry.js';
import { tlsRptFindings } from './tls-rpt-registry.js';

/**
 * All findings. Reports show findings of equal severity in this order. Findings on the
 * session come first, because without STARTTLS neither certificate nor policy matters.
 * Findings on the route come last, because they rarely concern confidentiality.
 */
export const catalogue = {
  ...starttlsFindings,
  ...tlsFindings,
  ...certificateFindings,
  ...mtaStsFindings,
  ...tlsRptFindings,
  ...daneFindings,
  ...routeFindings,
  ...continuityFindings,
};

/**
 * The stable identifiers of the findings. Profiles, exit codes, SARIF and stored results
 * use the identifiers, so an identifier is never renamed or given another meaning.
 */
export type FindingId = keyof typeof catalogue;

/**
 * Returns the value at fault, or the server's own reply. Both are text from a peer, so
 * the value is cut after 600 characters and the reply after 300, and control and bidi
 * characters become visible.
 */
function reasonOf({ reason, reply }: FindingValues): string | undefined {
  if (reason !== undefined) return neutralise(reason, 600);
  return reply === undefined ? undefined : `The server answered "${neutralise(reply, 300)}"`;
}

/**
 * Returns the finding, with its texts filled in. Only this program adds line ends to the
 * texts: line ends from a peer become visible escapes.
 */
export function finding(id: FindingId, severity: Severity, given: FindingValues): Finding {
  const findingEntry: FindingEntry = catalogue[id];
  const values = {
    ...given,
    detail: neutralise(given.detail),
    reason: reasonOf(given),
    reply: given.reply === undefined ? undefined : neutralise(given.reply, 300),
  };
  return {
    id,
    topic: findingEntry.topic,
    severity,
    subject: subjectOf(values),
    title: say(findingEntry.title, values),
    why: say(findingEntry.why, values),
    reason: values.reason,
    reference: findingEntry.reference,
    owner: findingEntry.owner,
    fix: say(findingEntry.fix, values),
    steps: severity === 'good' ? [] : findingEntry.steps(values),
  };
}

/**
 * Returns the subject of a finding: the domain, the host, or one address of the host. A
 * finding is raised once per subject, so this text is also the key that detects
 * duplicates.
 */
function subjectOf({ host, ip, domain }: FindingValues): string {
  if (host === '') return domain;
  return ip === '' ? host : `${host} [${ip}]`;
}

/**
 * Returns the topic of a finding, and the fact that is true if its test passes; that fact
 * is undefined for findings that are not tests.
 */
export function passedTest(id: FindingId): Pick<FindingEntry, 'topic' | 'passed'> {
  return catalogue[id];
}

/**
 * Describes a finding without the particulars of one case, for `hermetic explain` and for
 * `docs/errors.md`. The texts use example.com as the domain.
 */
export function describeFinding(
  id: FindingId,
): Pick<FindingEntry, 'reference' | 'owner'> & Record<'title' | 'why' | 'fix', string> {
  const { title, why, fix, reference, owner }: FindingEntry = catalogue[id];
  return {
    title: say(title, anyCase),
    why: say(why, anyCase).trim(),
    fix: say(fix, anyCase),
    reference,
    owner,
  };
}

/**
 * A case without particulars. Texts that depend on a detail fall back to their general
 * wording.
 */
const anyCase: FindingValues = {
  domain: 'example.com',
  options: noOptions,
  host: 'mx.example.com',
  ip: '192.0.2.1',
  mx: ['mx.example.com'],
  unseen: [],
  preference: 10,
  addressOwner: 'mx.example.com',
  meant: undefined,
  detail: '',
  reason: undefined,
  tlsa: [],
  tlsaAlias: undefined,
  reply: undefined,
  policyId: 'ID',
  policy: undefined,
  tlsRpt: false,
  notReady: [],
  refusedBy: [],
  instead: 'defer the mail',
  temporary: false,
  spkiSha256: '',
  lookup: false,
  advice: undefined,
  resolver: 'in use',
};
