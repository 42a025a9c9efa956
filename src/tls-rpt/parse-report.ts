import { fail, neutralise, ok, parseDomain, type Result } from '../base/index.js';
import { decodeText } from './decode-text.js';
import { reportFailures } from './failures.js';
import { isObject, readMembers, type Members } from './members.js';
import { Notes, type ReportNote, type Unforeseen } from './notes.js';
import { readDate } from './read-date.js';
import { readPolicy } from './read-policy.js';
import { readText } from './read-values.js';
import { repairJson } from './repair-json.js';
import { countMembers, objectsIn, scanJson, type JsonShape } from './scan-json.js';
import type { ReportedPolicy, TlsReport } from './report.js';

/**
 * A parsed report, with its departures from RFC 8460. The received octets are not part of
 * the result.
 */
export interface ParsedReport {
  readonly report: TlsReport;
  readonly notes: readonly ReportNote[];
  /** Members that the parser does not know. */
  readonly unforeseen: readonly Unforeseen[];
}

/** Facts from outside the JSON, used if a member is missing. */
export interface ParseReportOptions {
  /**
   * The policy domain from the header of the mail or from the file name, used if the
   * report names none.
   */
  readonly domain?: string;
}

/** Maximum number of sessions in one report, summed over all policies. */
const MAX_SESSIONS = 1e11;
/**
 * Maximum number of domains in one report. A report covers one policy domain and its MX
 * hosts (RFC 8460 §5.3).
 */
const MAX_DOMAINS = 1000;
const MAX_DEPTH = 64;
/**
 * Maximum number of possible JSON objects to examine in a text with other content: a
 * style sheet, for example, has many blocks that are not JSON.
 */
const MAX_OBJECTS = 1000;
/**
 * Maximum characters of malformed JSON to repair: the repair needs several times the
 * memory of the text.
 */
const MAX_REPAIRED = 2_000_000;
const MAX_VALUES = 500_000;
/**
 * Maximum number of objects and arrays. A report of ten megabytes contains about 40,000
 * objects.
 */
const MAX_CONTAINERS = 100_000;

/** Number of leading characters that are searched for the root element of XML. */
const XML_START = 1000;

/**
 * Returns whether a text is a DMARC aggregate report, which is packed in the same way as
 * a TLS report.
 */
function isDmarc(text: string): boolean {
  const start = text.slice(0, XML_START).trimStart();
  return start.startsWith('<') && /<(?:\w{1,20}:)?feedback[\s>]/.test(start);
}

/**
 * Parses the unpacked JSON of a report (RFC 8460 §4.4). Any object with a readable
 * `policies` array is accepted. The counts of the reporter are not changed. Each
 * departure becomes a note. A report is refused only for one of the
 * {@link reportFailures}.
 */
export function parseReport(
  bytes: Uint8Array | string,
  options: ParseReportOptions = {},
): Result<ParsedReport> {
  const notes = new Notes();
  const jsonText = typeof bytes === 'string' ? bytes : decodeText(bytes, notes);
  if (!/[^\s\0]/.test(jsonText)) return fail(reportFailures.make('report-empty'));
  if (isDmarc(jsonText)) return fail(reportFailures.make('report-is-dmarc'));
  const jsonShape = scanJson(jsonText);
  const excess = excessOf(jsonShape);
  if (excess !== undefined) return fail(reportFailures.make('report-too-complex', excess));
  const found = findJson(jsonText, notes);
  if (found === undefined)
    return fail(reportFailures.make('report-not-json', neutralise(jsonText.trim(), 60)));
  const { json } = found;
  if (
    countMembers(json) <
    (found.text === jsonText ? jsonShape.members : scanJson(found.text).members)
  )
    notes.add('member-repeated', '');
  const root: unknown =
    Array.isArray(json) && json.length === 1 ? (notes.add('level-extra', ''), json[0]) : json;
  if (!isObject(root)) return fail(reportFailures.make('report-no-policies', 'not an object'));
  const report = readMembers(root, 'report', '', notes);
  const policies = readList(report['policies'], notes);
  if (policies === undefined)
    return fail(reportFailures.make('report-no-policies', 'no array of that name'));
  if (policies.length === 0) notes.add('policies-empty', 'policies');
  const read = policies.flatMap(
    (item, index) => readPolicy(item, `policies[${index}]`, notes) ?? [],
  );
  const impossible = impossibleIn(read);
  if (impossible !== undefined) return fail(reportFailures.make('report-impossible', impossible));
  const { startDatetime, endDatetime } = readRange(report, notes);
  return ok({
    report: {
      organizationName: required(report, 'organization-name', notes),
      startDatetime,
      endDatetime,
      contactInfo: required(report, 'contact-info', notes),
      reportId: required(report, 'report-id', notes),
      policies: withDomains(read, options.domain, notes),
    },
    notes: notes.list(),
    unforeseen: notes.listUnforeseen(),
  });
}

/**
 * Returns a count that no reporter reaches in a day: it would dominate the sums of all
 * reports.
 */
function impossibleIn(policies: readonly ReportedPolicy[]): string | undefined {
  const sessions = policies.reduce(
    (sum, reportedPolicy) =>
      sum + reportedPolicy.totalSuccessfulSessionCount + reportedPolicy.totalFailureSessionCount,
    0,
  );
  if (sessions > MAX_SESSIONS) return `${sessions} sessions`;
  const domains = new Set(policies.map((reportedPolicy) => reportedPolicy.policyDomain)).size;
  return domains > MAX_DOMAINS ? `${domains} policy domains` : undefined;
}

function isArray(jsonValue: unknown): jsonValue is readonly unknown[] {
  return Array.isArray(jsonValue);
}

/**
 * Describes the size of a text that exceeds the limits of a report; returns undefined for
 * a text within the limits.
 */
function excessOf({ depth, containers, values }: JsonShape): string | undefined {
  const exceeds = depth > MAX_DEPTH || values > MAX_VALUES || containers > MAX_CONTAINERS;
  return exceeds
    ? `${values} values in ${containers} objects and arrays, nested ${depth} deep`
    : undefined;
}

/**
 * Returns the elements of `policies`, also if the reporter wrote a single object or a
 * JSON text instead of an array.
 */
function readList(policies: unknown, notes: Notes): readonly unknown[] | undefined {
  if (isArray(policies)) return policies;
  if (typeof policies === 'string') {
    const inner = jsonInString(policies);
    if (!isArray(inner)) return undefined;
    notes.add('list-in-string', 'policies', policies);
    return inner;
  }
  if (!isObject(policies)) return undefined;
  notes.add('list-is-object', 'policies');
  const keys = Object.keys(policies);
  return keys.length > 0 && keys.every((key) => /^\d+$/.test(key))
    ? Object.values(policies)
    : [policies];
}

/** Returns the parsed report, and the part of the text that contains the report. */
function findJson(
  jsonText: string,
  notes: Notes,
): { readonly json: unknown; readonly text: string } | undefined {
  const whole = tryJson(jsonText);
  if (typeof whole === 'string') {
    const json = jsonInString(whole);
    if (isObject(json)) notes.add('level-extra', '');
    return { json: isObject(json) ? json : whole, text: isObject(json) ? whole : jsonText };
  }
  if (whole !== undefined) return { json: whole, text: jsonText };
  // Text before or after the object is accepted, such as a gateway's footer or padding. A
  // text with several possible reports is refused.
  const parts = objectsIn(jsonText, MAX_OBJECTS);
  const objects = parts.flatMap((object) => {
    const json = tryJson(object);
    return json === undefined ? [] : [{ json, text: object }];
  });
  const [found] = objects;
  if (found === undefined)
    return parts.length > 1
      ? undefined
      : findBroken(parts[0] ?? jsonText.slice(Math.max(0, jsonText.indexOf('{'))), notes);
  if (objects.length > 1) return undefined;
  notes.add('text-around', '', jsonText.replace(found.text, () => '').trim());
  return found;
}

function findBroken(
  jsonText: string,
  notes: Notes,
): { readonly json: unknown; readonly text: string } | undefined {
  if (jsonText.length > MAX_REPAIRED) return undefined;
  const repaired = repairJson(jsonText);
  const json = tryJson(repaired);
  if (json === undefined) return undefined;
  notes.add('json-malformed', '');
  return { json, text: repaired };
}

/**
 * Parses JSON inside a string. The limits apply again, because the check of the outer
 * text did not measure the content of strings.
 */
function jsonInString(jsonText: string): unknown {
  return excessOf(scanJson(jsonText)) === undefined ? tryJson(jsonText) : undefined;
}

function tryJson(jsonText: string): unknown {
  try {
    return JSON.parse(jsonText);
  } catch {
    return undefined;
  }
}

function required(report: Members, memberName: string, notes: Notes): string | undefined {
  if (report[memberName] === undefined) return void notes.add('member-missing', memberName);
  return readText(report[memberName], memberName, notes);
}

function readRange(
  report: Members,
  notes: Notes,
): Pick<TlsReport, 'startDatetime' | 'endDatetime'> {
  const given = report['date-range'];
  const range = isObject(given) ? readMembers(given, 'date-range', 'date-range', notes) : report;
  const startDatetime = readDate(range['start-datetime'], 'date-range.start-datetime', notes);
  const endDatetime = readDate(range['end-datetime'], 'date-range.end-datetime', notes);
  if (startDatetime === undefined || endDatetime === undefined)
    return { startDatetime, endDatetime };
  if (
    startDatetime.endsWith('T00:00:00Z') &&
    endDatetime === `${startDatetime.slice(0, 10)}T23:59:59Z`
  )
    return { startDatetime, endDatetime };
  if (endDatetime < startDatetime) {
    notes.add('range-reversed', 'date-range', `${startDatetime} to ${endDatetime}`);
    return { startDatetime: endDatetime, endDatetime: startDatetime };
  }
  const seconds = (Date.parse(endDatetime) - Date.parse(startDatetime)) / 1000;
  if (seconds === 86_400) notes.add('range-to-midnight', 'date-range', endDatetime);
  else notes.add('range-not-a-day', 'date-range', `${startDatetime} to ${endDatetime}`);
  return { startDatetime, endDatetime };
}

/**
 * Returns the policies with their domains. A missing policy domain is inferred from the
 * other policies, or from the mail.
 */
function withDomains(
  policies: readonly ReportedPolicy[],
  hint: string | undefined,
  notes: Notes,
): readonly ReportedPolicy[] {
  const lacking = policies.findIndex((reportedPolicy) => reportedPolicy.policyDomain === undefined);
  if (lacking < 0) return policies;
  notes.add('policy-domain-missing', `policies[${lacking}].policy.policy-domain`);
  const named = hint === undefined ? undefined : parseDomain(hint);
  const hinted = named?.ok ? named.value.toLower() : undefined;
  const domainsOf = (own: readonly ReportedPolicy[]): ReadonlySet<string> =>
    new Set(own.flatMap((reportedPolicy) => reportedPolicy.policyDomain ?? []));
  const onlyOf = (names: ReadonlySet<string>): string | undefined =>
    names.size === 1 ? [...names][0] : hinted;
  // The domain of a DANE policy is the MX host, which is not a recipient domain (RFC 8460
  // §4.4).
  const recipient = onlyOf(domainsOf(policies.filter(({ policyType }) => policyType !== 'tlsa')));
  const host = onlyOf(domainsOf(policies));
  return policies.map((reportedPolicy) => {
    if (reportedPolicy.policyDomain !== undefined) return reportedPolicy;
    const policyDomain = reportedPolicy.policyType === 'tlsa' ? host : recipient;
    return { ...reportedPolicy, policyDomain };
  });
}
