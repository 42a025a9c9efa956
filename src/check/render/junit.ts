import { neutralise } from '../../base/index.js';
import type { CheckResult, Finding } from '../../evidence/index.js';
import { headline } from './headline.js';
import { ownerNames } from './words.js';

/** Options of the JUnit report. */
export interface JunitOptions {
  /** The lowest severity at which a finding is a failed test. Default `fail`. */
  readonly failOn?: 'warn' | 'fail';
}

/**
 * Renders JUnit XML for CI servers: a test suite for each domain, with a test for the
 * verdict, for each finding and for each passed test of the profile. An unknown verdict
 * is an error, neither passed nor failed; a rule that this depth does not test is
 * skipped. Every text is escaped and free of characters that XML forbids, so a reply of a
 * server cannot break the file.
 */
export function renderJunit(
  results: readonly CheckResult[],
  { failOn = 'fail' }: JunitOptions = {},
): string {
  return junitReport(results.map((checkResult) => suiteOf(checkResult, failOn)));
}

/** A test suite of a JUnit report. */
export interface JunitSuite {
  readonly name: string;
  /** ISO 8601. */
  readonly at: string;
  readonly properties: Readonly<Record<string, string | number>>;
  readonly cases: readonly JunitCase[];
}

/** Renders suites as one report. */
export function junitReport(suites: readonly JunitSuite[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="hermetic">\n${suites.map(suiteElement).join('')}</testsuites>\n`;
}

/**
 * One test case. Its text becomes the body of the XML element, and its message an
 * attribute.
 */
export interface JunitCase {
  readonly name: string;
  readonly outcome: 'passed' | 'failure' | 'error' | 'skipped';
  readonly message?: string;
  readonly text?: string;
}

/** Returns one domain as a test suite. */
function suiteOf(checkResult: CheckResult, failOn: 'warn' | 'fail'): JunitSuite {
  const cases = [
    verdictCase(checkResult, failOn),
    ...checkResult.findings.map((finding) => findingCase(finding, failOn)),
    ...(checkResult.passed ?? []).map(({ id }): JunitCase => ({ name: id, outcome: 'passed' })),
    ...checkResult.notLookedAt.map((findingId): JunitCase => ({
      name: findingId,
      outcome: 'skipped',
      message: `not tested at depth ${checkResult.depth}`,
    })),
  ];
  const { domain, checkedAt, profile, depth, connections } = checkResult;
  const properties = { profile, depth, connections, ...provenanceProperties(checkResult) };
  return { name: domain, at: checkedAt, properties, cases };
}

/**
 * Returns the element of a suite. The time is 0, because the duration is irrelevant to
 * the result and would make equal results differ.
 */
function suiteElement({ name: suiteName, at, properties, cases }: JunitSuite): string {
  const counted = (outcome: JunitCase['outcome']): number =>
    cases.filter((testCase) => testCase.outcome === outcome).length;
  const head = attributes({
    name: suiteName,
    tests: cases.length,
    failures: counted('failure'),
    errors: counted('error'),
    skipped: counted('skipped'),
    time: 0,
    // The schema of JUnit reports takes local time without a zone; here it is UTC.
    timestamp: at.replace(/Z$/, ''),
  });
  const listed = Object.entries(properties)
    .map(([name, value]) => `      <property${attributes({ name, value })}/>\n`)
    .join('');
  return `  <testsuite${head}>\n    <properties>\n${listed}    </properties>\n${cases.map((item) => testCase(suiteName, item)).join('')}  </testsuite>\n`;
}

/** Returns the origin of the result as flat names and values. */
function provenanceProperties({
  provenance,
  domainUnicode,
}: CheckResult): Readonly<Record<string, string>> {
  if (!provenance) return {};
  const { tool, profileDate, vantage, resolvers, evidenceSha256 } = provenance;
  const { trustStores = [] } = provenance;
  return {
    tool: `${tool.name} ${tool.version}`,
    'profile-date': profileDate,
    'vantage-addresses': vantage.addresses.join(' '),
    'vantage-helo': vantage.helo,
    resolvers: resolvers.join(' '),
    'trust-stores': trustStores.map(({ name, sha256 }) => `${name}:${sha256}`).join(' '),
    'evidence-sha256': evidenceSha256,
    'domain-unicode': domainUnicode ?? '',
  };
}

/**
 * Returns the verdict as a test, so that a CI job with no failed finding still reports an
 * unknown result.
 */
function verdictCase(checkResult: CheckResult, failOn: 'warn' | 'fail'): JunitCase {
  const name = 'verdict';
  const message = headline(checkResult);
  switch (checkResult.verdict) {
    case 'inconclusive':
      return { name, outcome: 'error', message: `could not tell: ${message}` };
    case 'not-applicable':
      return { name, outcome: 'skipped', message };
    case 'fail':
      return { name, outcome: 'failure', message };
    case 'warn':
    case 'pass':
      return { name, outcome: checkResult.verdict === failOn ? 'failure' : 'passed', message };
  }
}

/**
 * Returns a finding as a test. Its name is stable from run to run, and its text contains
 * the whole fix, since a CI server shows the test without a link to the report.
 */
function findingCase(
  { id, subject, severity, title, why, reason, fix, steps, owner, reference }: Finding,
  failOn: 'warn' | 'fail',
): JunitCase {
  const name = `${id}: ${subject}`;
  if (severity === 'good') return { name, outcome: 'passed' };
  const plan = steps.map((fixStep, index) => `${index + 1}. ${fixStep.text}`);
  const reasons = reason === undefined ? [] : [reason];
  const text = [
    ...reasons,
    why,
    `To fix, by ${ownerNames[owner]}: ${fix}`,
    ...plan,
    reference,
  ].join('\n');
  return {
    name,
    outcome: severity === 'fail' || severity === failOn ? 'failure' : 'passed',
    message: title,
    text,
  };
}

/**
 * Returns one element. Notes of a passed test go to system-out, the only place for text
 * that every CI server shows without counting a failure.
 */
function testCase(
  domainName: string,
  { name, outcome, message = '', text = '' }: JunitCase,
): string {
  const open = `    <testcase${attributes({ classname: domainName, name, time: 0 })}`;
  switch (outcome) {
    case 'passed':
      return message === ''
        ? `${open}/>\n`
        : `${open}>\n      <system-out>${lines([message, text].filter(Boolean).join('\n'))}</system-out>\n    </testcase>\n`;
    case 'skipped':
      return `${open}>\n      <skipped${attributes({ message })}/>\n    </testcase>\n`;
    default:
      return `${open}>\n      <${outcome}${attributes({ message, type: name.split(':')[0] ?? '' })}>${lines(text)}</${outcome}>\n    </testcase>\n`;
  }
}

/** Attributes with a space before each; every value is escaped. */
function attributes(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([caseName, value]) => ` ${caseName}="${xml(String(value))}"`)
    .join('');
}

/** The five entities that XML declares. */
const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/**
 * Escapes text for an element or attribute. Characters that XML 1.0 forbids (§2.2) become
 * visible escapes, and a value is cut off after 4000 characters.
 */
function xml(outputText: string): string {
  return neutralise(outputText, 4000).replace(
    /[&<>"']/g,
    (character) => entities[character] as string,
  );
}

/** Escapes text line by line, so that its own line ends stay. */
const lines = (outputText: string): string => outputText.split('\n').map(xml).join('\n');
