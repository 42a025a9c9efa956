import type { Store } from '../../../src/store/index.js';
import { parseReport } from '../../../src/tls-rpt/index.js';
import {
  openReports,
  storeReports,
  type VerifiedItem,
  type ReportTrust,
} from '../../../src/tls-rpt-receive/index.js';

/** One policy of a report. The defaults have no faults. */
export interface TestPolicy {
  readonly type?: string;
  /** If null, the report names no domain. */
  readonly domain?: string | null;
  readonly mode?: string;
  /** Patterns of the quoted policy. An empty list omits the policy text. */
  readonly mx?: readonly string[];
  readonly maxAge?: number;
  readonly ok?: number;
  readonly failed?: number;
  /** Failure details: result type, count, and further members. Default: none. */
  readonly details?: readonly TestDetail[] | undefined;
}

export interface TestDetail {
  readonly result?: string;
  readonly count?: number | undefined;
  readonly mx?: string | undefined;
  readonly ip?: string | undefined;
  readonly from?: string | undefined;
  readonly reason?: string;
}

export interface TestReport {
  readonly reporter: string;
  readonly day: string;
  readonly id?: string;
  readonly trust?: ReportTrust;
  readonly peer?: string;
  readonly policies: readonly TestPolicy[];
}

const tlsa = `3 1 1 ${'ab'.repeat(32)}`;

/** Returns the JSON of a report, as a sender writes it. */
export function testReportJson({ reporter, day, id, policies }: TestReport): string {
  return JSON.stringify({
    'organization-name': reporter,
    'date-range': { 'start-datetime': `${day}T00:00:00Z`, 'end-datetime': `${day}T23:59:59Z` },
    'contact-info': `tlsrpt@${reporter}`,
    'report-id': id ?? `${day}_${reporter}`,
    policies: policies.map(policyJson),
  });
}

function policyJson({
  type = 'sts',
  domain = 'rcpt.example',
  mode = 'enforce',
  mx = ['mx1.rcpt.example'],
  maxAge = 604_800,
  ok = 0,
  failed = 0,
  details,
}: TestPolicy): object {
  const texts: Readonly<Record<string, readonly string[]>> = {
    sts: [
      'version: STSv1',
      `mode: ${mode}`,
      ...mx.map((name) => `mx: ${name}`),
      `max_age: ${maxAge}`,
    ],
    tlsa: [tlsa],
  };
  return {
    policy: {
      'policy-type': type,
      'policy-string': type === 'sts' && mx.length === 0 ? undefined : texts[type],
      'policy-domain': domain ?? undefined,
    },
    summary: { 'total-successful-session-count': ok, 'total-failure-session-count': failed },
    'failure-details': details?.map((d) => ({
      'result-type': d.result ?? 'certificate-expired',
      'failed-session-count': 'count' in d ? d.count : failed,
      'receiving-mx-hostname': 'mx' in d ? d.mx : 'mx1.rcpt.example',
      'receiving-ip': d.ip,
      'sending-mta-ip': d.from,
      'failure-reason-code': d.reason,
    })),
  };
}

/** Stores reports with an arrival one day after the last of their days. */
export function storeTestReports(store: Store, reports: readonly TestReport[]): void {
  storeReports(
    store,
    reports.map((report) => {
      const raw = Buffer.from(testReportJson(report));
      const parsed = parseReport(raw);
      if (!parsed.ok) throw new Error(parsed.failure.detail);
      const trust = report.trust ?? 'signed';
      const reading: VerifiedItem = {
        name: 'test',
        via: trust === 'posted' ? 'https' : 'mail',
        ...(report.peer === undefined ? {} : { peer: report.peer }),
        raw,
        parsed,
        trust,
        detail: '',
        reporter: report.reporter,
      };
      return { reading, parsed: parsed.value, receivedAt: Date.parse(report.day) + 30 * 3_600_000 };
    }),
  );
}

/** Returns a database in memory that holds these reports. */
export async function withReports(...reports: readonly TestReport[]): Promise<Store> {
  const store = await openReports(':memory:');
  storeTestReports(store, reports);
  return store;
}

/**
 * Returns `count` days that end with `last`, such as `2027-01-04`, in ascending order.
 */
export function daysUntil(last: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) =>
    new Date(Date.parse(last) - (count - 1 - i) * 86_400_000).toISOString().slice(0, 10),
  );
}
