import type { Finding, Severity } from '../../evidence/index.js';
import { certificateFindings } from './certificate-registry.js';
import { daneFindings } from './dane-registry.js';
import { say, type FindingEntry, type FindingValues } from './entry.js';
import { mtaStsFindings } from './mta-sts-registry.js';
import { routeFindings } from './route-registry.js';
import { starttlsFindings } from './starttls-registry.js';
import { tlsFindings } from './tls-registry.js';

/** Every finding there is. */
export const catalogue = {
  ...starttlsFindings,
  ...tlsFindings,
  ...certificateFindings,
  ...mtaStsFindings,
  ...daneFindings,
  ...routeFindings,
};

export type FindingId = keyof typeof catalogue;

/** The finding, with its texts filled in. */
export function finding(id: FindingId, severity: Severity, values: FindingValues): Finding {
  const entry: FindingEntry = catalogue[id];
  const { host, ip, domain } = values;
  return {
    id,
    severity,
    subject: host === '' ? domain : ip === '' ? host : `${host} [${ip}]`,
    title: say(entry.title, values),
    why: say(entry.why, values),
    reference: entry.reference,
    owner: entry.owner,
    fix: say(entry.fix, values),
    steps: severity === 'good' ? [] : entry.steps(values),
  };
}
