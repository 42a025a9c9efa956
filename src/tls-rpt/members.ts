import type { Notes } from './notes.js';

/** A JSON object whose members have unchecked types. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * The kinds of objects in a report, each with the names of its members. Members after the
 * bar belong to another kind of object, but are accepted in this one too.
 */
const kinds = {
  report:
    'organization-name date-range contact-info report-id policies | start-datetime end-datetime',
  'date-range': 'start-datetime end-datetime',
  item: 'policy summary failure-details | policy-type policy-string policy-domain mx-host total-successful-session-count total-failure-session-count',
  policy: 'policy-type policy-string policy-domain mx-host | failure-details',
  summary: 'total-successful-session-count total-failure-session-count | failure-details',
  detail:
    'result-type sending-mta-ip receiving-mx-hostname receiving-mx-helo receiving-ip failed-session-count additional-information failure-reason-code',
} as const;

/** The kind of an object. */
export type MemberKind = keyof typeof kinds;

/**
 * Other member names that reporters use: placeholders in RFC 8460, names in its drafts,
 * and names in programs that follow the drafts.
 */
const otherNames: Readonly<Record<string, string>> = {
  mxhostpattern: 'mx-host',
  mxhosts: 'mx-host',
  additionalinfouri: 'additional-information',
  additionalinfo: 'additional-information',
  failureerrorcode: 'failure-reason-code',
  failurereason: 'failure-reason-code',
  failurecode: 'failure-reason-code',
  sessioncount: 'failed-session-count',
  failuredetail: 'failure-details',
  organisationname: 'organization-name',
  orgname: 'organization-name',
  start: 'start-datetime',
  end: 'end-datetime',
  startdate: 'start-datetime',
  enddate: 'end-datetime',
  receivingmxhelostring: 'receiving-mx-helo',
  totalsuccessfulsessions: 'total-successful-session-count',
  totalfailuresessions: 'total-failure-session-count',
};

/** The member names of one kind of object, prepared for lookup. */
interface Known {
  /** Names that belong to this kind of object. */
  readonly exact: ReadonlySet<string>;
  /** Names that belong to another kind of object. */
  readonly misplaced: ReadonlySet<string>;
  /** Correct names, keyed by their letters in lower case. */
  readonly alike: ReadonlyMap<string, string>;
}

const known = Object.fromEntries(
  Object.entries(kinds).map(([kind, text]) => {
    const [own = '', foreign = ''] = text.split(' | ');
    const names = `${own} ${foreign}`.trim().split(' ');
    const alike = new Map(names.map((memberName) => [bare(memberName), memberName]));
    for (const [other, memberName] of Object.entries(otherNames))
      if (names.includes(memberName)) alike.set(other, memberName);
    return [
      kind,
      { exact: new Set(own.split(' ')), misplaced: new Set(foreign.split(' ')), alike },
    ];
  }),
) as unknown as Readonly<Record<MemberKind, Known>>;

/**
 * Returns the members of an object under their correct names. Almost correct names are
 * noted; unknown members are collected separately. An object with correct names only, the
 * usual case, is returned without a copy.
 */
export function readMembers(value: Members, kind: MemberKind, path: string, notes: Notes): Members {
  const { exact, misplaced, alike } = known[kind];
  let renamed: Record<string, unknown> | undefined;
  for (const memberName in value) {
    if (exact.has(memberName)) continue;
    const memberPath = path === '' ? memberName : `${path}.${memberName}`;
    const name = misplaced.has(memberName) ? memberName : alike.get(bare(memberName));
    if (name === undefined) {
      notes.unforeseen(memberPath, value[memberName]);
      continue;
    }
    if (name !== memberName) notes.add('member-misnamed', memberPath, memberName);
    if (misplaced.has(name)) notes.add('member-misplaced', memberPath, name);
    renamed ??= { ...value };
    renamed[name] ??= value[memberName];
  }
  return renamed ?? value;
}

/** Returns true for a JSON object. */
export function isObject(jsonValue: unknown): jsonValue is Members {
  return typeof jsonValue === 'object' && jsonValue !== null && !Array.isArray(jsonValue);
}

/**
 * Returns the letters of a name in lower case, so that `policyType` and `policy_type`
 * compare equal to `policy-type`.
 */
function bare(memberName: string): string {
  return memberName.toLowerCase().replace(/[^a-z]/g, '');
}
