import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { reportJson } from '../../test/support/report/mail.js';
import { dial, post, sendMail } from './clients.js';
import { day, DOMAIN, RECIPIENT, sleep, type Plan, type RoleReport } from './plan.js';

/** Returns a source address in one of many /24 networks of 127.0.0.0/8. */
const source = (n: number): string => `127.1.${n % 200}.${1 + (Math.floor(n / 200) % 200)}`;

type Counts = Record<string, number>;

function count(counts: Counts, key: string | number): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

/** Repeats a step until the time is over, with the given number of steps a second. */
async function repeat(plan: Plan, perSecond: number, step: (n: number) => unknown): Promise<void> {
  const until = Date.now() + plan.seconds * 1000;
  for (let n = 0; Date.now() < until; n++) {
    await step(n);
    await sleep(1000 / (perSecond * plan.pace));
  }
}

/** Keeps idle connections on every port, and reopens closed ones. */
export async function idle(plan: Plan): Promise<RoleReport> {
  const counts: Counts = { opened: 0 };
  const { web, smtp, metrics, postfix } = plan.ports;
  const all = [
    ...Array<number>(150).fill(web),
    ...Array<number>(120).fill(smtp),
    ...Array<number>(30).fill(metrics),
    ...Array<number>(100).fill(postfix),
  ];
  const held = all.map((): ReturnType<typeof dial> | undefined => undefined);
  await repeat(plan, 100, (n) => {
    const at = n % all.length;
    if (held[at] && !held[at].destroyed) return;
    held[at] = dial(all[at] ?? web, source(n));
    count(counts, 'opened');
  });
  for (const socket of held) socket?.destroy();
  return { role: 'idle', counts };
}

/** Sends commands, mail data, header fields and bodies octet by octet. */
export async function slow(plan: Plan): Promise<RoleReport> {
  const counts: Counts = { opened: 0 };
  const scripts: readonly (readonly ['smtp' | 'postfix' | 'metrics', string, string])[] = [
    ['smtp', '', 'NOOP\r\n'],
    ['smtp', '', 'E'],
    ['smtp', `EHLO s\r\nMAIL FROM:<>\r\nRCPT TO:<${RECIPIENT}>\r\nDATA\r\n`, 'abc'],
    ['postfix', '21:hermetic ', 'a'],
    ['metrics', 'GET /health HTTP/1.1\r\nHost: x\r\n', 'X'],
    ['metrics', 'POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n', 'x'],
  ];
  const held: (ReturnType<typeof dial> | undefined)[] = Array.from({ length: 120 });
  await repeat(plan, 40, (n) => {
    const at = n % held.length;
    const [port, first, drip] = scripts[at % scripts.length] ?? scripts[0] ?? ['smtp', '', ''];
    const socket = held[at];
    if (socket && !socket.destroyed) return void socket.write(drip);
    held[at] = dial(plan.ports[port], source(n + 7));
    held[at].write(first);
    count(counts, 'opened');
  });
  for (const socket of held) socket?.destroy();
  return { role: 'slow', counts };
}

/** Sends well-formed reports with the maximum cost that the format allows. */
export async function heavy(plan: Plan): Promise<RoleReport> {
  const counts: Counts = {};
  const many = (n: number, details: number, policies: number): Buffer => {
    const report = JSON.parse(reportJson(10, 5, `heavy-${n}-${Date.now()}`, day())) as {
      policies: { 'failure-details': object[] }[];
    };
    const [policy] = report.policies;
    const [detail] = policy?.['failure-details'] ?? [];
    if (policy && detail)
      policy['failure-details'] = Array.from({ length: details }, (_, i) => ({
        ...detail,
        'receiving-mx-hostname': `h${i}.rcpt.example`,
      }));
    report.policies = Array.from({ length: policies }, () => policy as NonNullable<typeof policy>);
    return gzipSync(JSON.stringify(report));
  };
  await repeat(plan, 1, async (n) => {
    const body = n % 3 === 0 ? many(n, 1, 5000) : many(n, n % 3 === 1 ? 20_000 : 2000, 1);
    count(counts, await post(plan, body, source(n)));
  });
  return { role: 'heavy', counts };
}

/**
 * Sends compression bombs, endless bodies, mails that consist of entities, and broken
 * requests.
 */
export async function bombs(plan: Plan): Promise<RoleReport> {
  const counts: Counts = {};
  const zeros = gzipSync(Buffer.alloc(200_000_000));
  const nested = gzipSync(gzipSync(zeros));
  const html = Buffer.from(
    `From: a@b.example\r\nContent-Type: text/html\r\n\r\n${'&amp;'.repeat(1_000_000)}\r\n`,
  );
  const flowed = Buffer.from(
    `From: a@b.example\r\nContent-Type: text/plain; format=flowed\r\n\r\n${'a \r\n'.repeat(1_000_000)}`,
  );
  const large = Buffer.alloc(9_000_000, '[');
  await repeat(plan, 1, async (n) => {
    const from = source(n + 31);
    switch (n % 6) {
      case 0:
        return count(counts, await post(plan, zeros, from));
      case 1:
        return count(counts, await post(plan, nested, from));
      case 2:
        return count(counts, (await sendMail(plan, html, from)).slice(0, 3));
      case 3:
        return count(counts, (await sendMail(plan, flowed, from)).slice(0, 3));
      case 4:
        return Promise.all(
          Array.from({ length: 12 }, async (_, i) =>
            count(counts, await post(plan, large, source(n + i))),
          ),
        );
      default:
        dial(plan.ports.smtp, from).end(`${'NOOP\r\n'.repeat(5000)}`);
        dial(plan.ports.metrics, from).end('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
        return dial(plan.ports.postfix, from).end('99999999999:x');
    }
  });
  return { role: 'bombs', counts };
}

/**
 * Sends anonymous reports and unsigned messages in the names of other organisations, from
 * many networks.
 */
export async function forged(plan: Plan): Promise<RoleReport> {
  const counts: Counts = {};
  await repeat(plan, 20, async (n) => {
    const contact = `tlsrpt@provider${n % 50}.example`;
    const report = reportJson(0, 1_000_000, `forged-${n}`, day(), DOMAIN, contact).replaceAll(
      'mx1.rcpt.example',
      `mx${n}.attacker.example`,
    );
    if (n % 4 > 0) return count(counts, await post(plan, gzipSync(report), source(n + 63)));
    const mail = `From: ${contact}\r\nTo: ${RECIPIENT}\r\nSubject: Report\r\nTLS-Report-Domain: ${DOMAIN}\r\nContent-Type: application/tlsrpt+json\r\n\r\n${report}\r\n`;
    return count(counts, (await sendMail(plan, Buffer.from(mail), source(n + 63))).slice(0, 3));
  });
  return { role: 'forged', counts };
}

const PYTHON = `
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], timeout=1)
try:
    if sys.argv[2] == 'hold':
        db.isolation_level = None
        db.execute('BEGIN IMMEDIATE'); time.sleep(float(sys.argv[3])); db.execute('ROLLBACK')
    else:
        db.execute('SELECT count(*) FROM report').fetchone()
finally:
    db.close()
`;

/**
 * Runs other SQLite clients on the database file: readers, backups, and holders of the
 * write lock.
 */
export async function foreign(plan: Plan): Promise<RoleReport> {
  const counts: Counts = {};
  const file = join(plan.folder, 'hermetic.db');
  const run = (what: string, command: string, args: readonly string[]): Promise<void> =>
    new Promise((resolve) => {
      const child = spawn(command, args, { stdio: 'ignore' });
      child.on('error', () => (count(counts, `${what}: not there`), resolve()));
      child.on('close', (code) => (count(counts, `${what}: ${code}`), resolve()));
    });
  await repeat({ ...plan, pace: 1 }, 1, (n) => {
    switch (n % 4) {
      case 0:
        return run('select', 'python3', ['-c', PYTHON, file, 'select']);
      case 1:
        return run('backup', 'sqlite3', [file, `.backup ${join(plan.folder, 'copy.db')}`]);
      case 2:
        return run('lock', 'python3', ['-c', PYTHON, file, 'hold', '2']);
      default:
        return run('select', 'sqlite3', [file, 'select count(*) from report']);
    }
  });
  return { role: 'foreign', counts };
}
