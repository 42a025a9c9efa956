import { HermeticError } from '../../../base/index.js';
import type { DeliveryOutcome } from '../../../evidence/index.js';
import type { Delivery, Mail } from '../../deliver.js';
import { createSender, type Sender } from '../../sender.js';
import type { SenderOptions } from '../../context.js';

/** The part of nodemailer's message object that the transport uses. */
export interface ComposedMail {
  readonly data: { readonly envelope?: unknown };
  readonly message: {
    getEnvelope(): { readonly from: string | false; readonly to: string[] };
    messageId(): string;
    createReadStream(): AsyncIterable<unknown>;
  };
}

/** The transport object that nodemailer's `createTransport` accepts. */
export interface DirectTransport {
  readonly name: string;
  readonly version: string;
  send(
    composedMail: ComposedMail,
    done: (error: Error | null, directInfo: DirectInfo) => void,
  ): void;
}

/** Options of the transport, and of the sender that it uses. */
export interface DirectTransportOptions extends SenderOptions {
  /** An existing sender, whose caches the transport shares. Default: a new sender. */
  readonly sender?: Sender;
}

/** The result to which `sendMail` resolves. */
export interface DirectInfo {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly messageId: string;
  readonly accepted: readonly string[];
  /** Recipients that were refused permanently. */
  readonly rejected: readonly string[];
  /**
   * Deferred recipients. The caller sends the message to these recipients again later.
   */
  readonly pending: readonly string[];
  /** One outcome for each domain, with the reason for each result. */
  readonly outcomes: readonly DeliveryOutcome[];
}

/**
 * Maximum octets of a message. nodemailer streams a message, but the transport holds it
 * in memory.
 */
const MAX_MESSAGE = 100 * 1024 * 1024;

/**
 * Returns a transport for nodemailer that delivers directly to the MX hosts of each
 * recipient and enforces the policies of the domains. nodemailer composes and signs the
 * message; its SMTP client is not used. The message option `requireTLSExtensionEnabled`
 * requests REQUIRETLS (RFC 8689).
 *
 * @throws `sendMail` rejects with a HermeticError `send-failed` when no recipient was
 * accepted; `cause` is the {@link Delivery}.
 */
export function directTransport(options: DirectTransportOptions = {}): DirectTransport {
  const { sender = createSender(options) } = options;
  return {
    name: 'hermetic',
    version: '1',
    send(composedMail, done) {
      deliver(sender, composedMail).then(
        (directInfo) => done(null, directInfo),
        (error: unknown) => done(error as Error, undefined as never),
      );
    },
  };
}

async function deliver(sender: Sender, composedMail: ComposedMail): Promise<DirectInfo> {
  const { from, to } = composedMail.message.getEnvelope();
  const order: Mail = {
    from: from || '',
    to,
    message: await bytesOf(composedMail),
    requireTls: (composedMail.data.envelope as { requireTLSExtensionEnabled?: boolean } | undefined)
      ?.requireTLSExtensionEnabled,
  };
  const delivery = await sender.deliver(order);
  const addressesWith = (status: Delivery['recipients'][number]['status']): readonly string[] =>
    delivery.recipients
      .filter((recipient) => recipient.status === status)
      .map(({ address }) => address);
  const directInfo: DirectInfo = {
    envelope: { from: order.from, to },
    messageId: composedMail.message.messageId(),
    accepted: addressesWith('delivered'),
    rejected: addressesWith('rejected'),
    pending: addressesWith('deferred'),
    outcomes: delivery.outcomes,
  };
  if (directInfo.accepted.length === 0) throw failed(delivery);
  return directInfo;
}

function failed(delivery: Delivery): HermeticError {
  const [first] = delivery.recipients;
  const reason = first?.failure
    ? `${first.address}: ${first.failure.code} ${first.failure.detail}`.trim()
    : 'no recipient';
  const wait = delivery.recipients.some(({ status }) => status === 'deferred');
  return new HermeticError('send-failed', reason, {
    cause: delivery,
    fix: wait
      ? 'Submit the message again later.'
      : 'The server’s reply, or the failure, shows what to change.',
  });
}

async function bytesOf(composedMail: ComposedMail): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of composedMail.message.createReadStream()) {
    const bytes = Buffer.from(part as Buffer);
    length += bytes.length;
    if (length > MAX_MESSAGE)
      throw new HermeticError('send-too-big', `the message is larger than ${MAX_MESSAGE} octets`, {
        fix: 'Send less.',
      });
    parts.push(bytes);
  }
  return Buffer.concat(parts);
}
