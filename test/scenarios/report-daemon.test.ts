import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import nodemailer from 'nodemailer';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerEnvelope } from 'smtp-server';
import { createCa, issue } from '../../src/pki/index.js';
import { openReports, showDomain, storeReports } from '../../src/tls-rpt-receive/index.js';
import { reportJson, reportMail } from '../support/report/mail.js';
import { judgeTrust } from '../../src/tls-rpt-receive/verify/judge-trust.js';
import { createLog, parseConfig, startDaemon } from '../../src/server/index.js';
import { parseReport } from '../../src/tls-rpt/index.js';
import { waitUntil } from '../support/wait-until.js';

const today = new Date().toISOString().slice(0, 10);

test('the daemon accepts reports over HTTPS and SMTP, counts and stores them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-daemon-'));
  const ca = createCa({ name: 'Daemon CA' });
  const certificate = issue(ca, { names: ['reports.rcpt.example'] });
  const [chain, key, database] = ['chain.pem', 'key.pem', 'hermetic.db'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  writeFileSync(chain, certificate.chainPem);
  writeFileSync(key, certificate.keyPem, { mode: 0o600 });
  const config = parseConfig(`
resolver: {addresses: ['127.0.0.1:9']}
store: {file: ${database}}
web: {listen: '127.0.0.1:0', certificates: [{chain: ${chain}, key: ${key}}]}
report:
  domains: [rcpt.example]
  https: {host: reports.rcpt.example, path: /v1/tlsrpt}
  smtp: {listen: '127.0.0.1:0', recipients: [tlsrpt@rcpt.example], certificate: {chain: ${chain}, key: ${key}}}
  checkHours: 0
`);
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const daemon = await startDaemon(
    config.value,
    createLog({ format: 'plain', write: (line) => void lines.push(line), now: Date.now }),
  );
  const portOf = (what: string): number => {
    const at = daemon.listening.find((l) => l.what === what)?.at;
    assert.ok(at && 'port' in at);
    return at.port;
  };
  const post = (path: string, body: Uint8Array): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: portOf('web'),
        path,
        method: 'POST',
        ca: ca.certPem,
        servername: 'reports.rcpt.example',
        headers: { host: 'reports.rcpt.example' },
      };
      const sent = request(
        options,
        (response) => (response.resume(), resolve(response.statusCode)),
      );
      sent.on('error', reject).end(body);
    });
  try {
    assert.equal(await post('/v1/tlsrpt', gzipSync(reportJson(10, 1, 'a', today))), 201);
    assert.equal(await post('/other', gzipSync(reportJson(10, 1, 'b', today))), 404);
    assert.equal(await post('/v1/tlsrpt', Buffer.alloc(10_000_100)), 413);
    const transport = nodemailer.createTransport({
      host: '127.0.0.1',
      port: portOf('report-smtp'),
      requireTLS: true,
      tls: { ca: ca.certPem, servername: 'reports.rcpt.example' },
    });
    const raw = await reportMail({ report: reportJson(99, 0, 'c', today) });
    const { response } = await transport.sendMail({
      envelope: { from: '', to: ['tlsrpt@rcpt.example'] },
      raw,
    });
    assert.match(response, /^250/);
    transport.close();
    assert.ok(lines.some((line) => /info report .*outcome=stored trust=posted/.test(line)));
    assert.ok(lines.some((line) => /info report .*trust=unsigned/.test(line)));
  } finally {
    await daemon.stop();
  }
  const store = await openReports(database);
  const view = showDomain(store, 'rcpt.example', { now: Date.now() });
  assert.deepEqual(
    view.unauthenticated.map(({ source, reports, successful, failed }) => [
      source,
      reports,
      successful,
      failed,
    ]),
    [['127.0.0.1', 1, 10, 1]],
  );
  assert.equal(view.status, 'no-reports');
  assert.deepEqual(
    view.doubtful.map((d) => d.trust),
    ['unsigned'],
  );
  store.close();
  rmSync(folder, { recursive: true });
});

test('a reload lets incoming messages and bodies finish', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-daemon-'));
  const ca = createCa({ name: 'Daemon CA' });
  const certificate = issue(ca, { names: ['reports.rcpt.example'] });
  const [chain, key] = ['chain.pem', 'key.pem'].map((name) => join(folder, name)) as [
    string,
    string,
  ];
  writeFileSync(chain, certificate.chainPem);
  writeFileSync(key, certificate.keyPem, { mode: 0o600 });
  const config = parseConfig(`
resolver: {addresses: ['127.0.0.1:9']}
store: {file: ${join(folder, 'hermetic.db')}}
web: {listen: '127.0.0.1:0', certificates: [{chain: ${chain}, key: ${key}}]}
report:
  domains: [rcpt.example]
  https: {host: reports.rcpt.example, path: /v1/tlsrpt}
  smtp: {listen: '127.0.0.1:0', recipients: [tlsrpt@rcpt.example]}
  checkHours: 0
`);
  assert.ok(config.ok, JSON.stringify(config));
  const daemon = await startDaemon(
    config.value,
    createLog({ format: 'plain', write: () => undefined, now: Date.now }),
  );
  const portOf = (what: string): number => {
    const at = daemon.listening.find((l) => l.what === what)?.at;
    assert.ok(at && 'port' in at);
    return at.port;
  };
  try {
    const body = gzipSync(reportJson(10, 1, 'a', today));
    const where = { host: '127.0.0.1', port: portOf('web'), path: '/v1/tlsrpt', method: 'POST' };
    const headers = { host: 'reports.rcpt.example', 'content-length': body.length };
    const sent = request({ ...where, ca: ca.certPem, servername: 'reports.rcpt.example', headers });
    const posted = new Promise<unknown>((resolve) => {
      sent
        .on('response', (response) => (response.resume(), resolve(response.statusCode)))
        .on('error', resolve);
    });
    sent.write(body.subarray(0, 50));
    const mail = connect(portOf('report-smtp'), '127.0.0.1').setEncoding('utf8');
    let said = '';
    mail.on('data', (text: string) => (said += text));
    const until = async (pattern: RegExp): Promise<void> => {
      await waitUntil(String(pattern), () => pattern.test(said));
    };
    await until(/^220 /m);
    mail.write('EHLO x.example\r\n');
    await until(/^250 /m);
    mail.write('MAIL FROM:<>\r\n');
    await until(/2\.1\.0/);
    mail.write('RCPT TO:<tlsrpt@rcpt.example>\r\n');
    await until(/2\.1\.5/);
    mail.write('DATA\r\n');
    await until(/^354/m);
    const raw = await reportMail({ report: reportJson(99, 0, 'c', today) });
    mail.write(raw.subarray(0, 100));
    const reloaded = daemon.reload(config.value);
    await new Promise((resolve) => setTimeout(resolve, 200));
    mail.write(raw.subarray(100));
    mail.write('\r\n.\r\n');
    sent.end(body.subarray(50));
    await until(/Report stored/);
    await until(/^421 4\.3\.2/m);
    assert.equal(await posted, 201);
    await reloaded;
    mail.destroy();
  } finally {
    await daemon.stop();
    rmSync(folder, { recursive: true });
  }
});

test('the daemon mails alerts, and a refused alert stays pending', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-daemon-'));
  const database = join(folder, 'hermetic.db');
  const store = await openReports(database);
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const raw = Buffer.from(reportJson(100, 7, 'a', yesterday));
  const parsed = parseReport(raw);
  assert.ok(parsed.ok);
  const reading = judgeTrust({ name: 'r', via: 'file', raw, parsed }, { at: Date.now() });
  storeReports(store, [{ reading, parsed: parsed.value, receivedAt: Date.now() }]);
  store.close();
  const received: { readonly envelope: SMTPServerEnvelope; readonly mail: Email }[] = [];
  let refusing = true;
  const server = new SMTPServer({
    authOptional: true,
    disableReverseLookup: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onRcptTo: (_, __, done) =>
      done(refusing ? Object.assign(new Error('not now'), { responseCode: 450 }) : null),
    onData(stream, { envelope }, done) {
      void buffer(stream).then(async (octets) => {
        received.push({ envelope, mail: await PostalMime.parse(octets) });
        done();
      });
    },
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  const config = parseConfig(`
resolver: {addresses: ['127.0.0.1:9']}
store: {file: ${database}}
report:
  domains: [rcpt.example]
  checkHours: 0
  alerts: {mail: {from: hermetic@rcpt.example, to: postmaster@rcpt.example, server: 127.0.0.1, port: ${port}}}
`);
  assert.ok(config.ok, JSON.stringify(config));
  const lines: string[] = [];
  const log = createLog({ format: 'plain', write: (line) => void lines.push(line), now: Date.now });
  const runUntil = async (word: RegExp): Promise<void> => {
    const daemon = await startDaemon(config.value, log);
    for (let waited = 0; waited < 100 && !lines.some((line) => word.test(line)); waited++)
      await pause(50);
    await daemon.stop();
    assert.match(lines.join('\n'), word);
  };
  try {
    await runUntil(/report-alert-not-received channel=mail/);
    refusing = false;
    await runUntil(/warn report-alert channel=mail kind=added domain=rcpt.example/);
  } finally {
    server.close(() => undefined);
    rmSync(folder, { recursive: true });
  }
  const [{ envelope, mail } = {}] = received;
  assert.equal(received.length, 1);
  assert.ok(envelope?.mailFrom && envelope.mailFrom.address === '');
  assert.deepEqual(
    envelope.rcptTo.map((r) => r.address),
    ['postmaster@rcpt.example'],
  );
  assert.equal(mail?.from?.address, 'hermetic@rcpt.example');
  assert.match(mail.messageId ?? '', /^<[0-9a-f-]{36}@rcpt\.example>$/);
  assert.equal(mail.subject, 'TLS reports: new at rcpt.example');
  assert.match(mail.text ?? '', /NEW rcpt.example .*expired/s);
});
