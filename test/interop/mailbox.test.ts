import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LabDns, LabNetwork } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { openStore, verifyStore, type Store } from '../../src/store/index.js';
import { openReports, showDomain } from '../../src/tls-rpt-receive/index.js';
import { keyText, reportJson, reportMail } from '../support/report/mail.js';
import { isLong } from '../support/test-size.js';
import { waitUntil } from '../support/wait-until.js';
import { freePort } from '../support/free-port.js';
import { accepts, Daemon, until } from './process.js';

/**
 * `npm run interop -- mailbox --full` takes about ten minutes on an idle machine; `--count`
 * sets the number of mails.
 */
const isFull = isLong || process.env['HERMETIC_FULL'] === '1';
const MAILS = Number(process.env['HERMETIC_COUNT'] ?? (isFull ? 20_000 : 1000));
const KILLS = isFull ? 20 : 6;
/** Milliseconds for the mails between two kills. */
const WAIT = 300_000;
/** Reports per second of CPU time, measured without the start of the process. */
const RATE = 500;
const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const secret = 'correct-horse';

let folder: string;
let dovecot: Daemon;
let imapPort: number;
let dnsPort: number;
const network = new LabNetwork();

/** Returns a Maildir of one user, with a folder for each name except INBOX. */
function maildir(name: string, user = 'tlsrpt'): string {
  return join(folder, 'mail', user, name === 'INBOX' ? '' : `.${name}`);
}

let delivered = 0;

/** Delivers a mail as an LDA would. */
function deliver(box: string, text: Uint8Array): void {
  const name = `${1_700_000_000 + ++delivered}.M${delivered}.host`;
  const file = join(box, 'tmp', name);
  writeFileSync(file, text);
  chmodSync(file, 0o666);
  renameSync(file, join(box, 'new', name));
}

function createMaildir(box: string): void {
  for (const part of ['new', 'cur', 'tmp']) {
    mkdirSync(join(box, part), { recursive: true });
    chmodSync(join(box, part), 0o777);
  }
  chmodSync(box, 0o777);
}

/** Returns the mails of a Maildir: digest of the text, and flags. */
function contents(box: string): readonly { readonly digest: string; readonly flags: string }[] {
  return ['new', 'cur'].flatMap((part) =>
    readdirSync(join(box, part)).map((name) => ({
      digest: digestOf(readFileSync(join(box, part, name))),
      flags: /:2,([A-Za-z]*)$/.exec(name)?.[1] ?? '',
    })),
  );
}

function digestOf(text: Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

before(async () => {
  folder = mkdtempSync('/var/tmp/hermetic-mailbox-');
  chmodSync(folder, 0o755);
  const root = createCa({ name: 'ReportMailbox Root' });
  const { certPem, chainPem, keyPem } = issue(root, { names: ['imap.example'] });
  writeFileSync(join(folder, 'chain.pem'), chainPem ?? certPem);
  writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
  writeFileSync(join(folder, 'root.pem'), root.certPem);
  writeFileSync(join(folder, 'password'), `${secret}\n`, { mode: 0o600 });
  [imapPort, dnsPort] = [await freePort(), await freePort()];
  await startDns();
  mkdirSync(join(folder, 'mail/tlsrpt'), { recursive: true });
  writeFileSync(join(folder, 'dovecot.conf'), dovecotConf());
  for (const name of ['INBOX', 'Keep', 'Archive', 'Once']) createMaildir(maildir(name));
  dovecot = new Daemon('/usr/sbin/dovecot', ['-F', '-c', join(folder, 'dovecot.conf')], folder);
  await until(
    'dovecot',
    () => accepts('127.0.0.1', imapPort),
    () => dovecot.log,
  );
});

after(async () => {
  await dovecot.stop();
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

async function startDns(): Promise<void> {
  const text = (keyText.match(/.{1,200}/g) ?? []).map((part) => `"${part}"`).join(' ');
  const dns = new LabDns(
    [
      { apex: '.', signed: {} },
      { apex: 'example.', signed: {}, records: 'imap 300 IN A 127.0.0.1\n' },
      { apex: 'sender.example.', signed: {}, records: `s1._domainkey 300 IN TXT ${text}\n` },
    ],
    Date.now(),
  );
  await dns.serveAt(network, '192.0.2.53', { address: '127.0.0.1', port: dnsPort });
  writeFileSync(join(folder, 'anchors'), dns.anchorLine);
}

function dovecotConf(): string {
  return `base_dir = ${folder}/run
log_path = /dev/stderr
protocols = imap
ssl = required
ssl_cert = <${folder}/chain.pem
ssl_key = <${folder}/key.pem
mail_location = maildir:${folder}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = static
  args = password=${secret}
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${folder}/mail/%n
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    address = 127.0.0.1
    port = ${imapPort}
    ssl = yes
  }
}
service anvil {
  chroot =
}
namespace inbox {
  inbox = yes
  separator = /
}
`;
}

/** `hermetic serve` with the given mailboxes, in a process that can be killed. */
class Served {
  #said = '';
  #metricsPort: string | undefined;

  private constructor(
    readonly child: ChildProcess,
    readonly store: string,
  ) {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (bytes: Buffer) => {
        this.#said += bytes.toString();
        this.#metricsPort ??= /listening what=metrics at=127\.0\.0\.1:(\d+)/.exec(this.#said)?.[1];
        this.#said = this.#said.slice(-50_000);
      });
  }

  static start(name: string, mailboxes: readonly string[]): Served {
    const store = join(folder, `${name}.db`);
    const config = join(folder, `${name}.yaml`);
    const common = `server: imap.example, address: 127.0.0.1, port: ${imapPort}, user: tlsrpt, pollMinutes: 60`;
    writeFileSync(
      config,
      `resolver: {addresses: ['127.0.0.1:${dnsPort}'], trustAnchor: ${folder}/anchors}
roots: {add: ${folder}/root.pem}
store: {file: ${store}}
metrics: {listen: '127.0.0.1:0'}
report:
  domains: [rcpt.example]
  checkHours: 0
  mailboxes:
${mailboxes.map((more) => `    - {${common}, password: ${folder}/password, ${more}}\n`).join('')}`,
    );
    const child = spawn(process.execPath, ['dist/src/cli/main.js', 'serve', '--config', config], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Served(child, store);
  }

  get said(): string {
    return this.#said;
  }

  async get(path: '/health' | '/metrics'): Promise<string> {
    const port = await waitUntil('the metrics port', () => {
      if (this.child.exitCode !== null) assert.fail(this.#said);
      return this.#metricsPort;
    });
    return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  }

  /** Waits until the daemon has read every mailbox to its end. */
  async idle(): Promise<void> {
    await waitUntil('every mailbox is read', async () => {
      // Rendering the metrics uses CPU time of the measured process.
      await new Promise((resolve) => setTimeout(resolve, 300));
      const metrics = await this.get('/metrics');
      const times = [
        ...metrics.matchAll(/^hermetic_report_mailbox_read_timestamp_seconds\{.*\} (\d+)$/gm),
      ];
      return times.length > 0 && times.every(([, time]) => Number(time) > 0);
    });
  }

  /** Returns the seconds of CPU time, with threads. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }
}

const dmarcXml = '<?xml version="1.0"?>\n<feedback><report_metadata></report_metadata></feedback>';

/** Returns a mail without a usable report. Each mail has a different text. */
function foreignMail(n: number): Buffer {
  const head = `From: a@b.example\r\nTo: tlsrpt@rcpt.example\r\nMessage-ID: <${n}@b.example>\r\nMIME-Version: 1.0\r\n`;
  const attach = (type: string, name: string, content: Uint8Array): string =>
    `${head}Subject: Report domain: rcpt.example\r\nContent-Type: ${type}; name="${name}"\r\n` +
    `Content-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n` +
    `${Buffer.from(content).toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
  switch (n % 4) {
    case 0:
    case 1:
      return Buffer.from(
        attach(
          'application/gzip',
          'b.example!rcpt.example!1!2.xml.gz',
          gzipSync(`${dmarcXml}<!--${n}-->`),
        ),
      );
    case 2:
      return Buffer.from(`${head}Subject: offer\r\n\r\nBuy this, number ${n}.\r\n`);
    default:
      return Buffer.from(attach('application/tlsrpt+gzip', 'bomb.json.gz', bomb));
  }
}

/** Twenty megabytes of blanks, compressed to a small attachment. */
const bomb = gzipSync(Buffer.alloc(20_000_000, ' '));

function sums(store: Store): { readonly reports: number; readonly successful: number } {
  const found = store
    .prepare<{ n: number; ok: number }>(
      'SELECT count(*) AS n, total(ok) AS ok FROM report WHERE counted = 1',
    )
    .get();
  return { reports: found?.n ?? -1, successful: found?.ok ?? -1 };
}

test('a killed daemon loses no report, counts none twice, leaves other mail', async (t) => {
  const inbox = maildir('INBOX');
  const reports = Math.floor(MAILS * 0.6);
  const reportDigests: string[] = [];
  const foreignDigests: string[] = [];
  for (let n = 0, foreign = 0; n < MAILS; n++) {
    if (n % 10 < 6) {
      const report = reportJson(1 + (n % 7), 0, String(n), yesterday);
      const mail = await reportMail({ report, signer: 'sender.example' });
      // Every tenth report arrives twice.
      for (let copy = 0; copy < (n % 10 === 0 ? 2 : 1); copy++) {
        deliver(inbox, mail);
        reportDigests.push(digestOf(mail));
      }
    } else {
      const mail = foreignMail(foreign++);
      deliver(inbox, mail);
      foreignDigests.push(digestOf(mail));
    }
  }
  const settings = ['folder: INBOX, after: move, moveTo: Read'];
  const moved = (): number => {
    try {
      return ['new', 'cur'].flatMap((part) => readdirSync(join(maildir('Read'), part))).length;
    } catch {
      return 0;
    }
  };
  const began = performance.now();
  let cpu = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const daemon = Served.start('killed', settings);
    t.after(() => daemon.end('SIGKILL'));
    const goal = Math.floor((reportDigests.length * (kill + 0.5)) / (KILLS + 1));
    const log = (): string => `${daemon.said}\n${dovecot.log}`;
    // A tenth of the mails are compression bombs, which take most of the time on a busy
    // machine.
    await until(`${goal} mails are moved`, async () => moved() > goal, log, WAIT);
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 50));
    cpu += daemon.cpu();
    await daemon.end('SIGKILL');
  }
  const daemon = Served.start('killed', settings);
  t.after(() => daemon.end('SIGKILL'));
  await daemon.idle();
  assert.equal(await daemon.get('/health'), 'ok\n');
  cpu += daemon.cpu();
  await daemon.end('SIGTERM');
  const seconds = (performance.now() - began) / 1000;
  console.log(
    `${MAILS} mails, ${reportDigests.length} of them reports, ${KILLS} kills: ${seconds.toFixed(0)} s, ` +
      `${(MAILS / cpu).toFixed(0)} mails a second of CPU with ${KILLS + 1} starts`,
  );
  const store = await openStore(daemon.store);
  let successful = 0;
  for (let n = 0; n < MAILS; n++) if (n % 10 < 6) successful += 1 + (n % 7);
  assert.deepEqual(sums(store), { reports, successful });
  assert.equal(
    showDomain(store, 'rcpt.example', { now: Date.now() }).sessions.successful,
    successful,
  );
  assert.deepEqual(verifyStore(store), []);
  store.close();
  const left = contents(inbox);
  assert.deepEqual(left.map(({ digest }) => digest).sort(), foreignDigests.sort());
  assert.deepEqual([...new Set(left.map(({ flags }) => flags))], [''], 'no flag was set');
  assert.deepEqual(
    contents(maildir('Read'))
      .map(({ digest }) => digest)
      .sort(),
    reportDigests.sort(),
  );
});

test('a new UIDVALIDITY counts no report twice, and IDLE announces mail', async (t) => {
  const box = maildir('Keep');
  const reports = isFull ? 10_000 : 1500;
  for (let n = 0; n < reports; n++)
    deliver(
      box,
      await reportMail({ report: reportJson(1, 0, `k${n}`, yesterday), signer: 'sender.example' }),
    );
  const settings = ['folder: Keep'];
  const daemon = Served.start('keep', settings);
  t.after(() => daemon.end('SIGKILL'));
  await daemon.get('/health');
  const began = daemon.cpu();
  await daemon.idle();
  const rate = reports / (daemon.cpu() - began);
  console.log(`${rate.toFixed(0)} reports a second of CPU, ${reports} reports`);
  // The start of the reading thread and of the DKIM code takes most of the time for a
  // small mailbox.
  if (reports >= 10_000) assert.ok(rate >= RATE, `${rate} reports a second of CPU`);
  const store = await openReports(daemon.store);
  assert.equal(sums(store).reports, reports);
  // The next poll is an hour away.
  deliver(
    box,
    await reportMail({ report: reportJson(1, 0, 'late', yesterday), signer: 'sender.example' }),
  );
  await waitUntil('the new report is stored', () => sums(store).reports === reports + 1);
  await daemon.end('SIGTERM');
  for (const name of readdirSync(box))
    if (name.startsWith('dovecot')) rmSync(join(box, name), { force: true });
  // Dovecot derives UIDVALIDITY from the clock.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const again = Served.start('keep', settings);
  t.after(() => again.end('SIGKILL'));
  await again.idle();
  assert.match(await again.get('/metrics'), new RegExp(`outcome="taken"\\} ${reports + 1}$`, 'm'));
  assert.deepEqual(sums(store), { reports: reports + 1, successful: reports + 1 });
  assert.deepEqual([...new Set(contents(box).map(({ flags }) => flags))], ['']);
  store.close();
  await again.end('SIGTERM');
});

test('an archive without DKIM keys counts when its mailbox is trusted', async (t) => {
  const box = maildir('Archive');
  const old = new Date(Date.now() - 90 * 86_400_000);
  const day = new Date(old.getTime() - 86_400_000).toISOString().slice(0, 10);
  const mail = await reportMail({
    report: reportJson(3, 0, 'old', day, 'rcpt.example', 'a@gone.example'),
    signer: 'gone.example',
    from: 'a@gone.example',
    submitter: 'gone.example',
  });
  deliver(box, mail);
  for (const name of readdirSync(join(box, 'new'))) utimesSync(join(box, 'new', name), old, old);
  const daemon = Served.start('archive', ['folder: Archive, trusted: true', 'folder: Nowhere']);
  t.after(() => daemon.end('SIGKILL'));
  const health = await waitUntil('one mailbox fails', async () => {
    const text = await daemon.get('/health');
    return text !== 'ok\n' && text;
  });
  assert.equal(
    health,
    'degraded: report mailbox-folder-missing imap:tlsrpt@imap.example/Nowhere\n',
  );
  const store = await openReports(daemon.store);
  await waitUntil('the report is stored', () => sums(store).reports === 1);
  const view = showDomain(store, 'rcpt.example', { now: old.getTime() });
  assert.equal(view.trustedMailbox, 1);
  assert.equal(view.sessions.successful, 3);
  store.close();
  await daemon.end('SIGTERM');
});

test('report import reads a mailbox once, after a dry run without effect', async () => {
  const box = maildir('Once');
  const mails = await Promise.all(
    [1, 2, 3].map((n) =>
      reportMail({ report: reportJson(n, 0, `once${n}`, yesterday), signer: 'sender.example' }),
    ),
  );
  for (const mail of [...mails, foreignMail(0), foreignMail(2)]) deliver(box, mail);
  const before = contents(box);
  const store = join(folder, 'once.db');
  const run = async (
    ...more: string[]
  ): Promise<{ readonly code: number | null; readonly said: string }> => {
    // The resolver is in this process.
    const child = spawn(
      process.execPath,
      [
        ...['dist/src/cli/main.js', 'report', 'import', '--domain', 'rcpt.example'],
        ...['--mailbox', `imaps://tlsrpt@imap.example:${imapPort}/Once`],
        ...['--password-file', join(folder, 'password'), '--ca', join(folder, 'root.pem')],
        ...['--resolver', `127.0.0.1:${dnsPort}`, '--trust-anchor', join(folder, 'anchors')],
        ...['--store', store, '--after', 'move', '--move-to', 'OnceRead', ...more],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 },
    );
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, said };
  };
  const tried = await run('--dry-run');
  assert.match(tried.said, /^5 mails read: 3 with reports, 2 other mails/m);
  assert.match(tried.said, /^3 mails would be moved to OnceRead/m);
  assert.equal(tried.code, 0);
  assert.deepEqual(contents(box), before, 'no mail and no flag changed');
  assert.equal(existsSync(store), false);
  assert.equal(existsSync(maildir('OnceRead')), false);
  const imported = await run();
  assert.match(imported.said, /^3 reports new in .*once\.db, 0 were already stored/m);
  assert.equal(imported.code, 0, imported.said);
  assert.equal(contents(maildir('OnceRead')).length, 3);
  assert.deepEqual([...new Set(contents(box).map(({ flags }) => flags))], ['']);
  assert.equal(contents(box).length, 2);
  assert.match((await run()).said, /^0 mails read/m);
  const opened = await openStore(store);
  assert.deepEqual(sums(opened), { reports: 3, successful: 6 });
  opened.close();
});
