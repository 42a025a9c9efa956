import { createServer } from 'node:net';
import { request } from 'node:http';
import { LabNetwork } from '../../src/lab/network/lab-network.js';
import { LabDns } from '../../src/lab/dns/lab-dns.js';
import { gzipSync } from 'node:zlib';
import { reportJson, reportMail } from '../../test/support/report/mail.js';
import { dial, post, sendMail } from './clients.js';
import {
  day,
  DOMAIN,
  SIGNER,
  sleep,
  type Plan,
  type RoleReport,
  type Sample,
  type Sent,
} from './plan.js';

/** Names that the simulated Postfix looks up. */
const NAMES = 400;

/**
 * Returns a recursive resolver with signed zones: the domain, a reporter with its DKIM
 * key, and names to send mail to.
 */
export async function startResolver({ ports, keyText }: Plan): Promise<string> {
  const key = (keyText.match(/.{1,200}/g) ?? []).map((part) => `"${part}"`).join(' ');
  const names = Array.from({ length: NAMES }, (_, n) => `d${n}`);
  const dns = new LabDns(
    [
      { apex: '.', signed: {} },
      {
        apex: 'example',
        signed: {},
        records: names.map((n) => `${n} MX 10 mx.${n}.example.\nmx.${n} A 127.0.0.1`).join('\n'),
      },
      { apex: DOMAIN, signed: {}, records: '@ MX 10 mx1\nmx1 A 127.0.0.1\nsink A 127.0.0.1' },
      { apex: SIGNER, signed: {}, records: `@ MX 10 mx\nmx A 127.0.0.1\ns1._domainkey TXT ${key}` },
    ],
    Date.now(),
  );
  await dns.serveAt(new LabNetwork(), '127.0.0.1', { address: '127.0.0.1', port: ports.dns });
  return dns.anchorLine;
}

/** Accepts alert mail; counts the messages that name a failure of the domain. */
export function startSink({ ports }: Plan): { readonly alerts: { at: number; text: string }[] } {
  const alerts: { at: number; text: string }[] = [];
  const server = createServer((socket) => {
    let text = '';
    let inData = false;
    socket.on('error', () => undefined).write('220 sink ESMTP\r\n');
    socket.on('data', (octets) => {
      text += octets.toString('latin1');
      if (inData && text.endsWith('\r\n.\r\n')) {
        alerts.push({ at: Date.now(), text: textOf(text) });
        [inData, text] = [false, ''];
        return void socket.write('250 2.0.0 Ok\r\n');
      }
      if (inData || !text.endsWith('\r\n')) return;
      for (const line of text.trimEnd().split('\r\n')) {
        inData = /^DATA/i.test(line);
        socket.write(inData ? '354 go\r\n' : /^QUIT/i.test(line) ? '221 bye\r\n' : '250 Ok\r\n');
      }
      text = '';
    });
  });
  server.listen(ports.sink, '127.0.0.1').unref();
  return { alerts };
}

/** Returns the text of an alert mail, decoded from base64. */
function textOf(mail: string): string {
  const [header = '', body = ''] = mail.split(/\r\n\r\n([^]*)/);
  return /base64/i.test(header) ? Buffer.from(body, 'base64').toString() : body;
}

/**
 * Simulates Postfix: looks up names at a constant rate, and reconnects when the
 * connection ends.
 */
export async function socketmap({ ports, seconds, pace }: Plan): Promise<RoleReport> {
  const samples: Sample[] = [];
  const counts = { answered: 0, broken: 0, temporary: 0 };
  const until = Date.now() + seconds * 1000;
  const client = async (offset: number): Promise<void> => {
    for (let n = offset; Date.now() < until;) {
      const socket = dial(ports.postfix);
      let wake = (_text: string): void => undefined;
      socket.on('data', (octets) => wake(octets.toString('latin1')));
      socket.on('close', () => wake(''));
      while (Date.now() < until && !socket.destroyed) {
        const query = `hermetic d${n++ % NAMES}.example`;
        const [at, began] = [Date.now(), performance.now()];
        const answer = new Promise<string>((resolve) => (wake = resolve));
        socket.write(`${query.length}:${query},`);
        const text = await answer;
        if (text === '') {
          counts.broken++;
          break;
        }
        counts.answered++;
        if (text.includes('TEMP')) counts.temporary++;
        samples.push([at, performance.now() - began]);
        await sleep(100 / pace);
      }
      socket.destroy();
      await sleep(100);
    }
  };
  await Promise.all([0, 100, 200, 300].map(client));
  return { role: 'socketmap', counts, samples };
}

/**
 * Requests GET /health twenty times a second, to measure the delay that the daemon's
 * event loop causes.
 */
export async function health({ ports, seconds }: Plan): Promise<RoleReport> {
  const samples: Sample[] = [];
  const counts = { answered: 0, failed: 0 };
  const until = Date.now() + seconds * 1000;
  while (Date.now() < until) {
    const [at, began] = [Date.now(), performance.now()];
    const answered = await isHealthy(ports.metrics);
    if (answered) {
      counts.answered++;
      samples.push([at, performance.now() - began]);
    } else counts.failed++;
    await sleep(50);
  }
  return { role: 'health', counts, samples };
}

export function isHealthy(port: number, timeout = 60_000): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(
      { host: '127.0.0.1', port, path: '/health', agent: false, timeout },
      (response) => response.resume().on('end', () => resolve(response.statusCode === 200)),
    );
    asked.on('timeout', () => asked.destroy()).on('error', () => resolve(false));
    asked.end();
  });
}

/**
 * Sends a report repeatedly until the server acknowledges it, as senders of reports do.
 */
async function deliver(
  seconds: number,
  once: () => Promise<boolean | 'refused'>,
): Promise<boolean> {
  const until = Date.now() + seconds * 1000;
  for (let attempt = 0; attempt < 20 && Date.now() < until; attempt++) {
    const result = await once();
    if (result === true) return true;
    if (result === 'refused') return false;
    await sleep(500);
  }
  return false;
}

/** Sends genuine reports by HTTPS and by signed mail, each with a separate identifier. */
export async function reporter(plan: Plan): Promise<RoleReport> {
  const signed: Sent[] = [];
  const posted: Sent[] = [];
  const counts = {
    signed: 0,
    posted: 0,
    'posted, not acknowledged': 0,
    'signed, not acknowledged': 0,
  };
  let failureAt: number | undefined;
  const began = Date.now();
  const left = (): number => plan.seconds - (Date.now() - began) / 1000;
  const run = `${began}`;
  const mails = async (): Promise<void> => {
    for (let n = 0; left() > 0; n++) {
      const id = `signed-${run}-${n}`;
      // After the first third of the siege, the genuine reports show failures, which an
      // alert must report.
      const failed = left() < (plan.seconds * 2) / 3 ? 4 : 0;
      const mail = await reportMail({ report: reportJson(10, failed, id, day()), signer: SIGNER });
      const acknowledged = await deliver(left() + 20, async () =>
        (await sendMail(plan, mail, '127.0.77.1')).startsWith('250 2.0.0'),
      );
      if (acknowledged && failed > 0) failureAt ??= Date.now();
      signed.push({ id, sessions: 10 + failed, acknowledged });
      counts[acknowledged ? 'signed' : 'signed, not acknowledged']++;
      await sleep(150 / plan.pace);
    }
  };
  const posts = async (): Promise<void> => {
    for (let n = 0; left() > 0; n++) {
      const id = `posted-${run}-${n}`;
      const contact = 'tlsrpt@poster.example';
      const body = gzipSync(reportJson(7, 0, id, day(), DOMAIN, contact));
      const acknowledged = await deliver(left() + 20, async () => {
        const status = await post(plan, body, '127.0.78.1');
        return status === 429 || status === 503 ? 'refused' : status === 201 || status === 200;
      });
      posted.push({ id, sessions: 7, acknowledged });
      counts[acknowledged ? 'posted' : 'posted, not acknowledged']++;
      await sleep(150 / plan.pace);
    }
  };
  await Promise.all([mails(), posts()]);
  return { role: 'reporter', counts, signed, posted, failureAt };
}
