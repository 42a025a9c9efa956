import { latin1, toHex } from '../base/index.js';
import { understood } from './algorithms-registry.js';
import {
  DerError,
  DerReader,
  readBits,
  readBoolean,
  readOid,
  readSmall,
  Tag,
} from './der-reader.js';
import type { Certificate, NameConstraints, NameSubtrees } from './types.js';

type Draft = { -readonly [K in keyof Certificate]?: Certificate[K] };

/** What extensions say, as fields of a certificate. */
export type ExtensionFields = Draft &
  Required<Pick<Draft, 'ca' | 'dnsNames' | 'nameKinds' | 'criticalUnknown'>>;

const MAX_EXTENSIONS = 100;
const MAX_NAMES = 5000;

/** Bits of keyUsage in their order (RFC 5280 §4.2.1.3). */
export const keyUsages = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;

/** Reads the Extensions of RFC 5280 §4.2; an extension that occurs twice makes the certificate malformed. */
export function readExtensions(reader: DerReader | undefined): ExtensionFields {
  const criticalUnknown: string[] = [];
  const fields: ExtensionFields = { ca: false, dnsNames: [], nameKinds: [], criticalUnknown };
  const seen = new Set<string>();
  while (reader && !reader.done) {
    const extension = reader.enter();
    const oid = readOid(extension.take(Tag.objectId).body);
    const critical = extension.optional(Tag.boolean);
    const value = extension.take(Tag.octetString).body;
    extension.end();
    if (seen.has(oid)) throw new DerError(`extension ${oid} twice`);
    if (seen.add(oid).size > MAX_EXTENSIONS) throw new DerError('too many extensions');
    if (critical && readBoolean(critical.body) && !understood.has(oid)) criticalUnknown.push(oid);
    readers[oid]?.(fields, new DerReader(value));
  }
  return fields;
}

const readers: Readonly<Record<string, (fields: ExtensionFields, reader: DerReader) => void>> = {
  '2.5.29.19': (fields, reader) => {
    const constraints = reader.enter();
    const ca = constraints.optional(Tag.boolean);
    const length = constraints.optional(Tag.integer);
    constraints.end();
    fields.ca = ca !== undefined && readBoolean(ca.body);
    if (length) fields.pathLength = readSmall(length.body);
  },
  '2.5.29.15': (fields, reader) => {
    const { bytes } = readBits(reader.take(Tag.bitString).body);
    fields.keyUsage = keyUsages.filter(
      (_, bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0,
    );
  },
  '2.5.29.37': (fields, reader) => {
    const list = reader.enter();
    const purposes: string[] = [];
    while (!list.done && purposes.length < MAX_EXTENSIONS)
      purposes.push(readOid(list.take(Tag.objectId).body));
    fields.extendedKeyUsage = purposes;
  },
  '2.5.29.17': (fields, reader) => {
    const list = reader.enter();
    const names: string[] = [];
    const kinds = new Set<number>();
    for (let count = 0; !list.done; count++) {
      if (count >= MAX_NAMES) throw new DerError('too many names');
      const { tag, body } = list.any();
      kinds.add(tag & 0x1f);
      if (tag === 0x82) names.push(latin1(body).toLowerCase());
    }
    fields.dnsNames = names;
    fields.nameKinds = [...kinds];
  },
  '2.5.29.35': (fields, reader) => {
    const id = reader.enter().optional(0x80);
    if (id) fields.authorityKeyId = toHex(id.body);
  },
  '2.5.29.30': (fields, reader) => {
    const constraints = reader.enter();
    const permitted = readSubtrees(constraints.optional(0xa0)?.body);
    const excluded = readSubtrees(constraints.optional(0xa1)?.body);
    constraints.end();
    fields.nameConstraints = { permitted, excluded } satisfies NameConstraints;
  },
};

function readSubtrees(body: Uint8Array | undefined): NameSubtrees {
  const list = new DerReader(body ?? new Uint8Array());
  const dns: string[] = [];
  const directory: Uint8Array[] = [];
  const kinds = new Set<number>();
  for (let count = 0; !list.done; count++) {
    if (count >= MAX_NAMES) throw new DerError('too many subtrees');
    const subtree = list.enter();
    const { tag, body: base } = subtree.any();
    subtree.end(); // RFC 5280 §4.2.1.10: minimum is zero and maximum absent
    kinds.add(tag & 0x1f);
    if (tag === 0x82) dns.push(latin1(base).toLowerCase().replace(/^\./, ''));
    if (tag === 0xa4) directory.push(new DerReader(base).take(Tag.sequence).body);
  }
  return { dns, directory, kinds: [...kinds] };
}
