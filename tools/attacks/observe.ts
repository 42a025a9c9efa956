import type { Lab } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';
import type { DeliveryResult } from '../../src/tls-policy/index.js';
import type { Delivery, Sender } from '../../src/send/index.js';

/** The outcome of one message, observed at the servers and in the transmitted octets. */
export interface Observed {
  readonly outcome: DeliveryResult;
  /** The outcome from the sender's view, in which every server is genuine. */
  readonly seen: DeliveryResult;
  /**
   * Commands that carry mail or a password: those sent in plaintext, and those that an
   * attacker's server received.
   */
  readonly inClear: readonly string[];
  readonly heard: readonly string[];
  readonly delivery: Delivery;
}

let count = 0;

/**
 * Sends one message to a domain and determines the server that received it. The network
 * must be that of a {@link Tap}.
 */
export async function observe(
  domain: string,
  sender: Sender,
  lab: Lab,
  tap: Tap,
): Promise<Observed> {
  const id = `m${++count}`;
  const from = `${id}@sender.example`;
  const text = `From: ${from}\r\nTo: recipient@${domain}\r\nSubject: ${id}\r\n\r\nconfidential\r\n`;
  const delivery = await sender.deliver({
    from,
    to: [`recipient@${domain}`],
    message: Buffer.from(text),
  });
  const received = lab.mail.filter((mail) => mail.from === from);
  const used = delivery.outcomes[0]?.attempts.find(({ state }) => state === 'used');
  const [first] = received;
  const seen = ((): DeliveryResult => {
    if (delivery.recipients[0]?.status === 'rejected') return 'not-applicable';
    if (!first || !used) return 'deferred';
    if (!first.sealed) return 'cleartext';
    return used.authenticate.length > 0 ? 'verified' : 'unverified';
  })();
  const outcome = seen !== 'cleartext' && first?.server === 'attacker' ? 'to-attacker' : seen;
  return {
    outcome,
    seen,
    inClear: tap.said(id),
    heard: lab.heard.filter((line) => line.includes(`<${id}@`)),
    delivery,
  };
}

/** A network port that records the plaintext parts of a message. */
export interface Tap {
  readonly network: Network;
  /** Returns the commands of one message. */
  said(id: string): readonly string[];
}

/**
 * Returns a tap on a network. TLS over a socket of Node uses the handle of the socket and
 * bypasses the tap, so the recorded octets are plaintext.
 */
export function tapOn(network: Network): Tap {
  const conversations: string[][] = [];
  return {
    network: {
      async dial(request) {
        const dialled = await network.dial(request);
        if (!dialled.ok || request.port !== 25) return dialled;
        const lines: string[] = [];
        conversations.push(lines);
        const { stream } = dialled.connection;
        const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
        Object.assign(stream, {
          write: (...args: unknown[]) => {
            const text = Buffer.from(args[0] as string | Uint8Array).toString('latin1');
            lines.push(
              ...text.split('\r\n').filter((line) => /^(MAIL|RCPT|AUTH|DATA|BDAT)\b/i.test(line)),
            );
            return write(...args);
          },
        });
        return dialled;
      },
      exchange: (request) => network.exchange(request),
    },
    said: (id) =>
      conversations.filter((lines) => lines.some((line) => line.includes(`<${id}@`))).flat(),
  };
}
