import { createLab, type Lab, type Scenario } from '../../src/lab/index.js';
import {
  createSender,
  type Delivery,
  type Sender,
  type SenderOptions,
} from '../../src/send/index.js';

/** Returns the options for a sender inside a lab. */
export function inLab(
  { network, upstreams, anchors, trustStore }: Lab,
  more: SenderOptions = {},
): SenderOptions {
  return {
    network,
    upstreams,
    anchors,
    trustStore,
    helo: 'sender.example',
    // Long enough for a busy machine; few hosts of the lab are silent.
    timeoutMs: 15_000,
    fetchTimeoutMs: 20_000,
    ...more,
  };
}

/** Returns a lab of a few domains, and a sender in it. */
export async function smallLab(
  scenarios: readonly Scenario[],
  more: SenderOptions = {},
): Promise<{ readonly lab: Lab; readonly sender: Sender }> {
  const lab = await createLab({ scenarios });
  return { lab, sender: createSender(inLab(lab, more)) };
}

let count = 0;

/** Sends a message to one recipient at a domain. */
export function mailTo(
  sender: Sender,
  domain: string,
  more: { readonly header?: string; readonly requireTls?: boolean } = {},
): Promise<Delivery> {
  const { header = '', requireTls = false } = more;
  const message = Buffer.from(`${header}Subject: ${++count}\r\n\r\nhello\r\n`);
  return sender.deliver({ from: 'me@sender.example', to: [`you@${domain}`], message, requireTls });
}

/** Returns `delivered`, or the status with the code of the failure. */
export function ended({ recipients: [first] }: Delivery): string {
  return first?.status === 'delivered'
    ? 'delivered'
    : `${first?.status ?? 'nobody'} ${first?.failure?.code ?? ''}`;
}
