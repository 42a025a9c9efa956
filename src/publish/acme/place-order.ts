import { z } from 'zod';
import { fail, ok, type Result } from '../../base/index.js';
import { publishFailures } from '../failures.js';
import type { AcmeBook } from './acme-book.js';
import { parseJson, type AcmeFailure, type AcmeReply, type AcmeSession } from './acme-session.js';
import type { AcmeSigner } from './jws.js';

export interface OrderWish {
  readonly directory: string;
  readonly host: string;
  readonly key: string;
  /** Of the CA's own (draft-ietf-acme-profiles). */
  readonly profile?: string | undefined;
  /** The certificate that this one takes the place of (RFC 9773 §5). */
  readonly replaces?: string | undefined;
}

/** Orders looked at when one may have been placed without our knowing its URL. */
const MOST_LOOKED_AT = 20;

/**
 * The URL of the order of a key: the one written down, else one that the CA has from a request whose reply we never saw, else a new one. That an order is
 * about to be placed is written down before. [8555-7.4-1]
 */
export async function placeOrder(
  session: AcmeSession,
  book: AcmeBook,
  signer: Required<AcmeSigner>,
  wish: OrderWish,
): Promise<Result<string, AcmeFailure>> {
  const { directory, host, key } = wish;
  const open = book.order(host, key);
  if (open?.url !== undefined && open.directory === directory) return ok(open.url);
  const lost = open?.directory === directory ? await findLost(session, book, signer, host) : undefined;
  if (!lost) book.saveOrder(host, key, { directory });
  const placed = lost ? ok(lost) : await order(session, signer, wish);
  if (placed.ok) book.saveOrder(host, key, { directory, url: placed.value });
  return placed;
}

async function order(
  session: AcmeSession,
  signer: Required<AcmeSigner>,
  { host, profile, replaces }: OrderWish,
): Promise<Result<string, AcmeFailure>> {
  const found = await session.directory();
  if (!found.ok) return found;
  const { newOrder, meta, renewalInfo } = found.value;
  if (profile !== undefined && meta?.profiles?.[profile] === undefined) {
    const offered = Object.keys(meta?.profiles ?? {}).join(', ') || 'none';
    return fail(publishFailures.make('acme-refused', `no profile ${profile}; the CA offers ${offered}`));
  }
  const ask = (old: string | undefined): Promise<Result<AcmeReply, AcmeFailure>> =>
    session.post(newOrder, signer, {
      identifiers: [{ type: 'dns', value: host }],
      ...(profile === undefined ? {} : { profile }),
      ...(old === undefined ? {} : { replaces: old }),
    });
  const old = renewalInfo === undefined ? undefined : replaces;
  let placed = await ask(old);
  // [9773-5-1]
  if (!placed.ok && old !== undefined && placed.failure.problem === 'alreadyReplaced') placed = await ask(undefined);
  if (!placed.ok) return placed;
  const { location } = placed.value;
  return location === undefined ? fail(publishFailures.make('acme-unreachable', 'an order without URL')) : ok(location);
}

const accountSchema = z.object({ orders: z.url().optional() });
const listSchema = z.object({ orders: z.array(z.url()) });
const orderSchema = z.object({ status: z.string(), identifiers: z.array(z.object({ type: z.string(), value: z.string() })) });

/** An order for this host alone that waits for us and that we know nothing of; CAs need not list orders, and then there is none to be found. */
async function findLost(session: AcmeSession, book: AcmeBook, signer: Required<AcmeSigner>, host: string): Promise<string | undefined> {
  const ask = async <T>(url: string | undefined, schema: z.ZodType<T>): Promise<T | undefined> => {
    const got = url === undefined ? undefined : await session.post(url, signer);
    const parsed = got?.ok ? parseJson(schema, got.value.body) : undefined;
    return parsed?.ok ? parsed.value : undefined;
  };
  const account = await ask(signer.kid, accountSchema);
  const listed = await ask(account?.orders, listSchema);
  for (const url of (listed?.orders ?? []).filter((one) => !book.knows(one)).slice(-MOST_LOOKED_AT)) {
    const found = await ask(url, orderSchema);
    const waits = found?.status === 'pending' || found?.status === 'ready';
    if (waits && found.identifiers.length === 1 && found.identifiers[0]?.value === host) return url;
  }
  return undefined;
}
