/**
 * Check a domain: collect evidence, grade it, compare results and render them.
 *
 * `collect` queries DNS and opens connections; `grade` is pure and can judge saved
 * evidence again, under another profile or with newer rules.
 */
export {
  baseline,
  check,
  collect,
  compareResults,
  describeFinding,
  assessExposure,
  findProfile,
  grade,
  parseOptOut,
  parseProfile,
  profiles,
  renderHtml,
  renderJunit,
  renderNagios,
  renderSarif,
  renderTerminal,
  type CheckOptions,
  type CollectOptions,
  type FindingId,
  type JunitOptions,
  type OptOut,
  type Profile,
  type Rule,
  type TerminalOptions,
} from '../check/index.js';
export {
  checkResultSchema,
  comparisonSchema,
  evidenceSchema,
  type CheckResult,
  type Evidence,
  type Finding,
  type Verdict,
} from '../evidence/index.js';
