import type { CheckResult } from '../../evidence/index.js';
import { countByDay } from './count-sessions.js';
import { dateOf, dayOfCheck, type ReportedFacts, type QuotedPolicy } from './facts.js';

/** The sessions of one UTC day, and the changes of the domain on that day. */
export interface TimelineDay {
  readonly day: string;
  /**
   * The number of successful and of failed sessions. A session counts once, even if two
   * policies applied to it.
   */
  readonly ok: number;
  readonly failed: number;
  readonly reports: number;
  /** The changes of that day, according to checks and quoted policies. */
  readonly changes: readonly string[];
}

/**
 * Returns the number of sessions and the changes of the domain for each day. A change is
 * often the cause of failures that begin on the same day.
 */
export function timeline(reportedFacts: ReportedFacts): readonly TimelineDay[] {
  const changes = [
    ...changesOfPolicy(reportedFacts.policies),
    ...reportedFacts.checks.flatMap((check, index) =>
      changesOfCheck(reportedFacts.checks[index - 1], check),
    ),
  ];
  const counts = new Map(
    countByDay(reportedFacts.sessions).map((dayCount) => [dayCount.day, dayCount]),
  );
  return Array.from({ length: reportedFacts.to - reportedFacts.from + 1 }, (_, index) => {
    const dayNumber = reportedFacts.from + index;
    const { ok, failed } = counts.get(dayNumber) ?? { ok: 0, failed: 0 };
    return {
      day: dateOf(dayNumber),
      ok,
      failed,
      reports: reportedFacts.reports.reduce(
        (count, row) => (row.day === dayNumber ? count + row.reports : count),
        0,
      ),
      changes: [
        ...new Set(
          changes.filter((change) => change.day === dayNumber).map((change) => change.says),
        ),
      ],
    };
  });
}

interface TimelineChange {
  readonly day: number;
  readonly says: string;
}

/**
 * Returns a change for each policy text that was first quoted after another text of the
 * same type and domain.
 */
function changesOfPolicy(policies: readonly QuotedPolicy[]): readonly TimelineChange[] {
  const texts = new Map<string, QuotedPolicy>();
  for (const quotedPolicy of [...policies].sort((left, right) => left.firstDay - right.firstDay)) {
    const groupKey = `${quotedPolicy.type} ${quotedPolicy.domain} ${[...quotedPolicy.strings].sort().join('\n')}`;
    if (!texts.has(groupKey)) texts.set(groupKey, quotedPolicy);
  }
  const found: TimelineChange[] = [];
  const all = [...texts.values()];
  for (const [index, quotedPolicy] of all.entries()) {
    const before = all
      .slice(0, index)
      .findLast((p) => p.type === quotedPolicy.type && p.domain === quotedPolicy.domain);
    if (!before) continue;
    const [gone, come] = [
      without(before.strings, quotedPolicy.strings),
      without(quotedPolicy.strings, before.strings),
    ];
    const says = [
      ...gone.map((textLine) => `- ${textLine}`),
      ...come.map((textLine) => `+ ${textLine}`),
    ]
      .slice(0, 6)
      .join('; ');
    found.push({
      day: quotedPolicy.firstDay,
      says: `senders apply another ${quotedPolicy.type === 'tlsa' ? 'set of TLSA records' : 'policy'}: ${says}`,
    });
  }
  return found;
}

function changesOfCheck(
  before: CheckResult | undefined,
  now: CheckResult,
): readonly TimelineChange[] {
  if (!before) return [];
  const day = dayOfCheck(now);
  const says: string[] = [];
  const differ = (what: string, a: string, b: string): void =>
    void (a !== b && says.push(`${what}: ${a || 'none'} -> ${b || 'none'}`));
  // A check without a conclusive result proves no change.
  const found = (check: CheckResult): boolean =>
    check.mtaSts.status === 'found' || check.mtaSts.status === 'absent';
  if (before.hosts.length > 0 && now.hosts.length > 0)
    differ(
      'MX',
      before.hosts.map((mailHost) => mailHost.name).join(' '),
      now.hosts.map((mailHost) => mailHost.name).join(' '),
    );
  if (found(before) && found(now)) {
    differ('MTA-STS id', before.mtaSts.id ?? '', now.mtaSts.id ?? '');
    differ('MTA-STS mode', before.mtaSts.mode ?? '', now.mtaSts.mode ?? '');
    differ('MTA-STS mx', (before.mtaSts.mx ?? []).join(' '), (now.mtaSts.mx ?? []).join(' '));
  }
  for (const mailHost of now.hosts) {
    const old = before.hosts.find((h) => h.name === mailHost.name);
    if (!old) continue;
    if ([...old.tlsa.records].sort().join() !== [...mailHost.tlsa.records].sort().join())
      says.push(`TLSA of ${mailHost.name}`);
    const [certificateBefore, certificateNow] = [old, mailHost].map(
      (h) => h.addresses.flatMap((address) => address.certificates)[0],
    );
    if (
      certificateBefore &&
      certificateNow &&
      certificateBefore.notAfter !== certificateNow.notAfter
    )
      says.push(`certificate of ${mailHost.name}: until ${certificateNow.notAfter.slice(0, 10)}`);
    else if (
      certificateNow &&
      Date.parse(certificateNow.notAfter) < Date.parse(now.checkedAt) &&
      Date.parse(certificateNow.notAfter) >= Date.parse(before.checkedAt)
    )
      return [
        ...says.map((text) => ({ day, says: text })),
        {
          day: dayOfDate(certificateNow.notAfter),
          says: `certificate of ${mailHost.name} expired`,
        },
      ];
  }
  return says.map((text) => ({ day, says: text }));
}

function dayOfDate(text: string): number {
  return Math.floor(Date.parse(text) / 86_400_000);
}

function without(left: readonly string[], right: readonly string[]): readonly string[] {
  const known = new Set(right);
  return left.filter((textLine) => textLine !== '' && !known.has(textLine));
}
