import { z } from 'zod';
import { fail, ok, type Result } from '../base/index.js';
import { acmeFailures } from './failures.js';
import type { OrderStore } from './stores.js';
import { parseJson, type AcmeFailure, type AcmeReply, type AcmeSession } from './session.js';
import type { AcmeSigner } from './jws.js';

export interface DesiredOrder {
  readonly directory: string;
  readonly host: string;
  readonly key: string;
  /** All that go into the certificate, the host first. */
  readonly names: readonly string[];
  /** Of the CA's own (draft-ietf-acme-profiles). */
  readonly profile?: string | undefined;
  /** The certificate that this one takes the place of (RFC 9773 §5). */
  readonly replaces?: string | undefined;
}

/**
 * Orders looked at when one may have been placed without our knowing its URL, and pages
 * of their list.
 */
const [MOST_LOOKED_AT, MOST_PAGES] = [100, 10];

/**
 * The URL of the order of a key: the one written down, else one that the CA has from a
 * request whose reply we never saw, else a new one. That an order is about to be placed
 * is written down before. [8555-7.4-1]
 *
 * RFC 8555 has no way to say that a newOrder is a repetition. Where accounts list their
 * orders (§7.1.2.1) the lost one is found there. Where they do not, as with Let's
 * Encrypt, asking again is all there is: a CA that gives the open order for the same
 * names back makes no second one, and any other is left with an order that nobody
 * finalizes and that ends by itself; its authorizations serve the new one where the CA
 * uses them again.
 */
export async function placeOrder(
  session: AcmeSession,
  book: OrderStore,
  signer: Required<AcmeSigner>,
  wish: DesiredOrder,
): Promise<Result<string, AcmeFailure>> {
  const { directory, host, key, names } = wish;
  const booked = book.order(host, key);
  // One at another CA, or for other names, is not what is wanted any longer.
  const open =
    booked?.directory === directory && sameNames(booked.names, names) ? booked : undefined;
  if (open?.url !== undefined) return ok(open.url);
  const lost = open && (await findLost(session, book, signer, names));
  if (!lost) book.saveOrder(host, key, { directory, names });
  const placed = lost ? ok(lost) : await order(session, signer, wish);
  if (placed.ok) book.saveOrder(host, key, { directory, names, url: placed.value });
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
  const ask = (old: string | undefined): Promise<Result<AcmeReply, AcmeFailure>> =>
    session.post(newOrder, signer, {
      identifiers: names.map((value) => ({ type: 'dns', value })),
      ...(profile === undefined ? {} : { profile }),
      ...(old === undefined ? {} : { replaces: old }),
    });
  const old = renewalInfo === undefined ? undefined : replaces;
  let placed = await ask(old);
  // [9773-5-1]
  if (!placed.ok && old !== undefined && mayBeReplaces(placed.failure))
    placed = await ask(undefined);
  if (!placed.ok) return placed;
  const { location } = placed.value;
  return location === undefined
    ? fail(acmeFailures.make('acme-unreachable', 'an order without URL'))
    : ok(location);
}

/**
 * Whether a refusal may be due to `replaces`. The field is optional (RFC 9773 §5), and
 * CAs refuse it in many ways: `alreadyReplaced`, `malformed`, a bare 404, an internal
 * error. A request to wait and an unknown account have another cause. Without a reply the
 * order may exist.
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
 * An order for these names that waits for us and that we know nothing of; CAs need not
 * list orders, and then there is none to be found.
 */
async function findLost(
  session: AcmeSession,
  book: OrderStore,
  signer: Required<AcmeSigner>,
  names: readonly string[],
): Promise<string | undefined> {
  const ask = async <T>(
    url: string | undefined,
    schema: z.ZodType<T>,
  ): Promise<(T & { readonly next?: string | undefined }) | undefined> => {
    const got = url === undefined ? undefined : await session.post(url, signer);
    const parsed = got?.ok ? parseJson(schema, got.value.body) : undefined;
    return parsed?.ok && got?.ok ? { ...parsed.value, next: got.value.next } : undefined;
  };
  const listed: string[] = [];
  let page = (await ask(signer.kid, accountSchema))?.orders;
  for (let n = 0; page !== undefined && n < MOST_PAGES; n++) {
    const part = await ask(page, listSchema);
    listed.push(...(part?.orders ?? []));
    page = part?.next;
  }
  for (const url of listed.filter((one) => !book.knows(one)).slice(-MOST_LOOKED_AT)) {
    const found = await ask(url, orderSchema);
    const waits = found?.status === 'pending' || found?.status === 'ready';
    if (
      waits &&
      sameNames(
        found.identifiers.map(({ value }) => value),
        names,
      )
    )
      return url;
  }
  return undefined;
}

/** Whatever the order: a CA may give them in any. [8555-7.4-3] */
function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return [...a].sort().join(' ') === [...b].sort().join(' ');
}
