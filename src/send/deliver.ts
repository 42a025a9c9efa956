import { formatTime, type Failure } from '../base/index.js';
import type { DeliveryOutcome } from '../evidence/index.js';
import { parseMailbox, sendMail, type Reply } from '../smtp/index.js';
import { connectVia, type ConnectResult, type SmtpTranscript } from './connect.js';
import type { SendContext } from './context.js';

export interface Mail {
  /** Envelope sender; empty for a notice that must not be answered. */
  readonly from: string;
  readonly to: readonly string[];
  /**
   * The message as it goes, header and body. A header field `TLS-Required: No` is obeyed
   * (RFC 8689 §4.2.2).
   */
  readonly message: Uint8Array;
  /**
   * REQUIRETLS: rather returned than sent by way of a server that does not promise it. It
   * wins over the header field (RFC 8689 §4.1).
   */
  readonly requireTls?: boolean;
  /**
   * Send everything there, in the place of each recipient's domain; as `parseNextHop`
   * reads it.
   */
  readonly via?: string;
  readonly signal?: AbortSignal;
}

/** What became of one recipient. */
export interface Recipient {
  readonly address: string;
  readonly status: 'delivered' | 'deferred' | 'rejected';
  /** Why not. */
  readonly failure?: Failure;
  /** The server's last word. */
  readonly reply?: Reply;
}

export interface Delivery {
  /** In the order of `to`. */
  readonly recipients: readonly Recipient[];
  /** One for each next hop. */
  readonly outcomes: readonly DeliveryOutcome[];
  readonly conversations: readonly SmtpTranscript[];
}

/**
 * Hands a message to the servers of its recipients, one session for each domain. Rejects
 * only with `signal.reason` and for misuse.
 */
export async function deliverVia(context: SendContext, mail: Mail): Promise<Delivery> {
  const groups = new Map<string, string[]>();
  const unsendable: Recipient[] = [];
  for (const address of new Set(mail.to)) {
    const mailbox = parseMailbox(address);
    if (!mailbox.ok) {
      unsendable.push({ address, status: 'rejected', failure: mailbox.failure });
      continue;
    }
    const hop = mail.via ?? mailbox.value.domain;
    groups.set(hop, [...(groups.get(hop) ?? []), address]);
  }
  const done = await Promise.all([...groups].map(([hop, to]) => deliverTo(context, mail, hop, to)));
  const all = [...unsendable, ...done.flatMap((d) => d.recipients)];
  return {
    recipients: mail.to.flatMap((address) => all.find((r) => r.address === address) ?? []),
    outcomes: done.map((d) => d.outcome),
    conversations: done.flatMap((d) => d.conversations),
  };
}

async function deliverTo(
  context: SendContext,
  mail: Mail,
  hop: string,
  to: readonly string[],
): Promise<{
  recipients: Recipient[];
  outcome: DeliveryOutcome;
  conversations: readonly SmtpTranscript[];
}> {
  const { from, message, requireTls = false, signal } = mail;
  const connected = await connectVia(context, hop, {
    requireTls,
    // RFC 8689 §4.1, §4.2.2 [8689-4.1-1, 8689-4.2.2-1]
    tlsRequiredNo: !requireTls && saysTlsRequiredNo(message),
    ...(signal ? { signal } : {}),
  });
  if (!connected.ok) return notConnected(connected, to);
  const { session } = connected;
  const sent = await sendMail(session, { from, to, requireTls }, message);
  await session.quit();
  const recipients = to.map((address): Recipient => {
    const failure = sent.refused.find((r) => r.address === address)?.failure;
    const reply = sent.reply ? { reply: sent.reply } : {};
    return failure
      ? { address, status: failure.temporary ? 'deferred' : 'rejected', failure, ...reply }
      : { address, status: 'delivered', ...reply };
  });
  const best =
    (['delivered', 'deferred', 'rejected'] as const).find((status) =>
      recipients.some((r) => r.status === status),
    ) ?? 'rejected';
  const failure =
    best === 'delivered' ? undefined : recipients.find((r) => r.status === best)?.failure;
  const outcome: DeliveryOutcome = {
    ...connected.outcome,
    finishedAt: formatTime(context.clock.now()),
    result: best,
    ...(failure ? { failure: { code: failure.code, detail: failure.detail } } : {}),
  };
  return {
    recipients,
    outcome,
    conversations: connected.conversations,
  };
}

function notConnected(
  result: ConnectResult & { ok: false },
  to: readonly string[],
): { recipients: Recipient[]; outcome: DeliveryOutcome; conversations: readonly SmtpTranscript[] } {
  const { failure, outcome, conversations } = result;
  const recipients = to.map((address): Recipient => ({
    address,
    status: failure.temporary ? 'deferred' : 'rejected',
    failure,
  }));
  return { recipients, outcome, conversations };
}

/**
 * RFC 8689 §4.2.2, §5: one header field `TLS-Required` with the value `No`; anything else
 * says nothing.
 */
export function saysTlsRequiredNo(message: Uint8Array): boolean {
  const text = Buffer.from(
    message.buffer,
    message.byteOffset,
    Math.min(message.length, MAX_HEADER),
  ).toString('latin1');
  const [header = ''] = text.split(/\r?\n\r?\n/, 1);
  const fields = header
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
    .filter((line) => /^TLS-Required[ \t]*:/i.test(line));
  return fields.length === 1 && /:[ \t]*no[ \t]*$/i.test(fields[0] ?? '');
}

const MAX_HEADER = 262_144;
