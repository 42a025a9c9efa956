/** A fault that lasts: a failure in the reports, or missing reports. */
export interface Condition {
  /** The key of the fault, which is the same in every round. */
  readonly key: string;
  readonly domain: string;
  /** The number of failed sessions. */
  readonly level: number;
  /** The fault as one human-readable line. */
  readonly says: string;
  readonly todo: readonly string[];
}

/**
 * The last alert about a condition that a channel received, with the time at which the
 * condition began.
 */
export interface SentAlert {
  readonly key: string;
  readonly domain: string;
  readonly level: number;
  readonly says: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** An alert about a change: a failure began, became much worse, or ended. */
export interface ReportAlert {
  readonly kind: 'added' | 'worse' | 'ended';
  readonly domain: string;
  readonly says: string;
  readonly since: string;
  readonly todo: readonly string[];
}

/**
 * Returns whether the number of failed sessions at least doubled, and grew by ten or
 * more.
 */
function isWorse(level: number, before: number): boolean {
  return level >= 2 * before && level >= before + 10;
}

/**
 * The note on a failure that is no longer reported, although its reporters report no
 * success: they may simply have sent no mail.
 */
const NOT_REPORTED =
  'Reporters no longer report it. Its end is not confirmed, because no affected reporter has reported a success since.';

/**
 * Returns the kind of change; undefined without a change, or if a failure affects fewer
 * sessions than before.
 */
function kindOf(level: number, known: SentAlert | undefined): ReportAlert['kind'] | undefined {
  if (known === undefined) return 'added';
  return isWorse(level, known.level) ? 'worse' : undefined;
}

/**
 * Compares the current conditions with the alerts that a channel has received, and
 * returns the new alerts. Pure. `ended`: the keys of failures that are known to have
 * ended; default: all keys that `conditions` no longer contains.
 */
export function planAlerts(
  now: number,
  conditions: readonly Condition[],
  sent: readonly SentAlert[],
  ended?: ReadonlySet<string>,
): { readonly alerts: readonly ReportAlert[]; readonly sent: readonly SentAlert[] } {
  const before = new Map(sent.map((known) => [known.key, known]));
  const reportAlerts: ReportAlert[] = [];
  const after = conditions.map((condition): SentAlert => {
    const { key, domain, level, says, todo } = condition;
    const known = before.get(key);
    const since = known?.since ?? now;
    const kind = kindOf(level, known);
    if (kind) reportAlerts.push({ kind, domain, says, since: dateTime(since), todo });
    return kind || !known ? { key, domain, level, says, since } : known;
  });
  const still = new Set(conditions.map((condition) => condition.key));
  for (const { key, domain, says, since } of sent)
    if (!still.has(key))
      reportAlerts.push({
        kind: 'ended',
        domain,
        says: ended?.has(key) === false ? `${says} ${NOT_REPORTED}` : says,
        since: dateTime(since),
        todo: [],
      });
  return { alerts: reportAlerts, sent: after };
}

/** Returns a time in the form of RFC 3339, in UTC without the fraction. */
function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
