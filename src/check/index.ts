/**
 * Checks what TLS is worth for the mail of a domain: collects evidence, grades it, says
 * how to repair it. RFC 3207, RFC 7672 (DANE), RFC 8461 (MTA-STS), RFC 8460 (TLS-RPT).
 *
 * @example const result = await check('example.com'); console.log(result.verdict,
 * result.exposure.mtaStsCached.stripStarttls);
 */
export { check, collectOptions, nameOf, type CheckOptions } from './run/check.js';
export { parseOptOut, type OptOut } from './probes/opt-out.js';
export { collect, DEFAULT_BUDGET, type CollectOptions } from './run/collect.js';
export { grade, type GradeOptions } from './grade/grade.js';
export type { CommandOptions } from './findings/entry.js';
export { compareResults } from './compare/compare-results.js';
export { assessExposure } from './grade/exposure.js';
export { checkFailures } from './failures.js';
export { catalogue, describeFinding, type FindingId } from './findings/catalogue.js';
export { baseline } from './profiles/baseline.js';
export { findProfile, profileNames, profiles, undatedNames } from './profiles/index.js';
export { mozillaSettings } from './profiles/mozilla.js';
export { parseProfile } from './profiles/parse-profile.js';
export { goalsOf, gradedAsks, type GradedAsk } from './profiles/goals.js';
export type { Profile, Rule, TrustMechanism } from './profiles/profile.js';
export { renderTerminal, type TerminalOptions } from './render/terminal.js';
export { renderOverview } from './render/terminal-overview.js';
export { exposureLines, type ExposureOptions } from './render/exposure-lines.js';
export { scorecard, type Mark, type Score } from './render/scorecard.js';
export { attackNames, ownerNames, senderNames, versionName } from './render/words.js';
export { renderChanges } from './render/changes.js';
export { renderControl } from './render/control.js';
export { renderHtml } from './render/html/render-html.js';
export { renderJunit, type JunitOptions } from './render/junit.js';
export { renderSarif } from './render/sarif.js';
export { renderNagios } from './render/nagios.js';
export { renderTranscript } from './render/transcript.js';
