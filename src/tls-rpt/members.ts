import type { Notes } from './notes.js';

/** The members of a JSON object, still unchecked. */
export type Members = Readonly<Record<string, unknown>>;

/**
 * The objects a report is made of, each with the members it may hold; those after the bar
 * belong elsewhere, and are read here too.
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

/** The objects of a report whose member names are known (RFC 8460 §4.4). */
export type MemberKind = keyof typeof kinds;

/**
 * Other names seen or likely: those of the RFC's placeholders and drafts, and of programs
 * that follow them.
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

interface Known {
  readonly exact: ReadonlySet<string>;
  readonly misplaced: ReadonlySet<string>;
  readonly alike: ReadonlyMap<string, string>;
}

const known = Object.fromEntries(
  Object.entries(kinds).map(([kind, text]) => {
    const [own = '', foreign = ''] = text.split(' | ');
    const names = `${own} ${foreign}`.trim().split(' ');
    const alike = new Map(names.map((name) => [bare(name), name]));
    for (const [other, name] of Object.entries(otherNames))
      if (names.includes(name)) alike.set(other, name);
    return [
      kind,
      { exact: new Set(own.split(' ')), misplaced: new Set(foreign.split(' ')), alike },
    ];
  }),
) as unknown as Readonly<Record<MemberKind, Known>>;

/**
 * The members of an object under their right names. Names that are almost right are
 * noted; the rest is put aside as unforeseen.
 */
export function readMembers(value: Members, kind: MemberKind, path: string, notes: Notes): Members {
  const { exact, misplaced, alike } = known[kind];
  let renamed: Record<string, unknown> | undefined;
  for (const key in value) {
    if (exact.has(key)) continue;
    const at = path === '' ? key : `${path}.${key}`;
    const name = misplaced.has(key) ? key : alike.get(bare(key));
    if (name === undefined) {
      notes.unforeseen(at, value[key]);
      continue;
    }
    if (name !== key) notes.add('member-misnamed', at, key);
    if (misplaced.has(name)) notes.add('member-misplaced', at, name);
    renamed ??= { ...value };
    renamed[name] ??= value[key];
  }
  return renamed ?? value;
}

/** True for a JSON object. */
export function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bare(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '');
}
