import { latin1 } from '../base/index.js';
import { DerError, DerReader, readOid, Tag, type Element } from './der-reader.js';
import { readDirectoryName, type DirectoryName } from './directory-name.js';

/** The forms of GeneralName by their tag numbers (RFC 5280 §4.2.1.6). */
export const NameForm = {
  other: 0,
  email: 1,
  dns: 2,
  x400: 3,
  directory: 4,
  ediParty: 5,
  uri: 6,
  ip: 7,
  registeredId: 8,
} as const;

export type NameFormNumber = (typeof NameForm)[keyof typeof NameForm];

/**
 * A GeneralName. `text` holds e-mail, DNS and URI names as written; other forms are
 * octets.
 */
export type GeneralName =
  | { readonly form: 1 | 2 | 6; readonly text: string }
  | { readonly form: 4; readonly directory: DirectoryName }
  | { readonly form: 7; readonly octets: Uint8Array }
  | { readonly form: 0; readonly type: string }
  | { readonly form: 3 | 5 | 8 };

/** Constructed forms: otherName, x400Address, directoryName, ediPartyName. */
const constructed: readonly number[] = [0, 3, 4, 5];

/** Reads one GeneralName; throws a {@link DerError} for any other element. */
export function readGeneralName({ tag, body: bodyBytes }: Element): GeneralName {
  const form = tag & 0x1f;
  if (form > 8 || tag !== (0x80 | (constructed.includes(form) ? 0x20 : 0) | form))
    throw new DerError(`tag ${tag} is not that of a name`);
  switch (form) {
    case NameForm.email:
    case NameForm.dns:
    case NameForm.uri:
      return { form, text: latin1(bodyBytes) };
    case NameForm.directory: {
      const derReader = new DerReader(bodyBytes);
      const { whole } = derReader.take(Tag.sequence);
      derReader.end();
      return { form, directory: readDirectoryName(whole) };
    }
    case NameForm.ip:
      return { form, octets: bodyBytes };
    case NameForm.other:
      return { form, type: readOid(new DerReader(bodyBytes).take(Tag.objectId).body) };
    default:
      return { form: form as 3 | 5 | 8 };
  }
}
