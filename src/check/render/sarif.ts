import { neutralise } from '../../base/index.js';
import type { CheckResult, Finding } from '../../evidence/index.js';
import { describeFinding, type FindingId } from '../findings/catalogue.js';
import { headline } from './headline.js';
import { ownerNames } from './words.js';

/**
 * Renders SARIF 2.1.0 for code scanning and dashboards: a run for each domain, a result
 * for each finding. A domain is not a file, so each location is a DNS name (an RFC 4501
 * URI) and a logical location. `partialFingerprints` identify a finding from run to run.
 */
export function renderSarif(results: readonly CheckResult[]): string {
  return `${JSON.stringify({ version: '2.1.0', $schema: 'https://json.schemastore.org/sarif-2.1.0.json', runs: results.map(run) }, null, 2)}\n`;
}

/**
 * Returns one run for one domain. Rules are listed once and referenced by index, as SARIF
 * 2.1.0 §3.27.6 allows.
 */
function run(checkResult: CheckResult): object {
  const ids = [...new Set(checkResult.findings.map((finding) => finding.id))];
  return {
    tool: {
      driver: {
        name: 'Hermetic',
        version: checkResult.provenance?.tool.version,
        semanticVersion: checkResult.provenance?.tool.version,
        rules: ids.map(rule),
      },
    },
    automationDetails: { id: `hermetic/${safe(checkResult.domain)}/` },
    invocations: [
      {
        executionSuccessful: true,
        endTimeUtc: checkResult.checkedAt,
        toolExecutionNotifications:
          checkResult.verdict === 'inconclusive' ? [unknownNotice(checkResult)] : undefined,
      },
    ],
    properties: {
      verdict: checkResult.verdict,
      profile: checkResult.profile,
      depth: checkResult.depth,
      connections: checkResult.connections,
      domainUnicode: checkResult.domainUnicode,
      provenance: checkResult.provenance,
      passed: checkResult.passed,
    },
    results: checkResult.findings.map((finding) =>
      item(checkResult.domain, finding, ids.indexOf(finding.id)),
    ),
  };
}

/**
 * An inconclusive verdict is a notification of the tool, since it is not a result about
 * the domain.
 */
const unknownNotice = (checkResult: CheckResult): object => ({
  level: 'warning',
  message: { text: safe(`Could not tell: ${headline(checkResult)}`) },
});

/** Returns the catalogue texts of a finding, without the particulars of one domain. */
function rule(findingId: string): object {
  const { title, why, fix, reference, owner } = describeFinding(findingId as FindingId);
  return {
    id: findingId,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: `${fix} By ${ownerNames[owner]}; ${reference}.` },
    properties: { tags: [owner, ...reference.split(', ')] },
  };
}

/**
 * The kind and level of each severity. A level belongs to failures only (SARIF 2.1.0
 * §3.27.10), so notes and good findings have `none`.
 */
const levels = {
  fail: { kind: 'fail', level: 'error' },
  warn: { kind: 'fail', level: 'warning' },
  info: { kind: 'informational', level: 'none' },
  good: { kind: 'pass', level: 'none' },
} as const;

/**
 * Returns one finding as a result. The fingerprint holds domain, id and subject alone, so
 * a dashboard recognises the finding although its text changes with dates and addresses.
 */
function item(
  domainName: string,
  { id, severity, subject, title, why, fix, steps, reference, owner }: Finding,
  ruleIndex: number,
): object {
  const hostName = subject.split(' ')[0] ?? subject;
  const name = subject === domainName ? safe(domainName) : `${safe(domainName)}/${safe(subject)}`;
  return {
    ruleId: id,
    ruleIndex,
    ...levels[severity],
    message: { text: safe(`${title} (${subject}). ${why} ${fix}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: `dns:${encodeURIComponent(safe(hostName))}` },
        },
        logicalLocations: [{ name: safe(subject), fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    partialFingerprints: { 'hermeticFinding/v1': safe(`${domainName} ${id} ${subject}`) },
    properties: {
      subject: safe(subject),
      owner,
      reference,
      steps: steps.map(({ kind, text, code }) => ({
        kind,
        text: lines(text),
        code: code === undefined ? undefined : lines(code),
      })),
    },
  };
}

/**
 * Makes control and bidi characters visible, and cuts a text off after 4000 characters.
 */
const safe = (outputText: string): string => neutralise(outputText, 4000);
/** Makes these characters visible in each line of a text. */
const lines = (outputText: string): string => outputText.split('\n').map(safe).join('\n');
