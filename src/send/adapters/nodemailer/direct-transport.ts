import { HermeticError } from '../../../base/index.js';
import type { DeliveryOutcome } from '../../../evidence/index.js';
import type { Delivery, Mail } from '../../deliver.js';
import { createSender, type Sender } from '../../sender.js';
import type { SenderOptions } from '../../context.js';

/** What nodemailer hands to a transport, as far as it is used. */
export interface ComposedMail {
  readonly data: { readonly envelope?: unknown };
  readonly message: {
    getEnvelope(): { readonly from: string | false; readonly to: string[] };
    messageId(): string;
    createReadStream(): AsyncIterable<unknown>;
  };
}

/** A transport as nodemailer's `createTransport` takes it. */
export interface DirectTransport {
  readonly name: string;
  readonly version: string;
  send(mail: ComposedMail, done: (error: Error | null, info: DirectInfo) => void): void;
}

export interface DirectTransportOptions extends SenderOptions {
  /** Use this sender, and what it already knows, in the place of one of its own. */
  readonly sender?: Sender;
}

/** What `sendMail` resolves to. */
export interface DirectInfo {
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  readonly messageId: string;
  readonly accepted: readonly string[];
  /** Refused for good. */
  readonly rejected: readonly string[];
  /** Not taken now: hand the message in again later, to these alone. */
  readonly pending: readonly string[];
  /** One for each domain, with the reason of everything. */
  readonly outcomes: readonly DeliveryOutcome[];
}

const MAX_MESSAGE = 100 * 1024 * 1024;

/**
 * A transport for nodemailer that delivers to the recipients' own servers and obeys their
 * policies. nodemailer composes and signs; nothing of its own SMTP is used.
 * `requireTLSExtensionEnabled` of a message asks for REQUIRETLS (RFC 8689).
 *
 * @throws `sendMail` rejects with a HermeticError `send-failed` when no recipient was
 * accepted; `cause` is the {@link Delivery}.
 */
export function directTransport(options: DirectTransportOptions = {}): DirectTransport {
  const { sender = createSender(options) } = options;
  return {
    name: 'hermetic',
    version: '1',
    send(mail, done) {
      deliver(sender, mail).then(
        (info) => done(null, info),
        (error: unknown) => done(error as Error, undefined as never),
      );
    },
  };
}

async function deliver(sender: Sender, mail: ComposedMail): Promise<DirectInfo> {
  const { from, to } = mail.message.getEnvelope();
  const order: Mail = {
    from: from || '',
    to,
    message: await bytesOf(mail),
    ...((mail.data.envelope as { requireTLSExtensionEnabled?: boolean } | undefined)
      ?.requireTLSExtensionEnabled
      ? { requireTls: true }
      : {}),
  };
  const delivery = await sender.deliver(order);
  const of = (status: Delivery['recipients'][number]['status']): readonly string[] =>
    delivery.recipients.filter((r) => r.status === status).map((r) => r.address);
  const info: DirectInfo = {
    envelope: { from: order.from, to },
    messageId: mail.message.messageId(),
    accepted: of('delivered'),
    rejected: of('rejected'),
    pending: of('deferred'),
    outcomes: delivery.outcomes,
  };
  if (info.accepted.length === 0) throw failed(delivery);
  return info;
}

function failed(delivery: Delivery): HermeticError {
  const [first] = delivery.recipients;
  const why = first?.failure
    ? `${first.address}: ${first.failure.code} ${first.failure.detail}`.trim()
    : 'no recipient';
  const wait = delivery.recipients.some(({ status }) => status === 'deferred');
  return new HermeticError('send-failed', why, {
    cause: delivery,
    fix: wait
      ? 'Hand the message in again later.'
      : 'The server’s reply, or the failure, says what to change.',
  });
}

async function bytesOf(mail: ComposedMail): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of mail.message.createReadStream()) {
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
