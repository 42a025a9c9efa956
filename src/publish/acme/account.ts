import { fail, ok, type Result } from '../../base/index.js';
import type { KeyRing } from '../keys/key-ring.js';
import { publishFailures } from '../failures.js';
import type { AcmeBook } from './acme-book.js';
import type { AcmeFailure, AcmeSession } from './acme-session.js';
import { bindExternally, type AcmeSigner, type ExternalAccount } from './jws.js';
import { createHash } from 'node:crypto';

export interface AccountWish {
  readonly directory: string;
  /** `mailto:` URIs. */
  readonly contact: readonly string[];
  readonly external?: ExternalAccount | undefined;
}

/** Folder of the key ring for account keys; no host name begins so. */
const folder = '_acme';

/**
 * The account at a CA. Its key is in the ring, on disk, before the CA hears of it; asking for an account with a key that has one gives that one
 * (RFC 8555 §7.3), so a crash in between makes no second. [8555-7.3-1]
 */
export async function ensureAccount(
  session: AcmeSession,
  book: AcmeBook,
  ring: KeyRing,
  wish: AccountWish,
): Promise<Result<Required<AcmeSigner>, AcmeFailure>> {
  const name = createHash('sha256').update(wish.directory).digest('hex').slice(0, 16);
  ring.make(folder, name, 'ecdsa');
  const key = ring.privateKey(folder, name);
  const known = book.account(wish.directory);
  if (known !== undefined) return ok({ key, kid: known });
  const directory = await session.directory();
  if (!directory.ok) return directory;
  const { newAccount } = directory.value;
  const made = await session.post(
    newAccount,
    { key },
    {
      termsOfServiceAgreed: true,
      ...(wish.contact.length > 0 ? { contact: wish.contact } : {}),
      ...(wish.external ? { externalAccountBinding: bindExternally(wish.external, key, newAccount) } : {}),
    },
  );
  if (!made.ok) return made;
  const { location } = made.value;
  if (location === undefined) return fail(publishFailures.make('acme-unreachable', 'an account without URL'));
  book.saveAccount(wish.directory, location);
  return ok({ key, kid: location });
}
