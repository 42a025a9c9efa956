import { toHex } from '../base/index.js';
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
import { NameForm, readGeneralName, type GeneralName } from './general-name.js';
import type { Certificate, PolicyLimits, PolicyMapping } from './types.js';

type Draft = { -readonly [K in keyof Certificate]?: Certificate[K] };

/** The extensions as fields of a certificate. */
export type ExtensionFields = Draft &
  Required<
    Pick<
      Draft,
      | 'ca'
      | 'dnsNames'
      | 'altNames'
      | 'policyMappings'
      | 'policyLimits'
      | 'criticalUnknown'
      | 'defects'
    >
  >;

/** Maximum extensions of one certificate; genuine certificates have about ten. */
const MAX_EXTENSIONS = 100;
/** Maximum entries of one list, such as the names of a certificate. */
const MAX_ENTRIES = 5000;

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

/**
 * Reads the Extensions of RFC 5280 §4.2. An extension that cannot be read or occurs twice
 * is a defect: the key of the certificate can still match for DANE-EE (RFC 7671 §5.1),
 * but no path may use the certificate.
 */
export function readExtensions(
  derReader: DerReader | undefined,
  hasSubject: boolean,
): ExtensionFields {
  const criticalUnknown: string[] = [];
  const defects: string[] = [];
  const extensionFields: ExtensionFields = {
    ca: false,
    dnsNames: [],
    altNames: [],
    policyMappings: [],
    policyLimits: {},
    criticalUnknown,
    defects,
  };
  const seen = new Set<string>();
  let count = 0;
  while (derReader && !derReader.done) {
    const extension = derReader.enter();
    const objectId = readOid(extension.take(Tag.objectId).body);
    const criticalField = extension.optional(Tag.boolean);
    const critical = criticalField !== undefined && readBoolean(criticalField.body);
    const value = extension.take(Tag.octetString).body;
    extension.end();
    if (++count > MAX_EXTENSIONS) throw new DerError('too many extensions');
    if (seen.has(objectId)) defects.push(`extension ${objectId} twice`);
    seen.add(objectId);
    if (critical && !understood.has(objectId)) criticalUnknown.push(objectId);
    try {
      readExtension(objectId, value, { fields: extensionFields, critical, hasSubject });
    } catch (error) {
      if (!(error instanceof DerError)) throw error;
      defects.push(`extension ${objectId}: ${error.message}`);
    }
  }
  return extensionFields;
}

/** The fields that an extension sets, and the context for reading it. */
interface Target {
  readonly fields: ExtensionFields;
  readonly critical: boolean;
  /** False for a certificate with an empty subject. */
  readonly hasSubject: boolean;
}

/** Reads the value of a known extension; trailing octets are an error. */
function readExtension(objectId: string, value: Uint8Array, target: Target): void {
  const read = readers[objectId];
  if (!read) return;
  const derReader = new DerReader(value);
  read(target.fields, derReader, target);
  derReader.end();
}

/**
 * A function that reads the value of one extension into the fields of the certificate.
 */
type Read = (extensionFields: ExtensionFields, derReader: DerReader, target: Target) => void;

/**
 * The readers by object identifier (RFC 5280 §4.2.1).
 *
 *   OID         extension              value
 *   2.5.29.14   subjectKeyIdentifier   OCTET STRING
 *   2.5.29.15   keyUsage               BIT STRING, bit 0 first
 *   2.5.29.17   subjectAltName         SEQUENCE OF GeneralName
 *   2.5.29.19   basicConstraints       cA DEFAULT FALSE, pathLenConstraint
 *   2.5.29.30   nameConstraints        [0] permitted, [1] excluded subtrees
 *   2.5.29.32   certificatePolicies    SEQUENCE OF policy with qualifiers
 *   2.5.29.33   policyMappings         SEQUENCE OF issuer and subject policy
 *   2.5.29.35   authorityKeyIdentifier [0] keyIdentifier, [1] issuer, [2] serial number
 *   2.5.29.36   policyConstraints      [0] requireExplicitPolicy, [1] inhibitPolicyMapping
 *   2.5.29.37   extKeyUsage            SEQUENCE OF purpose
 *   2.5.29.54   inhibitAnyPolicy       INTEGER
 */
const readers: Readonly<Record<string, Read>> = {
  '2.5.29.19': (extensionFields, derReader) => {
    const constraints = derReader.enter();
    const element = constraints.optional(Tag.boolean);
    const length = constraints.optional(Tag.integer);
    constraints.end();
    extensionFields.ca = element !== undefined && readBoolean(element.body);
    if (length) extensionFields.pathLength = readSmall(length.body);
  },
  '2.5.29.15': (extensionFields, derReader) => {
    const { bytes } = readBits(derReader.take(Tag.bitString).body);
    extensionFields.keyUsage = keyUsages.filter(
      (_, bit) => (((bytes[bit >> 3] ?? 0) << (bit & 7)) & 0x80) !== 0,
    );
  },
  '2.5.29.37': (extensionFields, derReader) => {
    extensionFields.extendedKeyUsage = readList(derReader.enter(), (list) =>
      readOid(list.take(Tag.objectId).body),
    );
  },
  '2.5.29.17': (extensionFields, derReader, { critical, hasSubject }) => {
    const generalNames = readList(derReader.enter(), (list) => readGeneralName(list.any()));
    for (const generalName of generalNames)
      if (
        generalName.form === NameForm.ip &&
        generalName.octets.length !== 4 &&
        generalName.octets.length !== 16
      )
        throw new DerError(`iPAddress of ${generalName.octets.length} octets`);
    extensionFields.altNames = generalNames;
    extensionFields.dnsNames = generalNames.flatMap((generalName) => {
      if (generalName.form === NameForm.dns) return [generalName.text.toLowerCase()];
      return [];
    });
    // [5280-4.2.1.6-1]
    if (!critical && !hasSubject) throw new DerError('not critical beside an empty subject');
  },
  '2.5.29.14': (_, derReader) => {
    derReader.take(Tag.octetString);
  },
  '2.5.29.35': (extensionFields, derReader) => {
    const identifier = derReader.enter();
    const id = identifier.optional(0x80);
    identifier.optional(0xa1); // authorityCertIssuer
    identifier.optional(0x82); // authorityCertSerialNumber
    identifier.end();
    if (id) extensionFields.authorityKeyId = toHex(id.body);
  },
  '2.5.29.30': (extensionFields, derReader) => {
    const constraints = derReader.enter();
    const permitted = readSubtrees(constraints.optional(0xa0));
    const excluded = readSubtrees(constraints.optional(0xa1));
    constraints.end();
    if (permitted.length + excluded.length === 0) throw new DerError('no constraint');
    extensionFields.nameConstraints = { permitted, excluded };
  },
  '2.5.29.32': readPolicies,
  '2.5.29.33': (extensionFields, derReader) => {
    extensionFields.policyMappings = readList(derReader.enter(), (list): PolicyMapping => {
      const pair = list.enter();
      const [issuer, subject] = [pair.take(Tag.objectId), pair.take(Tag.objectId)];
      pair.end();
      return { issuer: readOid(issuer.body), subject: readOid(subject.body) };
    });
  },
  '2.5.29.36': (extensionFields, derReader) => {
    const constraints = derReader.enter();
    const [explicitPolicy, mapping] = [constraints.optional(0x80), constraints.optional(0x81)];
    constraints.end();
    if (!explicitPolicy && !mapping) throw new DerError('no constraint');
    extensionFields.policyLimits = {
      ...extensionFields.policyLimits,
      explicitPolicy: explicitPolicy && readSmall(explicitPolicy.body),
      mapping: mapping && readSmall(mapping.body),
    } satisfies PolicyLimits;
  },
  '2.5.29.54': (extensionFields, derReader) => {
    const anyPolicy = readSmall(derReader.take(Tag.integer).body);
    extensionFields.policyLimits = { ...extensionFields.policyLimits, anyPolicy };
  },
};

const knownQualifiers: ReadonlySet<string> = new Set([
  '1.3.6.1.5.5.7.2.1', // CPS pointer
  '1.3.6.1.5.5.7.2.2', // user notice
]);

/**
 * Reads the policies. A critical extension with a qualifier that is not understood counts
 * as unknown (RFC 5280 §4.2.1.4 [5280-4.2.1.4-1]).
 */
function readPolicies(
  extensionFields: ExtensionFields,
  derReader: DerReader,
  { critical }: Target,
): void {
  const policies = readList(derReader.enter(), (list) => {
    const information = list.enter();
    const policy = readOid(information.take(Tag.objectId).body);
    const qualifiers = information.optional(Tag.sequence);
    information.end();
    const types = qualifiers && readList(new DerReader(qualifiers.body), readQualifier);
    if (critical && types?.some((type) => !knownQualifiers.has(type)))
      extensionFields.criticalUnknown = [...extensionFields.criticalUnknown, '2.5.29.32'];
    return policy;
  });
  if (new Set(policies).size < policies.length) throw new DerError('a policy twice');
  extensionFields.policies = policies;
}

/** Reads the type of a policy qualifier; its value is not used. */
function readQualifier(list: DerReader): string {
  const qualifier = list.enter();
  const type = readOid(qualifier.take(Tag.objectId).body);
  qualifier.any();
  qualifier.end();
  return type;
}

/** Returns a list of one to {@link MAX_ENTRIES} entries. */
function readList<T>(list: DerReader, read: (list: DerReader) => T): T[] {
  const entries: T[] = [];
  while (!list.done) {
    if (entries.length >= MAX_ENTRIES) throw new DerError('too many entries');
    entries.push(read(list));
  }
  if (entries.length === 0) throw new DerError('empty list');
  return entries;
}

/** Reads the bases of GeneralSubtrees. */
function readSubtrees(field: { readonly body: Uint8Array } | undefined): readonly GeneralName[] {
  if (!field) return [];
  return readList(new DerReader(field.body), (list) => {
    const subtree = list.enter();
    const generalName = readGeneralName(subtree.any());
    subtree.end(); // RFC 5280 §4.2.1.10: minimum is zero and maximum absent
    return generalName;
  });
}
