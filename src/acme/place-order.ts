import { z } from 'zod';
import { fail, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import type { OrderStore } from './stores.js';
import { parseJson, type AcmeFailure, type AcmeReply, type AcmeSession } from './session.js';
import type { AcmeSigner } from './jws.js';

/** The order that the client wants to exist for a key. */
export interface DesiredOrder {
  /** URL of the CA's directory. */
  readonly directory: string;
  readonly host: string;
  readonly key: string;
  /** All names of the certificate, the host first. */
  readonly names: readonly string[];
  /** A certificate profile of the CA (draft-ietf-acme-profiles). */
  readonly profile?: string | undefined;
  /**
   * ACME identifier (RFC 9773 §4.1) of the certificate that the new one replaces
   * (RFC 9773 §5).
   */
  readonly replaces?: string | undefined;
}

/**
 * Maximum orders and list pages to read when searching for an order with an unknown URL.
 */
const [MAX_ORDERS, MAX_PAGES] = [100, 10];

/**
 * Returns the URL of the order for a key: the saved order, the order of an earlier
 * request with a lost reply, or a new order. Saves the intention to place an order before
 * the request. [8555-7.4-1]
 *
 * RFC 8555 offers no marker for a repeated newOrder request. If the CA lists the orders
 * of an account (§7.1.2.1), the client finds the lost order in that list. If the CA does
 * not (Let's Encrypt), the client repeats the request. Many CAs then return the open
 * order for the same names. Other CAs create a second order. The first order expires
 * without a certificate, and the CA often reuses its authorizations for the second.
 */
export async function placeOrder(
  session: AcmeSession,
  orderStore: OrderStore,
  signer: Required<AcmeSigner>,
  desired: DesiredOrder,
): Promise<Result<string, AcmeFailure>> {
  const { directory, host, key, names } = desired;
  const saved = orderStore.order(host, key);
  // A saved order at another CA, or for other names, is no longer of use.
  const isDesired = saved?.directory === directory && sameNames(saved.names, names);
  const open = isDesired ? saved : undefined;
  if (open?.url !== undefined) return ok(open.url);
  const lost = open && (await findUnrecordedOrder(session, orderStore, signer, names));
  if (!lost) await orderStore.saveOrder(host, key, { directory, names });
  const placed = lost ? ok(lost) : await order(session, signer, desired);
  if (placed.ok) await orderStore.saveOrder(host, key, { directory, names, url: placed.value });
  return placed;
}

async function order(
  session: AcmeSession,
  signer: Required<AcmeSigner>,
  { names, profile, replaces }: DesiredOrder,
): Promise<Result<string, AcmeFailure>> {
  const found = await session.directory();
  if (!found.ok) return found;
  const { newOrder, meta, renewalInfo } = found.value;
  if (profile !== undefined && meta?.profiles?.[profile] === undefined) {
    const offered = Object.keys(meta?.profiles ?? {}).join(', ') || 'none';
    return fail(
      acmeFailures.make('acme-refused', `no profile ${profile}; the CA offers ${offered}`),
    );
  }
  const ask = (replaced: string | undefined): Promise<Result<AcmeReply, AcmeFailure>> =>
    session.post(newOrder, signer, {
      identifiers: names.map((value) => ({ type: 'dns', value })),
      profile,
      replaces: replaced,
    });
  const replaced = renewalInfo === undefined ? undefined : replaces;
  let placed = await ask(replaced);
  // [9773-5-1]
  if (!placed.ok && replaced !== undefined && mayBeReplaces(placed.failure))
    placed = await ask(undefined);
  if (!placed.ok) return placed;
  const { location } = placed.value;
  if (location === undefined)
    return fail(acmeFailures.make('acme-unreachable', 'an order without URL'));
  return ok(location);
}

/**
 * Returns whether the CA may have refused the request because of `replaces`. The field is
 * optional (RFC 9773 §5), and CAs refuse it in many ways: `alreadyReplaced`, `malformed`,
 * a bare 404, an internal error. A rate limit or an unknown account is a different cause.
 * Without a reply, the CA may have created the order, so the client does not repeat the
 * request.
 */
function mayBeReplaces({ code, problem, replied }: AcmeFailure): boolean {
  return replied === true && code !== 'acme-limited' && problem !== 'accountDoesNotExist';
}

const accountSchema = z.object({ orders: z.url().optional() });
const listSchema = z.object({ orders: z.array(z.url()) });
const orderSchema = z.object({
  status: z.string(),
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
});

/**
 * Finds an open order for these names that is missing from the store. A CA need not list
 * orders (§7.1.2.1); without a list the client finds none.
 */
async function findUnrecordedOrder(
  session: AcmeSession,
  orderStore: OrderStore,
  signer: Required<AcmeSigner>,
  domainNames: readonly string[],
): Promise<string | undefined> {
  const ask = async <T>(
    url: string | undefined,
    schema: z.ZodType<T>,
  ): Promise<(T & { readonly next?: string | undefined }) | undefined> => {
    const response = url === undefined ? undefined : await session.post(url, signer);
    const parsed = response?.ok ? parseJson(schema, response.value.body) : undefined;
    return parsed?.ok && response?.ok ? { ...parsed.value, next: response.value.next } : undefined;
  };
  const listed: string[] = [];
  let page = (await ask(signer.kid, accountSchema))?.orders;
  for (let count = 0; page !== undefined && count < MAX_PAGES; count++) {
    const part = await ask(page, listSchema);
    listed.push(...(part?.orders ?? []));
    page = part?.next;
  }
  for (const url of listed.filter((known) => !orderStore.hasOrder(known)).slice(-MAX_ORDERS)) {
    const found = await ask(url, orderSchema);
    if (found?.status !== 'pending' && found?.status !== 'ready') continue;
    const ordered = found.identifiers.map(({ value }) => value);
    if (sameNames(ordered, domainNames)) return url;
  }
  return undefined;
}

/**
 * Returns whether two lists contain the same names. A CA may reorder the names.
 * [8555-7.4-3]
 */
function sameNames(left: readonly string[], right: readonly string[]): boolean {
  return [...left].sort().join(' ') === [...right].sort().join(' ');
}
