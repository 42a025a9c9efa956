/** Something that is wrong now. */
export interface Condition {
  /** The same from one look to the next. */
  readonly key: string;
  readonly domain: string;
  /** How bad: failed sessions. */
  readonly level: number;
  /** One line for people. */
  readonly says: string;
  readonly todo: readonly string[];
}

/** What was told of a condition, and when. */
export interface Told {
  readonly key: string;
  readonly domain: string;
  readonly level: number;
  readonly says: string;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Only changes are told: that something began, became much worse, or ended. */
export interface Alert {
  readonly kind: 'added' | 'worse' | 'ended';
  readonly domain: string;
  readonly says: string;
  readonly since: string;
  readonly todo: readonly string[];
}

/** Twice as bad, and by more than a few sessions. */
function isWorse(level: number, before: number): boolean {
  return level >= 2 * before && level >= before + 10;
}

/** Compares what is wrong now with what was told before. Pure. */
export function planAlerts(
  now: number,
  conditions: readonly Condition[],
  told: readonly Told[],
): { readonly alerts: readonly Alert[]; readonly told: readonly Told[] } {
  const before = new Map(told.map((t) => [t.key, t]));
  const alerts: Alert[] = [];
  const after = conditions.map((condition): Told => {
    const { key, domain, level, says, todo } = condition;
    const known = before.get(key);
    const since = known?.since ?? now;
    const kind = known === undefined ? 'added' : isWorse(level, known.level) ? 'worse' : undefined;
    if (kind) alerts.push({ kind, domain, says, since: dateTime(since), todo });
    return kind || !known ? { key, domain, level, says, since } : known;
  });
  const still = new Set(conditions.map((c) => c.key));
  for (const { key, domain, says, since } of told)
    if (!still.has(key))
      alerts.push({ kind: 'ended', domain, says, since: dateTime(since), todo: [] });
  return { alerts, told: after };
}

function dateTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
