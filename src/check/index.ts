/**
 * Checks how well the mail of a domain is protected between servers: collects evidence,
 * grades it, and explains each fix. RFC 3207, RFC 7672 (DANE), RFC 8461 (MTA-STS), RFC
 * 8460 (TLS-RPT).
 *
 * A check runs in two halves:
 * 1. `collect` looks up the mail route, addresses, TLSA records, the MTA-STS policy and
 *    the TLS-RPT record, and connects to every mail host. The prober asks each server one
 *    question per connection. The result is plain JSON without judgement.
 * 2. `grade` is a pure function of evidence and profile. It raises findings, computes
 *    `exposure` and derives the verdict. Saved evidence can be graded again at any time.
 *
 * `exposure` computes the outcome of mail from each class of sender, today and under each
 * attack. It applies the same decision function that `send` executes (`tls-policy`), so
 * predictions match deliveries.
 *
 * - `probes/` opens connections, under the limits of `ConnectionLimiter`;
 * - `grade/` judges hosts, certificates and records, and collects findings;
 * - `profiles/` holds the grading rules as data, with source and date;
 * - `findings/` holds the text of every finding and its fix;
 * - `history/` stores results of a domain over time;
 * - `compare/` lists the differences between two results;
 * - `render/` writes the reports.
 *
 * "Could not be determined" is a separate result: `inconclusive` appears if an unknown
 * fact could make the verdict worse. Faults of this machine's network never lower the
 * verdict on the domain.
 *
 * @example
 * ```ts
 * const result = await check('example.com');
 * console.log(result.verdict, result.exposure.mtaStsCached.stripStarttls);
 * ```
 */
export { check, collectOptions, nameOf, type CheckOptions } from './run/check.js';
export { OptOutRecords } from './probes/opt-out-record.js';
export { parseOptOut, type OptOut } from './probes/opt-out.js';
export type { CheckEvent } from './probes/check-event.js';
export {
  AddressVisits,
  type SharedAddresses,
  type SharedContact,
  type VisitLimits,
  type VisitOptions,
} from './probes/address-visits.js';
export type { ConnectionBudget, ProbeLimiter } from './probes/connection-limiter.js';
export { collect, createProbeContext, DEFAULT_BUDGET, type CollectOptions } from './run/collect.js';
export { assembleEvidence, type CollectedFacts } from './run/assemble-evidence.js';
export type { ProbeContext } from './probes/context.js';
export {
  notChosen,
  probeRoute,
  startHostLookup,
  type HostLookup,
  type RouteTarget,
} from './probes/probe-host.js';
export type { PolicyHostTarget, PolicyVisitor, RefusedVisit } from './probes/policy-visitor.js';
export { lookupStsRecord, probePolicy, probeTlsRpt, readStsRecord } from './probes/probe-txt.js';
export { probeSmtp, type ProbeTarget } from './probes/smtp-tls.js';
export { grade, type GradeOptions } from './grade/grade.js';
export type { CommandOptions } from './findings/entry.js';
export {
  HISTORY_DAYS,
  historyTables,
  readHistory,
  recordHistory,
  type HistoryFilter,
} from './history/check-history.js';
export { compareResults } from './compare/compare-results.js';
export { nearExpiryStart } from './grade/certificate-rules.js';
export { assessExposure } from './grade/exposure.js';
export { checkFailures } from './failures.js';
export { catalogue, describeFinding, type FindingId } from './findings/catalogue.js';
export { inconclusiveFindings } from './findings/views.js';
export { baseline } from './profiles/baseline.js';
export { findProfile, profileNames, profiles, undatedNames } from './profiles/index.js';
export { mozillaSettings } from './profiles/mozilla.js';
export { parseProfile } from './profiles/parse-profile.js';
export { goalsOf, gradedAsks, type GradedAsk } from './profiles/goals.js';
export type { Profile, Rule, TrustMechanism } from './profiles/profile.js';
export { renderTerminal, type TerminalOptions } from './render/terminal.js';
export { verdictCounts } from './render/overview-rows.js';
export { renderOverview } from './render/terminal-overview.js';

export { exposureLines, type ExposureOptions } from './render/exposure-lines.js';
export { markSigns, markTones, scorecard, type Mark, type Score } from './render/scorecard.js';
export {
  attackNames,
  cellOf,
  ownerNames,
  senderNames,
  verdictNames,
  verdictTones,
  versionName,
} from './render/words.js';
export { headline } from './render/headline.js';
export { directionNames, renderChanges } from './render/changes.js';
export { renderControl } from './render/control.js';
export { renderHtml } from './render/html/render-html.js';
export { domainReport } from './render/html/domain-report.js';
export { junitReport, renderJunit, type JunitCase, type JunitOptions } from './render/junit.js';
export { renderSarif } from './render/sarif.js';
export { renderNagios } from './render/nagios.js';
export { renderTranscript } from './render/transcript.js';
