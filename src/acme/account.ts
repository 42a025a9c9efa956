import { fail, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import {
  accountKeyName,
  type AccountKeys,
  type AccountStore,
  type BookedAccount,
} from './stores.js';
import type { AcmeFailure, AcmeSession } from './session.js';
import { askForKey, bindExternally, type AcmeSigner, type ExternalAccount } from './jws.js';

export interface DesiredAccount {
  readonly directory: string;
  /** `mailto:` URIs. */
  readonly contact: readonly string[];
  readonly external?: ExternalAccount | undefined;
}

/** Folder of the key ring for account keys; no host name begins so. */
const folder = '_acme';

type Signing = Promise<Result<Required<AcmeSigner>, AcmeFailure>>;

/**
 * The account at a CA. Its key is in the ring, on disk, before the CA hears of it; asking
 * for an account with a key that has one gives that one (RFC 8555 §7.3.1), so a crash in
 * between makes no second. [8555-7.3.1-1]
 */
export async function ensureAccount(
  session: AcmeSession,
  book: AccountStore,
  ring: AccountKeys,
  wish: DesiredAccount,
): Signing {
  const known = book.account(wish.directory);
  const name = known?.key ?? accountKeyName(wish.directory);
  ring.make(folder, name, 'ecdsa');
  const key = ring.privateKey(folder, name);
  if (known?.next !== undefined)
    return takeNextKey(session, book, ring, wish.directory, { ...known, next: known.next });
  if (known) return ok({ key, kid: known.url });
  const directory = await session.directory();
  if (!directory.ok) return directory;
  const { newAccount } = directory.value;
  const made = await session.post(
    newAccount,
    { key },
    {
      // A person agreed to them in the configuration. [8555-7.3-2]
      termsOfServiceAgreed: true,
      ...(wish.contact.length > 0 ? { contact: wish.contact } : {}),
      ...(wish.external
        ? { externalAccountBinding: bindExternally(wish.external, key, newAccount) }
        : {}),
    },
  );
  if (!made.ok) return made;
  const { location } = made.value;
  if (location === undefined)
    return fail(acmeFailures.make('acme-unreachable', 'an account without URL'));
  book.saveAccount(wish.directory, { url: location, key: name });
  return ok({ key, kid: location });
}

/**
 * Gives the account another key; the one before stays in the ring, of no use to anybody.
 * Nothing else of the account changes (RFC 8555 §7.3.5). [8555-7.3.5-1]
 */
export async function changeAccountKey(
  session: AcmeSession,
  book: AccountStore,
  ring: AccountKeys,
  wish: DesiredAccount,
): Signing {
  const signer = await ensureAccount(session, book, ring, wish);
  const known = book.account(wish.directory);
  if (!signer.ok || !known) return signer;
  const [base = '', n = '1'] = known.key.split('-');
  const next = `${base}-${Number(n) + 1}`;
  ring.make(folder, next, 'ecdsa');
  book.saveAccount(wish.directory, { ...known, next });
  return takeNextKey(session, book, ring, wish.directory, { ...known, next });
}

/**
 * Goes on wherever a change of keys stands: whether the CA has taken the next key
 * already, only it can say.
 */
async function takeNextKey(
  session: AcmeSession,
  book: AccountStore,
  ring: AccountKeys,
  directory: string,
  { url, key, next }: Required<BookedAccount>,
): Signing {
  const [old, fresh] = [ring.privateKey(folder, key), ring.privateKey(folder, next)];
  const found = await session.directory();
  if (!found.ok) return found;
  const { newAccount, keyChange } = found.value;
  const taken = await session.post(newAccount, { key: fresh }, { onlyReturnExisting: true });
  if (!taken.ok && taken.failure.problem !== 'accountDoesNotExist') return taken;
  if (!taken.ok) {
    const changed =
      keyChange === undefined
        ? fail<AcmeFailure>(acmeFailures.make('acme-refused', 'the CA has no resource keyChange'))
        : await session.post(
            keyChange,
            { key: old, kid: url },
            askForKey(fresh, { key: old, kid: url }, keyChange),
          );
    // What it refuses once it refuses always: the account goes on with the key it has.
    if (!changed.ok && changed.failure.code === 'acme-refused')
      book.saveAccount(directory, { url, key });
    if (!changed.ok) return changed;
  }
  book.saveAccount(directory, { url, key: next });
  return ok({ key: fresh, kid: url });
}
