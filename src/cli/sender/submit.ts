import { spawn } from 'node:child_process';
import type { Endpoint, Network } from '../../net/index.js';
import { createSender } from '../../send/index.js';
import { caseNames, type SenderCase } from '../../sender/index.js';
import { openSession, sendMail } from '../../smtp/index.js';
import { OFFLINE_SLOT, OFFLINE_ZONE, type Receivers } from './open-receivers.js';

/** One message for a case. */
export interface TestMessage {
  readonly senderCase: SenderCase;
  readonly from: string;
  readonly to: string;
  readonly message: Uint8Array;
  readonly signal: AbortSignal;
}

/** The result of submitting a message to the sender under test. */
export type Submission =
  { readonly ok: true; readonly via?: string } | { readonly ok: false; readonly reason: string };

/** Submits a message to the sender under test. Never rejects. */
export type Submit = (message: TestMessage) => Promise<Submission>;

/**
 * Envelope sender of the messages; the domain accepts no mail, so it receives no bounces.
 */
export const TEST_SENDER = `test@${OFFLINE_ZONE}`;

/** Composes the message for a case. */
export function testMessage(
  senderCase: SenderCase,
  {
    from,
    now,
    signal,
  }: { readonly from: string; readonly now: Date; readonly signal: AbortSignal },
): TestMessage {
  const { domain } = caseNames(senderCase.id, OFFLINE_SLOT, OFFLINE_ZONE);
  const to = `test@${domain}`;
  const lines = [
    `From: <${from}>`,
    `To: <${to}>`,
    `Date: ${now.toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${now.getTime()}.${senderCase.id}@${OFFLINE_ZONE}>`,
    `Subject: sender test: ${senderCase.id}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    `Test message for the case ${senderCase.id}: ${senderCase.says.replace(/[^ -~]/g, '?')}.`,
    '',
  ];
  return { senderCase, from, to, message: Buffer.from(lines.join('\r\n')), signal };
}

/** Milliseconds for each reply of the server that accepts the messages. */
const REPLY_MS = 20_000;

/**
 * Returns a function that submits over SMTP, without authentication, to a server that
 * relays for this machine.
 */
export function submitOverSmtp(server: Endpoint, network: Network): Submit {
  return async ({ from, to, message, signal }) => {
    const dialled = await network.dial({ ...server, timeoutMs: REPLY_MS, signal });
    const where = `${server.address} port ${server.port}`;
    if (!dialled.ok) return { ok: false, reason: `${where}: ${dialled.failure.detail}` };
    const { connection } = dialled;
    try {
      const opened = await openSession({
        connection,
        helo: 'sender-test.example',
        timeoutMs: REPLY_MS,
        signal,
      });
      if (!opened.ok) return { ok: false, reason: opened.failure.detail };
      const hello = await opened.value.ehlo();
      if (!hello.ok) return { ok: false, reason: hello.failure.detail };
      const { accepted, refused } = await sendMail(opened.value, { from, to: [to] }, message);
      await opened.value.quit();
      if (accepted.length > 0) return { ok: true, via: server.address };
      return { ok: false, reason: refused[0]?.failure.detail ?? 'the message was refused' };
    } finally {
      connection.close();
    }
  };
}

/** Time limit of a submission program, milliseconds. */
const PROGRAM_MS = 20_000;
/** Maximum octets of the error output that are shown. */
const MAX_STDERR = 400;

/**
 * Returns a function that submits with a program that accepts the arguments of sendmail:
 * `-i -f FROM -- TO`.
 */
export function submitWithProgram(program: string): Submit {
  return ({ from, to, message, signal }) =>
    new Promise((resolve) => {
      const child = spawn(program, ['-i', '-f', from, '--', to], {
        stdio: ['pipe', 'ignore', 'pipe'],
        timeout: PROGRAM_MS,
        signal,
      });
      let complaint = '';
      child.stderr.on('data', (text: Buffer) => {
        complaint = (complaint + text.toString('latin1')).slice(0, MAX_STDERR);
      });
      child.stdin.on('error', () => undefined);
      child.once('error', ({ message: reason }) => resolve({ ok: false, reason }));
      child.once('close', (code, killed) => {
        if (code === 0) return resolve({ ok: true });
        const status = killed ?? `status ${code ?? 'unknown'}`;
        resolve({ ok: false, reason: `${program}: ${status} ${complaint.trim()}`.trim() });
      });
      child.stdin.end(Buffer.from(message.toString().replaceAll('\r\n', '\n')));
    });
}

/** Milliseconds that the built-in sender waits for a receiver of this process. */
const OWN_TIMEOUT_MS = 2000;

/**
 * Returns a function that delivers mail in this process with the built-in sender. That
 * sender applies DANE and MTA-STS.
 */
export function deliverWithOwnSender(receivers: Receivers): Submit {
  const { network, upstreams, anchors, trustStore } = receivers;
  const sender = createSender({
    network,
    upstreams,
    anchors,
    trustStore,
    helo: 'mail.hermetic.example',
    timeoutMs: OWN_TIMEOUT_MS,
  });
  return async ({ from, to, message, signal }) => {
    await sender.deliver({ from, to: [to], message, signal });
    return { ok: true };
  };
}
