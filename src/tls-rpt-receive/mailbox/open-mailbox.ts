import type { Duplex } from 'node:stream';
import { fail, Name, ok, type Clock, type Failure, type Result } from '../../base/index.js';
import { lookupAddresses, type Resolver } from '../../dns/index.js';
import type { Connection, Network } from '../../net/index.js';
import { authenticate } from '../../tls/index.js';
import type { TrustStore } from '../../x509/index.js';
import type { ImapFlow, ImapTransportSocket } from 'imapflow';
import { intakeFailures } from '../failures.js';
import type { FetchedMail, MailEntry, ReportMailbox } from './mailbox.js';

/** A password, or an access token of OAuth 2.0 (RFC 7628). */
export type MailboxSecret = { readonly password: string } | { readonly accessToken: string };

/** The server, the account and the folder of a mailbox. */
export interface MailboxAddress {
  /** The name of the server, which its certificate must contain. */
  readonly server: string;
  /** The address to which the client connects, instead of the addresses in DNS. */
  readonly address?: string | undefined;
  readonly port: number;
  readonly user: string;
  readonly folder: string;
  /** The folder to which mails are moved; it is created if it does not exist. */
  readonly moveTo?: string | undefined;
  /**
   * Whether to open the folder for reading only, so that the server changes no flag and
   * no mail.
   */
  readonly readOnly: boolean;
}

/** The network, resolver and trust store for a connection to a mailbox. */
export interface MailboxNetwork {
  /**
   * A network that refuses private addresses, since DNS chooses the addresses of the
   * server.
   */
  readonly network: Network;
  /** The network for an address that the configuration contains. */
  readonly localNetwork: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const DIAL_TIMEOUT = 15_000;
const GREETING_TIMEOUT = 30_000;
/** Milliseconds without an octet after which a command counts as failed. */
const SILENCE_TIMEOUT = 120_000;
/**
 * Milliseconds after which IDLE is renewed: shorter than the connection timeouts of home
 * routers.
 */
const IDLE_RENEWAL = 240_000;
/** Milliseconds after the last command until IDLE begins. */
const IDLE_DELAY = 500;
const MAX_RESPONSE = 32 * 1024 * 1024;
const MAX_LITERAL = 16 * 1024 * 1024;

/**
 * Opens a folder with TLS from the first octet (RFC 8314 §3.2). Sends the secret only
 * after the server presented a certificate of a trusted CA for its name. STARTTLS on port
 * 143 is not supported, since an on-path attacker can strip it.
 */
export async function openMailbox(
  at: MailboxAddress,
  secret: MailboxSecret,
  surroundings: MailboxNetwork,
): Promise<Result<ReportMailbox>> {
  const secured = await dialSecurely(at, surroundings);
  if (!secured.ok) return secured;
  const client = await createClient(at, secret, secured.value);
  try {
    await client.connect();
    if (at.moveTo !== undefined) await client.mailboxCreate(at.moveTo).catch(ignoreRefusal);
    const { uidValidity } = await client.mailboxOpen(at.folder, { readOnly: at.readOnly });
    if (!at.readOnly && !canRemove(client, at))
      return closing(client, intakeFailures.make('mailbox-cannot-remove', at.server));
    return ok(new ImapMailbox(client, at, String(uidValidity)));
  } catch (error) {
    return closing(client, failureOf(error as ImapError, at));
  }
}

function closing(client: ImapFlow, failure: Failure): Result<never> {
  client.close();
  return fail(failure);
}

/**
 * Connects to one address after the other until TLS is established. An invalid
 * certificate ends the attempts.
 */
async function dialSecurely(
  at: MailboxAddress,
  { network, localNetwork, resolver, trustStore, clock, signal }: MailboxNetwork,
): Promise<Result<Connection>> {
  const addresses =
    at.address === undefined ? await addressesOf(at.server, resolver) : [at.address];
  let failure = intakeFailures.make('mailbox-unreachable', `${at.server}: no address`);
  for (const address of addresses) {
    const dialler = at.address === undefined ? network : localNetwork;
    const timeoutMs = DIAL_TIMEOUT;
    const dialled = await dialler.dial({ address, port: at.port, timeoutMs, signal });
    if (!dialled.ok) {
      const { code, detail } = dialled.failure;
      failure = intakeFailures.make('mailbox-unreachable', `${address}: ${code} (${detail})`);
      continue;
    }
    const secured = await authenticate({
      connection: dialled.connection,
      serverName: at.server,
      anchors: trustStore,
      validationTime: clock.now(),
      timeoutMs,
      signal,
    });
    if (secured.ok) return ok(secured.value.connection);
    const { code, detail } = secured.failure;
    failure = intakeFailures.make('mailbox-not-authenticated', `${address}: ${code} ${detail}`);
    if (code.startsWith('tls-certificate-')) break;
  }
  return fail(failure);
}

async function addressesOf(server: string, resolver: Resolver): Promise<readonly string[]> {
  const name = Name.parse(server);
  if (!name.ok) return [];
  const { v4, v6 } = await lookupAddresses(resolver, name.value);
  return [...v4, ...v6];
}

/** Creates the IMAP client. The library is loaded when the first mailbox is opened. */
async function createClient(
  { server, port, user }: MailboxAddress,
  secret: MailboxSecret,
  { stream, close }: Connection,
): Promise<ImapFlow> {
  const imap = await import('imapflow');
  const client = new imap.ImapFlow({
    host: server,
    port,
    secure: true,
    auth: 'password' in secret ? { user, pass: secret.password } : { user, ...secret },
    // The connection is already open and the server authenticated, so the library need
    // not open a socket.
    transport: {
      connect(_options, onConnect) {
        setImmediate(onConnect);
        return asTransport(stream);
      },
    },
    clientInfo: { name: 'hermetic' },
    logger: false,
    disableCompression: true,
    autoIdleDelay: IDLE_DELAY,
    maxIdleTime: IDLE_RENEWAL,
    greetingTimeout: GREETING_TIMEOUT,
    socketTimeout: SILENCE_TIMEOUT,
    maxLineLength: MAX_LITERAL,
    maxLiteralSize: MAX_LITERAL,
    maxResponseSize: MAX_RESPONSE,
  });
  // A failed command rejects its own promise. An error event without a listener would end
  // the process.
  client.on('error', close);
  client.on('close', close);
  return client;
}

/**
 * Returns the stream with the socket type of the library. A TLS stream has the timeout
 * methods that the library calls.
 */
function asTransport(stream: Duplex): ImapTransportSocket {
  return stream as ImapTransportSocket;
}

/**
 * Returns whether single mails can be removed. Without MOVE (RFC 6851) and UIDPLUS (RFC
 * 4315), an EXPUNGE also removes mails that another program has marked as deleted.
 */
function canRemove({ capabilities }: ImapFlow, { moveTo }: MailboxAddress): boolean {
  if (capabilities.has('UIDPLUS') || capabilities.has('IMAP4REV2')) return true;
  return moveTo !== undefined && capabilities.has('MOVE');
}

/**
 * Ignores that the server refuses to create a folder, because the folder usually exists
 * already. If it does not, the first MOVE will fail.
 */
function ignoreRefusal(error: ImapError): void {
  if (error.responseStatus !== 'NO') throw error;
}

/** Properties of the errors that imapflow throws. */
interface ImapError extends Error {
  readonly code?: string;
  readonly authenticationFailed?: boolean;
  readonly mailboxMissing?: boolean;
  readonly responseStatus?: string;
  readonly responseText?: string;
}

function failureOf(error: ImapError, { server, user, folder }: MailboxAddress): Failure {
  const says = error.responseText ?? error.message;
  if (error.authenticationFailed)
    return intakeFailures.make('mailbox-login-refused', `${user}: ${says}`);
  if (error.mailboxMissing) return intakeFailures.make('mailbox-folder-missing', folder);
  return intakeFailures.make('mailbox-connection-lost', `${server}: ${error.code ?? ''} ${says}`);
}

class ImapMailbox implements ReportMailbox {
  readonly #client: ImapFlow;
  readonly #at: MailboxAddress;
  /** Whether the server has announced a mail since the last `list`. */
  #announced = false;
  #wake: () => void = () => undefined;

  constructor(
    client: ImapFlow,
    at: MailboxAddress,
    readonly uidValidity: string,
  ) {
    this.#client = client;
    this.#at = at;
    client.on('exists', ({ count, prevCount }: { count: number; prevCount: number }) => {
      if (count <= prevCount) return;
      this.#announced = true;
      this.#wake();
    });
    client.on('close', () => this.#wake());
  }

  list(fromUid: number): Promise<Result<readonly number[]>> {
    return this.#run(async () => {
      this.#announced = false;
      const found = await this.#client.search({ uid: `${fromUid}:*` }, { uid: true });
      if (!found) throw new Error('SEARCH failed');
      // `n:*` names the last mail even if its UID is lower (RFC 9051 §9, seq-range).
      return found.filter((uid) => uid >= fromUid).sort((left, right) => left - right);
    });
  }

  describe(uids: readonly number[]): Promise<Result<readonly MailEntry[]>> {
    return this.#run(async () => {
      const query = { uid: true, size: true, internalDate: true };
      const mails = await this.#client.fetchAll(rangeOf(uids), query, { uid: true });
      return mails.map(({ uid, size = 0, internalDate }) => ({
        uid,
        size,
        arrivedAt: new Date(internalDate ?? NaN).getTime(),
      }));
    });
  }

  fetch(uids: readonly number[], maxOctets: number): Promise<Result<readonly FetchedMail[]>> {
    return this.#run(async () => {
      const source = { start: 0, maxLength: maxOctets + 1 };
      const mails = await this.#client.fetchAll(
        rangeOf(uids),
        { uid: true, source },
        { uid: true },
      );
      return mails.map(({ uid, source: text }) => ({
        uid,
        text: text && text.length <= maxOctets ? text : undefined,
      }));
    });
  }

  remove(uids: readonly number[], moveTo: string | undefined): Promise<Result<undefined>> {
    return this.#run(async () => {
      const range = rangeOf(uids);
      const isDone =
        moveTo === undefined
          ? await this.#client.messageDelete(range, { uid: true })
          : await this.#client.messageMove(range, moveTo, { uid: true });
      if (!isDone) throw new Error(moveTo === undefined ? 'EXPUNGE failed' : 'MOVE failed');
      return undefined;
    });
  }

  async untilMail(abortSignal: AbortSignal): Promise<void> {
    if (abortSignal.aborted || this.#announced || !this.#client.usable) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      abortSignal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  close(): void {
    this.#client.close();
  }

  async #run<T>(work: () => Promise<T>): Promise<Result<T>> {
    try {
      return ok(await work());
    } catch (error) {
      return fail(failureOf(error as ImapError, this.#at));
    }
  }
}

/** Formats UIDs as a sequence set, with consecutive UIDs as ranges. */
function rangeOf(uids: readonly number[]): string {
  const ranges: string[] = [];
  for (let first = 0; first < uids.length;) {
    let last = first;
    while (uids[last + 1] === (uids[last] ?? 0) + 1) last++;
    ranges.push(last === first ? `${uids[first]}` : `${uids[first]}:${uids[last]}`);
    first = last + 1;
  }
  return ranges.join(',');
}
