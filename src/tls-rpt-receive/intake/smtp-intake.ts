import type { SecureContext } from 'node:tls';
import { neutralise } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import { SmtpServer, type ServerReply, type SessionLimits } from '../../smtp/index.js';
import { reportFailures } from '../../tls-rpt/index.js';
import { bodyCollector } from './body-collector.js';
import type { Receipt, Receiver } from './receiver.js';

/** The recipients, names and limits of the SMTP intake. */
export interface SmtpIntakeOptions {
  readonly receiver: Receiver;
  /** Addresses that accept reports; every other recipient is refused. */
  readonly recipients: readonly string[];
  /** The host name in the greeting. */
  readonly name: string;
  /**
   * The certificate for STARTTLS. Without a certificate mail arrives in plaintext, which
   * RFC 8460 §5.3.1 allows for reports. With a certificate STARTTLS is offered but not
   * required [3207-4-3].
   */
  readonly secureContext?: SecureContext;
  /**
   * Maximum octets of one mail. Default 10 MB, the largest mail that the receiver reads.
   */
  readonly maxMail?: number;
  /**
   * Maximum octets of all large mails that are being read. Default: 24 MB, shared by all
   * intakes of the process.
   */
  readonly maxHeld?: number;
  readonly limits?: Partial<SessionLimits>;
  /**
   * Returns the time of a monotonic clock in milliseconds. Default: the clock of the
   * system.
   */
  readonly monotonic?: () => number;
}

/** A running SMTP intake for report mail. */
export interface SmtpIntake {
  serve(connection: Connection): void;
  /**
   * Ends the session on a connection with 421, because the port closes it to admit a new
   * one.
   */
  evict(connection: Connection): void;
  /**
   * Ends all sessions with 421: idle sessions at once, others after their current mail,
   * at most after ten seconds.
   */
  stop(): Promise<void>;
}

/**
 * Returns an intake that accepts report mail by SMTP (RFC 8460 §3). It offers no AUTH,
 * and neither relays nor sends mail. It refuses a message inside the session, so that no
 * bounce is needed.
 */
export function smtpIntake(options: SmtpIntakeOptions): SmtpIntake {
  const { receiver, name, secureContext, maxMail = 10_000_000, maxHeld, limits } = options;
  const collect = bodyCollector(maxHeld);
  const recipients = new Set(options.recipients.map((address) => address.toLowerCase()));
  const refuseSource = (code: 421 | 450, peer: string): ServerReply | undefined =>
    receiver.admits(peer) ? undefined : { code, text: '4.7.0 Too much from this address' };
  const take = async (
    bodyBytes: Buffer | 'too-large' | 'no-room',
    peer: string,
  ): Promise<ServerReply> => {
    if (bodyBytes === 'no-room') return { code: 452, text: '4.3.1 Too many messages at once' };
    if (bodyBytes !== 'too-large')
      return replyTo(await receiver.receive(bodyBytes, { via: 'mail', peer, name: 'mail' }));
    receiver.charge(peer, maxMail);
    return { code: 552, text: '5.3.4 The mail is too large' };
  };
  const smtpServer = new SmtpServer({
    name,
    maxMail,
    secureContext,
    limits,
    monotonic: options.monotonic ?? (() => performance.now()),
    onConnect: (peer) => refuseSource(421, peer),
    onSender: (peer) => refuseSource(450, peer),
    onRecipient: (address) =>
      recipients.has(address.toLowerCase())
        ? undefined
        : { code: 550, text: '5.1.1 No such recipient' },
    async onMail({ data, peer }) {
      let octets = 0;
      const counted = async function* (): AsyncGenerator<Uint8Array> {
        for await (const chunk of data) {
          octets += chunk.length;
          yield chunk;
        }
      };
      try {
        const use = (bodyBytes: Buffer | 'too-large' | 'no-room'): Promise<ServerReply> =>
          take(bodyBytes, peer);
        return await collect(counted(), { most: maxMail, use, drain: true });
      } catch (error) {
        // The client closed the connection early, but is still charged for the octets
        // that were read.
        receiver.charge(peer, octets);
        return { code: 451, text: `4.3.0 ${neutralise((error as Error).message, 100)}` };
      }
    },
  });
  return {
    serve: (connection) => smtpServer.serve(connection),
    evict: (connection) => smtpServer.evict(connection),
    stop: () => smtpServer.stop(),
  };
}

const noRoom = { code: 452, text: '4.3.1 Not stored: no space at present' };
const laterReplies = {
  store: noRoom,
  room: noRoom,
  busy: { code: 452, text: '4.3.1 Too many messages at once' },
  keys: { code: 451, text: '4.7.5 The DKIM key could not be looked up' },
  source: { code: 450, text: '4.7.0 Too much from this address' },
};

function replyTo(receipt: Receipt): ServerReply {
  switch (receipt.status) {
    case 'stored':
      return { code: 250, text: '2.0.0 Report stored' };
    case 'refused': {
      const message = reportFailures.find(receipt.failure.code)?.message ?? '';
      return { code: 550, text: `5.6.0 ${message} (${receipt.failure.code})` };
    }
    case 'later':
      return laterReplies[receipt.why];
  }
}
