import { request } from 'node:https';
import { connect, type Socket } from 'node:net';
import { RECIPIENT, WEB_HOST, WEB_PATH, type Plan } from './plan.js';

/** Milliseconds after which a client stops waiting. */
const PATIENCE = 30_000;

/**
 * Posts a body to the intake. Resolves with the status, or 0 when the connection broke.
 */
export function post(plan: Plan, body: Buffer, localAddress = '127.0.0.1'): Promise<number> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: plan.ports.web,
        localAddress,
        path: WEB_PATH,
        method: 'POST',
        servername: WEB_HOST,
        rejectUnauthorized: false,
        agent: false,
        timeout: PATIENCE,
        headers: { host: WEB_HOST, 'content-length': body.length },
      },
      (response) => {
        const { statusCode = 0 } = response;
        response.on('error', () => resolve(statusCode)).on('end', () => resolve(statusCode));
        response.resume();
      },
    );
    sent.on('timeout', () => sent.destroy()).on('error', () => resolve(0));
    sent.end(body);
  });
}

/**
 * Returns a connection that reports received data. Errors end the connection without a
 * message.
 */
export function dial(port: number, localAddress = '127.0.0.1'): Socket {
  return connect({ port, host: '127.0.0.1', localAddress }).on('error', () => undefined);
}

/**
 * Sends one mail. Resolves with the reply to the mail or the refusal of an earlier
 * command; empty if the connection broke.
 */
export function sendMail(plan: Plan, mail: Buffer, localAddress = '127.0.0.1'): Promise<string> {
  return new Promise((resolve) => {
    const socket = dial(plan.ports.smtp, localAddress);
    const dots = Buffer.from(mail.toString('latin1').replace(/^\./gm, '..'), 'latin1');
    const steps = ['EHLO siege.example', 'MAIL FROM:<>', `RCPT TO:<${RECIPIENT}>`, 'DATA'];
    const expected = ['220', '250', '250', '250', '354', '250'];
    let received = '';
    let step = 0;
    let last: string | undefined;
    const timer = setTimeout(() => socket.destroy(), PATIENCE);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(last ?? '');
    });
    socket.on('data', (octets) => {
      received += octets.toString('latin1');
      const whole = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(received)?.[0];
      if (whole === undefined || last !== undefined) return;
      received = received.slice(whole.length);
      if (!whole.startsWith(expected[step] ?? '-') || step === expected.length - 1) {
        last = whole.trim();
        return void socket.end('QUIT\r\n');
      }
      const command = steps[step++];
      if (command !== undefined) socket.write(`${command}\r\n`);
      else socket.write(Buffer.concat([dots, Buffer.from('\r\n.\r\n')]));
    });
  });
}
