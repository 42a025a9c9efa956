import type { AddressEvidence } from '../../evidence/index.js';
import type {
  GroupChange,
  GroupVisit,
  KnownGroup,
  NameGroups,
  PlannedHost,
  VisitPlan,
} from '../engine/index.js';
import { familyOf } from '../family/family-of.js';
import {
  afterVisit,
  coversName,
  newFamily,
  planVisit,
  PROBED_NAMES,
  type FamilyAtAddress,
} from '../family/inference.js';
import { afterServerVisit, planServerName, type ServerAtAddress } from '../family/server-names.js';
import type { VisitObservation } from '../facts/observations.js';

/**
 * Decides whether a name is visited. The visited names of its provider decide first, then
 * names that the server's certificate does not cover.
 */
export function planByGroups({ family, server }: NameGroups, name: PlannedHost): VisitPlan {
  const known = (family?.state ?? newFamily) as unknown as FamilyAtAddress;
  const state = { ...known, ended: known.ended || family?.ended === true };
  const equalElsewhere = Math.max(0, (family?.equal ?? 0) - known.equal);
  const model = family?.model && visitOf(family.model, name.host);
  const kind = planVisit(state, { ...name, equalElsewhere }, model);
  if (kind === 'check' || kind === 'infer') return { kind, group: 'family' };
  const byServer = planBy(server, name);
  return byServer === 'visit' ? { kind } : { kind: byServer, group: 'server' };
}

function planBy(server: KnownGroup | undefined, name: PlannedHost): 'visit' | 'check' | 'infer' {
  if (!server?.model || server.ended || name.matters) return 'visit';
  const { address } = visitOf(server.model, name.host);
  const state = server.state as unknown as ServerAtAddress;
  return planServerName(state, name, { model: address, equalInScan: server.equal });
}

/** Returns the groups that a visit changed. */
export function changedGroups(groups: NameGroups, visit: GroupVisit): readonly GroupChange[] {
  const seen = visitOf(visit.facts, visit.host);
  const changes = [
    familyChange(groups.family, seen, visit.checks === 'family'),
    serverChange(groups.server, seen, visit.checks === 'server'),
  ];
  return changes.filter((change) => change !== undefined);
}

/**
 * Returns the change of a family after a visit. Returns undefined for a first visit if
 * the certificate does not cover the name: such a visit cannot represent the family.
 */
function familyChange(
  group: KnownGroup | undefined,
  visit: VisitObservation,
  isCheck: boolean,
): GroupChange | undefined {
  const before = (group?.state ?? newFamily) as unknown as FamilyAtAddress;
  if (!group && !coversName(visit.address, visit.host)) return undefined;
  const after = afterVisit(before, isCheck ? 'check' : 'visit', visit);
  if (after === before) return undefined;
  return {
    group: 'family',
    state: { ...after },
    isModel: before.model === undefined,
    isReady: after.model !== undefined && !after.ended && after.equal >= PROBED_NAMES,
    visited: 1,
    countedAs: familyOf(visit.host),
    digest: after.digest ?? '',
    added: {
      equal: after.equal - before.equal,
      checked: after.checked - before.checked,
      wrong: after.wrong - before.wrong,
      ended: after.ended && !before.ended,
    },
  };
}

function serverChange(
  group: KnownGroup | undefined,
  visit: VisitObservation,
  isCheck: boolean,
): GroupChange | undefined {
  const before = group?.state as unknown as ServerAtAddress | undefined;
  const after = afterServerVisit(before, visit);
  if (!after || after === before) return undefined;
  const ended = after.ended && before?.ended !== true;
  return {
    group: 'server',
    state: { ...after },
    isModel: before === undefined,
    isReady: !after.ended && (after.beforeTls || after.equal >= PROBED_NAMES),
    visited: after.visited,
    // An asterisk and a space: neither is part of a family name.
    countedAs: `* ${after.operator ?? visit.address.ip}`,
    digest: '',
    added: {
      equal: after.operator === undefined ? 0 : after.equal - (before?.equal ?? 0),
      checked: Number(isCheck),
      wrong: Number(isCheck && ended),
      ended,
    },
  };
}

function visitOf(facts: KnownGroup['state'], host: string): VisitObservation {
  const { address, serverName } = facts as {
    readonly address: AddressEvidence;
    readonly serverName: string;
  };
  return { host, serverName, observedAt: '', address };
}
