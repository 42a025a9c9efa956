import { fail, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import {
  accountKeyName,
  type AccountKeys,
  type AccountStore,
  type AccountRecord,
} from './stores.js';
import type { AcmeFailure, AcmeSession } from './session.js';
import {
  keyChangeRequest,
  externalAccountBinding,
  type AcmeSigner,
  type ExternalAccount,
} from './jws.js';

/** The account that the configuration requires. */
export interface DesiredAccount {
  /** URL of the CA's directory. */
  readonly directory: string;
  /** `mailto:` URIs. [8555-7.3-1] */
  readonly contact: readonly string[];
  /** Key that binds the account to a customer of the CA (RFC 8555 §7.3.4). */
  readonly external?: ExternalAccount | undefined;
}

/** Folder of the key ring for account keys. No host name starts with an underscore. */
const KEY_FOLDER = '_acme';

type Signing = Promise<Result<Required<AcmeSigner>, AcmeFailure>>;

/**
 * Returns the account at a CA, and registers the account first if it does not exist. The
 * key of the account is on disk before the first request. The CA returns the existing
 * account for a newAccount request with a known key (RFC 8555 §7.3.1), so a crash before
 * the URL is saved creates no second account. [8555-7.3.1-1]
 */
export async function ensureAccount(
  session: AcmeSession,
  accountStore: AccountStore,
  ring: AccountKeys,
  desired: DesiredAccount,
): Signing {
  const known = accountStore.account(desired.directory);
  const keyName = known?.key ?? accountKeyName(desired.directory);
  ring.make(KEY_FOLDER, keyName, 'ecdsa');
  const key = ring.privateKey(KEY_FOLDER, keyName);
  if (known?.next !== undefined)
    return finishKeyChange({ session, store: accountStore, ring }, desired.directory, {
      ...known,
      next: known.next,
    });
  if (known) return ok({ key, kid: known.url });
  const directory = await session.directory();
  if (!directory.ok) return directory;
  const { newAccount } = directory.value;
  const { contact, external } = desired;
  const created = await session.post(
    newAccount,
    { key },
    {
      // The operator agreed to the terms in the configuration. [8555-7.3-2]
      termsOfServiceAgreed: true,
      contact: contact.length > 0 ? contact : undefined,
      externalAccountBinding: external && externalAccountBinding(external, key, newAccount),
    },
  );
  if (!created.ok) return created;
  const { location } = created.value;
  if (location === undefined)
    return fail(acmeFailures.make('acme-unreachable', 'an account without URL'));
  await accountStore.saveAccount(desired.directory, { url: location, key: keyName });
  return ok({ key, kid: location });
}

/**
 * Changes the key of an account (RFC 8555 §7.3.5). The old key stays in the ring, unused.
 * The rest of the account stays unchanged. [8555-7.3.5-1]
 */
export async function changeAccountKey(
  session: AcmeSession,
  accountStore: AccountStore,
  ring: AccountKeys,
  desired: DesiredAccount,
): Signing {
  const signer = await ensureAccount(session, accountStore, ring, desired);
  const known = accountStore.account(desired.directory);
  if (!signer.ok || !known) return signer;
  const [base = '', number = '1'] = known.key.split('-');
  const next = `${base}-${Number(number) + 1}`;
  ring.make(KEY_FOLDER, next, 'ecdsa');
  await accountStore.saveAccount(desired.directory, { ...known, next });
  return finishKeyChange({ session, store: accountStore, ring }, desired.directory, {
    ...known,
    next,
  });
}

interface KeyChangeContext {
  readonly session: AcmeSession;
  readonly store: AccountStore;
  readonly ring: AccountKeys;
}

/**
 * Continues an interrupted key change. Only the CA knows whether it has accepted the next
 * key, so the first request looks up the account of that key.
 */
async function finishKeyChange(
  { session, store, ring }: KeyChangeContext,
  directory: string,
  { url, key, next }: Required<AccountRecord>,
): Signing {
  const oldKey = ring.privateKey(KEY_FOLDER, key);
  const newKey = ring.privateKey(KEY_FOLDER, next);
  const found = await session.directory();
  if (!found.ok) return found;
  const { newAccount, keyChange } = found.value;
  const existing = await session.post(newAccount, { key: newKey }, { onlyReturnExisting: true });
  if (!existing.ok) {
    if (existing.failure.problem !== 'accountDoesNotExist') return existing;
    if (keyChange === undefined)
      return refuseKeyChange(store, directory, { url, key }, noKeyChange());
    const signer = { key: oldKey, kid: url };
    const payload = keyChangeRequest(newKey, signer, keyChange);
    const changed = await session.post(keyChange, signer, payload);
    if (!changed.ok) return refuseKeyChange(store, directory, { url, key }, changed.failure);
  }
  await store.saveAccount(directory, { url, key: next });
  return ok({ key: newKey, kid: url });
}

function noKeyChange(): AcmeFailure {
  return acmeFailures.make('acme-refused', 'the directory of the CA does not list keyChange');
}

/**
 * Saves the current key as the key of the account if the CA refused the change, and
 * returns the failure. A refusal by the CA is final.
 */
async function refuseKeyChange(
  accountStore: AccountStore,
  directory: string,
  account: AccountRecord,
  failure: AcmeFailure,
): Signing {
  if (failure.code === 'acme-refused') await accountStore.saveAccount(directory, account);
  return fail(failure);
}
