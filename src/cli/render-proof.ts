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
 * Renders the chain of trust of an answer, as a tree: zone by zone from the anchor down,
 * each record with the tag of the key that signed it and the expiration of the signature.
 */
export function renderProof(proof: Proof, lineWidth = 80): string {
  const signedSets = group(
    proof.grounds.flatMap((ground) => [...ground.answers, ...ground.authorities]).flatMap(read),
  );
  const zones = [
    ...new Map(
      signedSets.flatMap((signedSet) =>
        signedSet.signer ? [[signedSet.signer.key, signedSet.signer]] : [],
      ),
    ).values(),
  ].sort((left, right) => left.labels.length - right.labels.length);
  const outputLines: string[] = [];
  for (const zoneName of zones) {
    const depth = '  '.repeat(
      zones.filter((ancestor) => !ancestor.equals(zoneName) && zoneName.isAtOrBelow(ancestor))
        .length,
    );
    outputLines.push(`${depth}${zoneName.toString()}`);
    for (const set of signedSets.filter((signedSet) => signedSet.signer?.equals(zoneName)))
      outputLines.push(...layOut(set, `${depth}  `, lineWidth));
  }
  const unsigned = signedSets.filter((signedSet) => !signedSet.signer);
  if (unsigned.length > 0)
    outputLines.push(
      'not signed',
      ...unsigned.flatMap((signedSet) => layOut(signedSet, '  ', lineWidth)),
    );
  return outputLines.map((textLine) => `${neutralise(textLine)}\n`).join('');
}

/**
 * Lays out a signed record set: the signature is on the line of the record if that line
 * has room, else below the record.
 */
function layOut({ lines, signed }: SignedSet, margin: string, lineWidth: number): string[] {
  return lines.flatMap((textLine) => {
    const whole = `${margin}${textLine}${signed && `  ${signed}`}`;
    if (whole.length <= lineWidth) return [whole];
    return [...textLine.split('; '), signed]
      .filter((part) => part !== '')
      .map((part, index) => `${margin}${index > 0 ? '    ' : ''}${part}`);
  });
}

/** An RRset of the proof with one of its signatures. */
interface SignedSet {
  readonly type: number;
  readonly lines: readonly string[];
  readonly signer: Name | undefined;
  /** The signature in words, `by 1234 until 2026-12-07`; empty without a signature. */
  readonly signed: string;
}

/**
 * Positions by record type: keys before the records they sign, delegations before data,
 * denials last.
 */
const ranks: ReadonlyMap<number, number> = new Map([
  [RRType.DNSKEY, 0],
  [RRType.DS, 1],
  [RRType.NSEC, 9],
  [RRType.NSEC3, 9],
]);
/** Returns the position of a type among the records of a zone. */
const rank = (recordType: number): number => ranks.get(recordType) ?? 5;

/** Reads a record from its line; a line that cannot be read is not shown. */
function read(textLine: string): ResourceRecord[] {
  const parsed = parseRecord(textLine);
  if (parsed.ok) return [parsed.value];
  return [];
}

/** Groups the records of a proof into RRsets and assigns the signatures. */
function group(records: readonly ResourceRecord[]): readonly SignedSet[] {
  const keys = new Map<string, ResourceRecord[]>();
  for (const resourceRecord of records.filter((r) => r.type !== RRType.RRSIG)) {
    const groupKey = `${resourceRecord.name.key} ${resourceRecord.type}`;
    const set = keys.get(groupKey) ?? [];
    if (!set.some((known) => Buffer.compare(known.rdata, resourceRecord.rdata) === 0))
      set.push(resourceRecord);
    keys.set(groupKey, set);
  }
  const signatures = records.flatMap((resourceRecord) => {
    const rrsig = resourceRecord.type === RRType.RRSIG ? readRrsig(resourceRecord) : undefined;
    if (rrsig?.ok) return [{ name: resourceRecord.name, rrsig: rrsig.value }];
    return [];
  });
  const signedSets = [...keys.values()].flatMap((set): SignedSet[] => {
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
  return signedSets.sort((left, right) => rank(left.type) - rank(right.type));
}

function recordTexts(
  domainName: Name,
  recordType: number,
  records: readonly ResourceRecord[],
): string[] {
  switch (recordType) {
    case RRType.DNSKEY:
      return [`DNSKEY ${records.map(keyText).join(', ')}`];
    case RRType.DS:
      return [`${domainName.toString()} DS ${records.map(dsText).join(', ')}`];
    case RRType.NSEC:
    case RRType.NSEC3:
      return records.map(denialText);
    default:
      return [`${domainName.toString()} ${typeName(recordType)}`];
  }
}

function keyText(resourceRecord: ResourceRecord): string {
  const key = readDnskey(resourceRecord);
  if (key.ok) return `${keyTag(resourceRecord.rdata)} ${algorithmName(key.value.algorithm)}`;
  return '?';
}

function dsText(resourceRecord: ResourceRecord): string {
  const ds = readDs(resourceRecord);
  if (ds.ok) return `${ds.value.keyTag} digest ${ds.value.digestType}`;
  return '?';
}

function denialText(resourceRecord: ResourceRecord): string {
  const types = (set: ReadonlySet<number>): string => [...set].map(typeName).join(' ') || 'nothing';
  if (resourceRecord.type === RRType.NSEC) {
    const nsec = readNsec(resourceRecord);
    if (nsec.ok)
      return `${resourceRecord.name.toString()} has ${types(nsec.value.types)}; no name exists from there to ${nsec.value.next.toString()}`;
    return 'NSEC ?';
  }
  const nsec3 = readNsec3(resourceRecord);
  if (!nsec3.ok) return 'NSEC3 ?';
  const hash = Buffer.from(resourceRecord.name.labels[0] ?? []).toString('latin1');
  const optOut = (nsec3.value.flags & 1) !== 0 ? ', opt-out' : '';
  return `hash ${hash.slice(0, 8)}… has ${types(nsec3.value.types)}; no hash exists from there to ${toBase32hex(nsec3.value.nextHash).slice(0, 8)}…${optOut}`;
}

function algorithmName(id: number): string {
  return standardAlgorithms.signatures.get(id)?.name ?? `algorithm ${id}`;
}
