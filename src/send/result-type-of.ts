import type { FailureEntry } from '../base/index.js';
import { dnssecFailures } from '../dns/index.js';
import { stsFailures } from '../mta-sts/index.js';
import { serverFailures } from '../tls-policy/index.js';
import { smtpFailures } from '../smtp/index.js';
import { resultTypes, type ResultType } from '../tls-rpt/index.js';
import { tlsFailures } from '../tls/index.js';

const entries: Readonly<Record<string, FailureEntry>> = Object.assign(
  {},
  ...[dnssecFailures, stsFailures, serverFailures, smtpFailures, tlsFailures].map(
    (catalogue) => catalogue.entries,
  ),
) as Record<string, FailureEntry>;

/** Returns the RFC 8460 §4.3 result type under which a failure is reported. */
export function resultTypeOf(code: string, otherwise: ResultType): ResultType {
  const listed = entries[code]?.resultType;
  return resultTypes.find((type) => type === listed) ?? otherwise;
}
