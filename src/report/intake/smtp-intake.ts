import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { SMTPServer } from 'smtp-server';
import { neutralise } from '../../base/index.js';
import type { Conn } from '../../net/index.js';
import { reportFailures } from '../../tls-rpt/index.js';
import { bodyCollector } from './body-collector.js';
import type { Receipt, Receiver } from './receiver.js';

export interface SmtpIntakeOptions {
  readonly receiver: Receiver;
  /** Addresses that take reports; every other is refused. */
  readonly recipients: readonly string[];
  /** Name in the greeting. */
  readonly name: string;
  /** For STARTTLS. Without it mail comes in clear, which reports may (RFC 8460 §5.3.1), and with it they may too: nobody is made to use it [3207-4-3]. */
  readonly secureContext?: SecureContext;
  /** Octets of one mail. Default 10 MB: more would not be read. */
  readonly maxMail?: number;
  /** Octets of all large mails that are being read. Default 64 MB. */
  readonly maxHeld?: number;
  /** Sessions at one time. Default 100. */
  readonly maxSessions?: number;
}

export interface SmtpIntake {
  serve(conn: Conn): void;
  /** Ends sessions between two mails at once, those with a mail under way when it is through, or after ten seconds. */
  stop(): Promise<void>;
}

/**
 * The server's side of SMTP for report mail (RFC 8460 §3): no AUTH, no relaying, no mail of its own. What is not taken is refused inside the session, so that
 * nothing has to be sent back later.
 */
export function smtpIntake(options: SmtpIntakeOptions): SmtpIntake {
  const {
    receiver,
    name,
    secureContext,
    maxMail = 10_000_000,
    maxHeld,
    maxSessions = 100,
  } = options;
  const collect = bodyCollector(maxHeld);
  const recipients = new Set(options.recipients.map((address) => address.toLowerCase()));
  const server = new SMTPServer({
    name,
    size: maxMail,
    maxClients: maxSessions,
    authOptional: true,
    disabledCommands: ['AUTH', ...(secureContext ? [] : ['STARTTLS'])],
    disableReverseLookup: true,
    logger: false,
    socketTimeout: 60_000,
    onConnect: (session, done) =>
      done(
        receiver.admits(session.remoteAddress)
          ? null
          : refusal(421, '4.7.0 Too much from this address'),
      ),
    onMailFrom: (_address, session, done) =>
      done(
        receiver.admits(session.remoteAddress)
          ? null
          : refusal(450, '4.7.0 Too much from this address'),
      ),
    onRcptTo: (address, _session, done) =>
      done(
        recipients.has(address.address.toLowerCase())
          ? null
          : refusal(550, '5.1.1 No such recipient'),
      ),
    onData: (stream, session, done) => {
      const take = async (mail: Buffer | 'too-large' | 'no-room'): Promise<void> => {
        if (mail === 'too-large') {
          receiver.charge(session.remoteAddress, maxMail);
          return done(refusal(552, '5.3.4 The mail is too large'));
        }
        if (mail === 'no-room') return done(refusal(452, '4.3.1 Too many mails at once'));
        const receipt = await receiver.receive(mail, {
          via: 'mail',
          peer: session.remoteAddress,
          name: session.id,
        });
        const { code, text } = replyTo(receipt);
        done(code === 250 ? null : refusal(code, text), text);
      };
      collect(stream as AsyncIterable<Buffer>, { most: maxMail, use: take, drain: true }).catch(
        (error: unknown) => {
          // Broken off: what was read cost the same.
          receiver.charge(session.remoteAddress, stream.byteLength);
          done(refusal(451, `4.3.0 ${neutralise((error as Error).message, 100)}`));
        },
      );
    },
  });
  if (secureContext) server.secureContext.set('*', secureContext);
  // A peer that breaks off is no event here.
  server.on('error', () => undefined);
  return {
    serve({ stream, local, remote }) {
      server.connect(stream as Socket, {
        remoteAddress: remote.address,
        remotePort: remote.port,
        localAddress: local.address,
        localPort: local.port,
      });
    },
    async stop() {
      for (let waited = 0; server.connections.size > 0; waited += PAUSE) {
        for (const connection of server.connections)
          if (waited >= GRACE || !hasMail(connection)) connection.close();
        if (waited >= GRACE) return;
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
      }
    },
  };
}

const GRACE = 10_000;
const PAUSE = 20;

function hasMail(connection: unknown): boolean {
  return Boolean(
    (connection as { readonly session?: { readonly envelope?: { readonly mailFrom?: unknown } } })
      .session?.envelope?.mailFrom,
  );
}

function replyTo(receipt: Receipt): { readonly code: number; readonly text: string } {
  switch (receipt.status) {
    case 'stored':
      return { code: 250, text: '2.0.0 Report stored' };
    case 'refused': {
      const says =
        (reportFailures.entries as Readonly<Record<string, { says: string }>>)[receipt.failure.code]
          ?.says ?? '';
      return { code: 550, text: `5.6.0 ${says} (${receipt.failure.code})` };
    }
    case 'later':
      return receipt.why === 'store'
        ? { code: 452, text: '4.3.1 Not stored: no room at present' }
        : receipt.why === 'keys'
          ? { code: 451, text: '4.7.5 The DKIM key could not be looked up' }
          : { code: 450, text: '4.7.0 Too much from this address' };
  }
}

function refusal(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
