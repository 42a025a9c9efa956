import type { WatchAlarm, WatchedFault } from './types.js';

/** Returns the first fault of the highest level, which names the alarm. */
export function gravest(faults: readonly WatchedFault[]): WatchedFault | undefined {
  const highest = Math.max(...faults.map(({ level }) => level));
  return faults.find(({ level }) => level === highest);
}

/**
 * Builds an alarm. `name` identifies the fault from its start to its end, and stays the
 * same if the alarm is sent again after a crash.
 */
export function alarmOf(
  kind: WatchAlarm['kind'],
  domain: string,
  name: string,
  { first, group }: { readonly first: WatchedFault; readonly group: readonly WatchedFault[] },
): WatchAlarm {
  const { rule, says, since, todo } = first;
  const also = group.filter((fault) => fault.key !== first.key).map((fault) => fault.says);
  const id = `${name}/${kind}`;
  const rules = [...new Set([rule, ...group.map((fault) => fault.rule)])];
  return { id, kind, domain, rule, rules, says, also, since: new Date(since).toISOString(), todo };
}
