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
  const sets = group(
    proof.grounds.flatMap((ground) => [...ground.answers, ...ground.authorities]).flatMap(read),
  );
  const zones = [
    ...new Map(
      sets.flatMap((signedSet) =>
        signedSet.signer ? [[signedSet.signer.key, signedSet.signer]] : [],
      ),
    ).values(),
  ].sort((left, right) => left.labels.length - right.labels.length);
  const lines: string[] = [];
  for (const zone of zones) {
    const depth = '  '.repeat(
      zones.filter((ancestor) => !ancestor.equals(zone) && zone.isAtOrBelow(ancestor)).length,
    );
    lines.push(`${depth}${zone.toString()}`);
    for (const set of sets.filter((signedSet) => signedSet.signer?.equals(zone)))
      lines.push(...layOut(set, `${depth}  `, width));
  }
  const unsigned = sets.filter((signedSet) => !signedSet.signer);
  if (unsigned.length > 0)
    lines.push('not signed', ...unsigned.flatMap((signedSet) => layOut(signedSet, '  ', width)));
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
  if (parsed.ok) return [parsed.value];
  return [];
}

/** Groups the records of a proof into RRsets and assigns the signatures. */
function group(records: readonly ResourceRecord[]): readonly SignedSet[] {
  const keys = new Map<string, ResourceRecord[]>();
  for (const record of records.filter((r) => r.type !== RRType.RRSIG)) {
    const key = `${record.name.key} ${record.type}`;
    const set = keys.get(key) ?? [];
    if (!set.some((known) => Buffer.compare(known.rdata, record.rdata) === 0)) set.push(record);
    keys.set(key, set);
  }
  const signatures = records.flatMap((record) => {
    const rrsig = record.type === RRType.RRSIG ? readRrsig(record) : undefined;
    if (rrsig?.ok) return [{ name: record.name, rrsig: rrsig.value }];
    return [];
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
  return sets.sort((left, right) => rank(left.type) - rank(right.type));
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

function keyText(record: ResourceRecord): string {
  const key = readDnskey(record);
  if (key.ok) return `${keyTag(record.rdata)} ${algorithmName(key.value.algorithm)}`;
  return '?';
}

function dsText(record: ResourceRecord): string {
  const ds = readDs(record);
  if (ds.ok) return `${ds.value.keyTag} digest ${ds.value.digestType}`;
  return '?';
}

function denialText(record: ResourceRecord): string {
  const types = (set: ReadonlySet<number>): string => [...set].map(typeName).join(' ') || 'nothing';
  if (record.type === RRType.NSEC) {
    const nsec = readNsec(record);
    if (nsec.ok)
      return `${record.name.toString()} has ${types(nsec.value.types)}; nothing from there to ${nsec.value.next.toString()}`;
    return 'NSEC ?';
  }
  const nsec3 = readNsec3(record);
  if (!nsec3.ok) return 'NSEC3 ?';
  const hash = Buffer.from(record.name.labels[0] ?? []).toString('latin1');
  const optOut = (nsec3.value.flags & 1) !== 0 ? ', opt-out' : '';
  return `hash ${hash.slice(0, 8)}… has ${types(nsec3.value.types)}; none from there to ${toBase32hex(nsec3.value.nextHash).slice(0, 8)}…${optOut}`;
}

function algorithmName(id: number): string {
  return standardAlgorithms.signatures.get(id)?.name ?? `algorithm ${id}`;
}
