import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import nodemailer from 'nodemailer';
import { systemClock } from '../../src/base/index.js';
import {
  createReceiver,
  openReports,
  smtpIntake,
  verifyDkim,
} from '../../src/tls-rpt-receive/index.js';
import { keyResolver, reportJson, reportMail } from '../support/report/mail.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { until } from './process.js';

const today = new Date().toISOString().slice(0, 10);
const main = join(import.meta.dirname, '../../src/cli/main.js');

/**
 * A Postfix that delivers all its mail to the intake, or pipes the mail into the command.
 */
test('a real Postfix delivers report mail, is refused, and pipes into the command', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-postfix-'));
  const store = await openReports(':memory:');
  const resolver = keyResolver(['sender.example']);
  const receiver = createReceiver({
    store,
    clock: systemClock,
    domains: ['rcpt.example'],
    verify: (mail) => verifyDkim(mail, resolver, systemClock.now()),
  });
  const intake = smtpIntake({
    receiver,
    recipients: ['tlsrpt@rcpt.example'],
    name: 'reports.rcpt.example',
  });
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    intake.serve({
      stream: socket,
      local: { address: '127.0.0.1', port: 25 },
      remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
      close: () => void socket.destroy(),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: intakePort } = server.address() as AddressInfo;
  const port = await freePort();
  const database = join(folder, 'piped.db');
  writeFileSync(join(folder, 'transport'), 'piped.example hermetic:\n');
  const postfix = new Postfix(folder, port);
  try {
    await postfix.start(
      [{ address: '127.0.0.1' }],
      [
        `relayhost = [127.0.0.1]:${intakePort}`,
        'smtp_tls_security_level = may',
        `transport_maps = texthash:${join(folder, 'transport')}`,
      ],
      [
        `hermetic unix - n n - 1 pipe flags=R user=nobody argv=${process.execPath} ${main} report import --no-verify --json --store ${database} -`,
      ],
    );
    const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true });
    const send = async (raw: Buffer, to: string): Promise<void> => {
      await transport.sendMail({ envelope: { from: 'tlsrpt@sender.example', to: [to] }, raw });
    };
    const log = (what: RegExp): Promise<unknown> =>
      until(
        String(what),
        async () => what.test(postfix.maillog),
        () => postfix.log,
      );
    await send(
      await reportMail({ report: reportJson(5, 1, 'a', today), signer: 'sender.example' }),
      'tlsrpt@rcpt.example',
    );
    await log(/to=<tlsrpt@rcpt\.example>.*status=sent \(250 2\.0\.0 Report stored\)/);
    const row = store
      .prepare<{ trust: string; ok: number; failed: number }>(
        'SELECT trust, ok, failed FROM report',
      )
      .get();
    assert.deepEqual({ ...row }, { trust: 'signed', ok: 5, failed: 1 });
    await send(
      Buffer.from('From: a@sender.example\r\nSubject: hello\r\n\r\nno report\r\n'),
      'tlsrpt@rcpt.example',
    );
    await log(/status=bounced .*550 5\.6\.0/);
    await send(await reportMail({ report: reportJson(5, 1, 'b', today) }), 'somebody@rcpt.example');
    await log(/to=<somebody@rcpt\.example>.*status=bounced .*550 5\.1\.1/);
    await send(await reportMail({ report: reportJson(7, 0, 'c', today) }), 'tlsrpt@piped.example');
    await log(/to=<tlsrpt@piped\.example>.*relay=hermetic.*status=(sent|deferred|bounced)/);
    // The folder belongs to root, so the command cannot write: the mail is queued, not
    // bounced.
    assert.match(postfix.maillog, /to=<tlsrpt@piped\.example>.*status=deferred/);
    transport.close();
  } finally {
    await postfix.stop();
    await intake.stop();
    server.close();
    store.close();
    rmSync(folder, { recursive: true });
  }
});
