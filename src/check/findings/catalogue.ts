import { neutralise } from '../../base/index.js';
import type { Finding, Severity } from '../../evidence/index.js';
import { certificateFindings } from './certificate-registry.js';
import { daneFindings } from './dane-registry.js';
import { noOptions, say, type FindingEntry, type FindingValues } from './entry.js';
import { mtaStsFindings } from './mta-sts-registry.js';
import { routeFindings } from './route-registry.js';
import { starttlsFindings } from './starttls-registry.js';
import { tlsFindings } from './tls-registry.js';

/** Every finding, in the order of importance within a severity. */
export const catalogue = {
  ...starttlsFindings,
  ...tlsFindings,
  ...certificateFindings,
  ...mtaStsFindings,
  ...daneFindings,
  ...routeFindings,
};

export type FindingId = keyof typeof catalogue;

/** The value at fault, or the server's own reply. */
function reasonOf({ reason, reply }: FindingValues): string | undefined {
  if (reason !== undefined) return neutralise(reason, 600);
  return reply === undefined ? undefined : `The server answered "${neutralise(reply, 300)}"`;
}

/**
 * The finding, with its texts filled in. Line ends in its texts are ours: those of a peer
 * are made visible.
 */
export function finding(id: FindingId, severity: Severity, given: FindingValues): Finding {
  const entry: FindingEntry = catalogue[id];
  const values = {
    ...given,
    detail: neutralise(given.detail),
    reason: reasonOf(given),
    reply: given.reply === undefined ? undefined : neutralise(given.reply, 300),
  };
  return {
    id,
    topic: entry.topic,
    severity,
    subject: subjectOf(values),
    title: say(entry.title, values),
    why: say(entry.why, values),
    reason: values.reason,
    reference: entry.reference,
    owner: entry.owner,
    fix: say(entry.fix, values),
    steps: severity === 'good' ? [] : entry.steps(values),
  };
}

/** The domain, the host, or one address of the host. */
function subjectOf({ host, ip, domain }: FindingValues): string {
  if (host === '') return domain;
  return ip === '' ? host : `${host} [${ip}]`;
}

/** The fact that holds when a test passes; undefined for findings that are no tests. */
export function passedTest(id: FindingId): Pick<FindingEntry, 'topic' | 'passed'> {
  return catalogue[id];
}

/** Describes a finding without the particulars of one case. */
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

const anyCase: FindingValues = {
  domain: 'the domain',
  options: noOptions,
  host: 'the mail host',
  ip: '',
  mx: ['the mail host'],
  preference: 10,
  meant: undefined,
  detail: '',
  reason: undefined,
  tlsa: [],
  tlsaOfKey: false,
  reply: undefined,
  policyId: 'ID',
  policy: undefined,
  tlsRpt: false,
  notReady: [],
  spkiSha256: '',
  resolver: 'in use',
};
