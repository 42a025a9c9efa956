import { type Name, neutralise } from '../base/index.js';
import {
  keyTag,
  parseRecord,
  readDs,
  readDnskey,
  readNsec,
  readNsec3,
  readRrsig,
  RRType,
  standardAlgorithms,
  toBase32hex,
  typeName,
  type Proof,
  type ResourceRecord,
} from '../dns/index.js';

/**
 * The chain of trust of an answer, as a tree: zone by zone from the anchor down, each
 * record with the tag of the key that signed it and the end of the signature.
 */
export function renderProof(proof: Proof, width = 80): string {
  const sets = group(proof.grounds.flatMap((g) => [...g.answers, ...g.authorities]).flatMap(read));
  const zones = [
    ...new Map(sets.flatMap((s) => (s.signer ? [[s.signer.key, s.signer]] : []))).values(),
  ].sort((a, b) => a.labels.length - b.labels.length);
  const lines: string[] = [];
  for (const zone of zones) {
    const depth = '  '.repeat(zones.filter((z) => !z.equals(zone) && zone.isAtOrBelow(z)).length);
    lines.push(`${depth}${zone.toString()}`);
    for (const set of sets.filter((s) => s.signer?.equals(zone)))
      lines.push(...layOut(set, `${depth}  `, width));
  }
  const unsigned = sets.filter((s) => !s.signer);
  if (unsigned.length > 0)
    lines.push('not signed', ...unsigned.flatMap((s) => layOut(s, '  ', width)));
  return lines.map((line) => `${neutralise(line)}\n`).join('');
}

/** The signature follows the record on its line where there is room, else below it. */
function layOut({ lines, signed }: SignedSet, margin: string, width: number): string[] {
  return lines.flatMap((line) => {
    const whole = `${margin}${line}${signed && `  ${signed}`}`;
    if (whole.length <= width) return [whole];
    return [...line.split('; '), signed]
      .filter((part) => part !== '')
      .map((part, i) => `${margin}${i > 0 ? '    ' : ''}${part}`);
  });
}

/** An RRset of the proof with one of its signatures. */
interface SignedSet {
  readonly type: number;
  readonly lines: readonly string[];
  readonly signer: Name | undefined;
  /** `by 1234 until 2026-12-07`, or nothing. */
  readonly signed: string;
}

/** Keys before the records they sign, delegations before data, denials last. */
const ranks: ReadonlyMap<number, number> = new Map([
  [RRType.DNSKEY, 0],
  [RRType.DS, 1],
  [RRType.NSEC, 9],
  [RRType.NSEC3, 9],
]);
/** Returns the position of a type among the records of a zone. */
const rank = (type: number): number => ranks.get(type) ?? 5;

/** Reads a record from its line; a line that cannot be read is not shown. */
function read(line: string): ResourceRecord[] {
  const parsed = parseRecord(line);
  return parsed.ok ? [parsed.value] : [];
}

/** Groups the records of a proof into RRsets and assigns the signatures. */
function group(records: readonly ResourceRecord[]): readonly SignedSet[] {
  const keys = new Map<string, ResourceRecord[]>();
  for (const rr of records.filter((r) => r.type !== RRType.RRSIG)) {
    const key = `${rr.name.key} ${rr.type}`;
    const set = keys.get(key) ?? [];
    if (!set.some((known) => Buffer.compare(known.rdata, rr.rdata) === 0)) set.push(rr);
    keys.set(key, set);
  }
  const signatures = records.flatMap((rr) => {
    const rrsig = rr.type === RRType.RRSIG ? readRrsig(rr) : undefined;
    return rrsig?.ok ? [{ name: rr.name, rrsig: rrsig.value }] : [];
  });
  const sets = [...keys.values()].flatMap((set): SignedSet[] => {
    const [first] = set;
    if (!first) return [];
    const by = signatures.find(
      ({ name, rrsig }) => name.equals(first.name) && rrsig.typeCovered === first.type,
    )?.rrsig;
    const signed = by
      ? `by ${by.keyTag} until ${new Date(by.expiration * 1000).toISOString().slice(0, 10)}`
      : '';
    return [
      {
        type: first.type,
        lines: recordTexts(first.name, first.type, set),
        signer: by?.signer,
        signed,
      },
    ];
  });
  return sets.sort((a, b) => rank(a.type) - rank(b.type));
}

function recordTexts(name: Name, type: number, records: readonly ResourceRecord[]): string[] {
  switch (type) {
    case RRType.DNSKEY:
      return [`DNSKEY ${records.map(keyText).join(', ')}`];
    case RRType.DS:
      return [`${name.toString()} DS ${records.map(dsText).join(', ')}`];
    case RRType.NSEC:
    case RRType.NSEC3:
      return records.map(denialText);
    default:
      return [`${name.toString()} ${typeName(type)}`];
  }
}

function keyText(rr: ResourceRecord): string {
  const key = readDnskey(rr);
  return key.ok ? `${keyTag(rr.rdata)} ${algorithmName(key.value.algorithm)}` : '?';
}

function dsText(rr: ResourceRecord): string {
  const ds = readDs(rr);
  return ds.ok ? `${ds.value.keyTag} digest ${ds.value.digestType}` : '?';
}

function denialText(rr: ResourceRecord): string {
  const types = (set: ReadonlySet<number>): string => [...set].map(typeName).join(' ') || 'nothing';
  if (rr.type === RRType.NSEC) {
    const nsec = readNsec(rr);
    return nsec.ok
      ? `${rr.name.toString()} has ${types(nsec.value.types)}; nothing from there to ${nsec.value.next.toString()}`
      : 'NSEC ?';
  }
  const nsec3 = readNsec3(rr);
  if (!nsec3.ok) return 'NSEC3 ?';
  const hash = Buffer.from(rr.name.labels[0] ?? []).toString('latin1');
  const optOut = (nsec3.value.flags & 1) !== 0 ? ', opt-out' : '';
  return `hash ${hash.slice(0, 8)}… has ${types(nsec3.value.types)}; none from there to ${toBase32hex(nsec3.value.nextHash).slice(0, 8)}…${optOut}`;
}

function algorithmName(id: number): string {
  return standardAlgorithms.signatures.get(id)?.name ?? `algorithm ${id}`;
}
