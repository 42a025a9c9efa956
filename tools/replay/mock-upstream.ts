import { Name } from '../../src/base/index.js';
import {
  makeRecord,
  readTarget,
  responseTo,
  RRType,
  typeNumber,
  type Fetch,
  type Message,
  type ResourceRecord,
} from '../../src/dns/index.js';
import type { Entry, Scenario } from './parse-rpl.js';

const RCODES: Readonly<Record<string, number>> = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMPL: 4,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
};
const MAX_CHAIN = 12;

/**
 * Simulates a recursive resolver for queries with CD=1: it selects the most specific of
 * the virtual servers' active answers, follows aliases without a target, and synthesises
 * the CNAME of a DNAME.
 */
export function mockUpstream(scenario: Scenario, step: () => number): Fetch {
  const lookup = (name: Name, type: number): Message => {
    const current = scenario.ranges.filter((r) => r.from <= step() && step() <= r.to);
    // After the last range the resolver answers from its cache.
    const active = current.length > 0 ? current : scenario.ranges;
    const fitting = active
      .flatMap((r) => r.entries.filter((e) => matches(e, name, type)).slice(0, 1))
      .filter((e) => !isReferral(e, type));
    const entry = fitting.at(0);
    if (entry) return message(name, type, entry);
    // The cache of a resolver with earlier answers and referrals.
    const everything = scenario.ranges.flatMap((r) => r.entries);
    return message(
      name,
      type,
      everything.map((e) => fromCache(e, name, type)).find((e) => e !== undefined),
    );
  };
  return (name, type) => {
    let reply = lookup(name, type);
    let at = name;
    for (let i = 0; i < MAX_CHAIN && type !== RRType.CNAME; i++) {
      const next = aliasOf(reply, at);
      if (!next) break;
      if (
        next.synthesised &&
        !reply.answers.some((rr) => rr.type === RRType.CNAME && rr.name.equals(at))
      )
        reply = { ...reply, answers: [...reply.answers, next.synthesised] };
      at = next.to;
      const target = at;
      if (
        reply.answers.some((rr) => rr.name.equals(target) && rr.type !== RRType.RRSIG) ||
        aliasOf(reply, at)
      )
        continue;
      if (
        reply.authorities.some(
          (rr) => rr.type === RRType.SOA || rr.type === RRType.NSEC || rr.type === RRType.NSEC3,
        ) &&
        !hasEntry(scenario, step(), at, type)
      )
        break;
      const more = lookup(at, type);
      reply = {
        ...reply,
        rcode: more.rcode,
        answers: [...reply.answers, ...more.answers],
        authorities: [...reply.authorities, ...more.authorities],
      };
    }
    return Promise.resolve({ ok: true, message: reply });
  };
}

/**
 * Returns the part of an entry that answers a different question: the RRset itself, or a
 * DNAME above the name.
 */
function fromCache(entry: Entry, name: Name, type: number): Entry | undefined {
  const records = [...entry.answer, ...entry.authority];
  const set = records.filter((rr) => rr.type === type && rr.name.equals(name));
  const dname = records.filter(
    (rr) => rr.type === RRType.DNAME && name.isAtOrBelow(rr.name) && !name.equals(rr.name),
  );
  const found = set.length > 0 ? set : dname;
  const [first] = found;
  // A referral proves that there is no DS.
  const unsigned =
    type === RRType.DS &&
    entry.authority.some((rr) => rr.type === RRType.NS && rr.name.equals(name)) &&
    entry.authority.some((rr) => rr.type === RRType.NSEC || rr.type === RRType.NSEC3);
  if (!first)
    return unsigned
      ? {
          ...entry,
          reply: ['NOERROR'],
          match: [],
          answer: [],
          authority: entry.authority.filter((rr) => rr.type !== RRType.NS),
        }
      : undefined;
  const covers = (rr: ResourceRecord): number => ((rr.rdata[0] ?? 0) << 8) | (rr.rdata[1] ?? 0);
  const signatures = records.filter(
    (rr) => rr.type === RRType.RRSIG && rr.name.equals(first.name) && covers(rr) === first.type,
  );
  return {
    ...entry,
    reply: ['NOERROR'],
    match: [],
    answer: [...found, ...signatures],
    authority: [],
    additional: [],
  };
}

function hasEntry(scenario: Scenario, step: number, name: Name, type: number): boolean {
  return scenario.ranges.some(
    (r) =>
      r.from <= step &&
      step <= r.to &&
      r.entries.some((e) => matches(e, name, type) && !isReferral(e, type)),
  );
}

function matches(entry: Entry, name: Name, type: number): boolean {
  if (entry.raw) return false;
  const asked = entry.question && Name.parse(entry.question.name);
  if (!asked?.ok)
    return entry.match.length > 0 && !entry.match.some((word) => /^q(name|case)$/.test(word));
  if (entry.match.includes('qtype') && typeNumber(entry.question?.type ?? '') !== type)
    return false;
  const byName = entry.match.includes('qname') || entry.match.includes('qcase');
  if (byName && !asked.value.equals(name)) return false;
  if (entry.match.includes('subdomain') && !name.isAtOrBelow(asked.value)) return false;
  return byName || entry.match.includes('subdomain') || entry.match.includes('qtype');
}

function isReferral(entry: Entry, type: number): boolean {
  if (entry.answer.length > 0 || type === RRType.NS)
    return (
      entry.answer.length === 0 &&
      entry.authority.some((rr) => rr.type === RRType.NS) &&
      !entry.authority.some((rr) => rr.type === RRType.SOA)
    );
  return (
    entry.reply.includes('NOERROR') &&
    entry.authority.some((rr) => rr.type === RRType.NS) &&
    !entry.authority.some((rr) => rr.type === RRType.SOA)
  );
}

function aliasOf(
  reply: Message,
  name: Name,
): { to: Name; synthesised?: ResourceRecord } | undefined {
  const cname = reply.answers.find((rr) => rr.type === RRType.CNAME && rr.name.equals(name));
  const dname = reply.answers.find(
    (rr) => rr.type === RRType.DNAME && name.isAtOrBelow(rr.name) && !name.equals(rr.name),
  );
  const target = cname ? readTarget(cname) : dname ? readTarget(dname) : undefined;
  if (!target?.ok) return undefined;
  if (cname || !dname) return { to: target.value };
  const made = Name.fromLabels([
    ...name.labels.slice(0, name.labels.length - dname.name.labels.length),
    ...target.value.labels,
  ]);
  return made.ok
    ? { to: made.value, synthesised: makeRecord(name, RRType.CNAME, dname.ttl, made.value.wire) }
    : undefined;
}

function message(name: Name, type: number, entry: Entry | undefined): Message {
  const rcode = entry
    ? (entry.reply.map((word) => RCODES[word]).find((r) => r !== undefined) ?? 0)
    : 2;
  const own = entry?.match.includes('subdomain') === true && entry.adjust.includes('copy_query');
  return responseTo(name, type, {
    rcode,
    answers: (entry?.answer ?? []).map((rr) =>
      own && entry.question && Name.of(entry.question.name).equals(rr.name) ? { ...rr, name } : rr,
    ),
    authorities: entry?.authority ?? [],
    additionals: entry?.additional ?? [],
  });
}
