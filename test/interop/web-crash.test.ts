import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { allScenarios } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { openStore, verifyStore } from '../../src/store/index.js';
import { AccountTable } from '../../src/web/index.js';
import { hashPassword } from '../../src/web/access/password-hash.js';
import { formToken } from '../support/testing-pages.js';
import { reportJson } from '../support/report/mail.js';
import { testSize } from '../support/test-size.js';

const rounds = testSize(8, 20);
const REPORTS = 'reports.good.example';
const password = 'correct horse battery';
const today = new Date().toISOString().slice(0, 10);

/** Actions that the daemon acknowledged, over all rounds. */
const acknowledged = {
  sessions: new Set<string>(),
  tokens: new Set<string>(),
  checks: new Set<string>(),
  reports: new Set<string>(),
};

interface Served {
  readonly child: ChildProcess;
  readonly ports: Readonly<Record<string, string>>;
}

async function start(folder: string): Promise<Served> {
  const child = fork(join(import.meta.dirname, '../support/web-daemon.js'), [folder], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [ports] = (await once(child, 'message')) as [Served['ports']];
  return { child, ports };
}

interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends a request; undefined when the daemon died before the answer was complete. */
function ask(at: string, path: string, sent: Sent = {}): Promise<IncomingMessage | undefined> {
  const secure = at.startsWith('https:');
  const [host, port] = at.replace(/^https?:/, '').split(':');
  return new Promise((resolve) => {
    const options = { host, port, path, rejectUnauthorized: false, servername: REPORTS, ...sent };
    const asked = (secure ? httpsRequest : httpRequest)(options, (answer) => {
      answer.resume();
      answer.on('error', () => resolve(undefined));
      answer.on('end', () => resolve(answer));
    });
    asked.on('error', () => resolve(undefined));
    asked.end(sent.body);
  });
}

function form(at: string, fields: Readonly<Record<string, string>>, cookie?: string): Sent {
  return {
    method: 'POST',
    body: new URLSearchParams(fields).toString(),
    headers: {
      host: at,
      origin: `http://${at}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...(cookie !== undefined && { cookie }),
    },
  };
}

async function signIn(at: string, name: string): Promise<string | undefined> {
  const answer = await ask(at, '/sign-in', form(at, { name, password, next: '/o' }));
  const cookie = answer?.headers['set-cookie']?.[0]?.split(';')[0];
  if (answer?.statusCode === 303 && cookie !== undefined) acknowledged.sessions.add(cookie);
  return cookie;
}

/** Sends the requests of one round; every loop ends when the daemon has ended. */
async function load({ child, ports }: Served, round: number): Promise<void> {
  const pages = ports['pages'] ?? '';
  const isGone = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const cookie = await signIn(pages, `admin${round}`);
  let label = 0;
  const tokens = async (): Promise<void> => {
    while (!isGone() && cookie !== undefined) {
      const name = `t${round}-${label++}`;
      const fields = {
        label: name,
        days: '30',
        'scope-check:read': 'on',
        token: formToken(cookie),
      };
      const answer = await ask(pages, '/o/tokens', form(pages, fields, cookie));
      if (answer?.statusCode === 200) acknowledged.tokens.add(name);
    }
  };
  const checks = async (): Promise<void> => {
    for (let n = 0; !isGone(); n++) {
      const { domain = '' } = allScenarios[(round * 7 + n) % allScenarios.length] ?? {};
      const sent = form(pages, { domain });
      // A client may run few checks concurrently, so each request has a different client.
      const headers = { ...sent.headers, 'x-forwarded-for': `198.51.${round}.${n % 250}` };
      const answer = await ask(pages, '/check', { ...sent, headers });
      const path = answer?.headers.location;
      if (answer?.statusCode === 303 && path !== undefined) acknowledged.checks.add(path);
    }
  };
  let number = 0;
  const reports = async (): Promise<void> => {
    while (!isGone()) {
      const id = `${round}-${number++}`;
      const sent = {
        method: 'POST',
        headers: { host: REPORTS },
        body: reportJson(1, 1, id, today),
      };
      const answer = await ask(`https:${ports['web'] ?? ''}`, '/v1/tlsrpt', sent);
      if (answer?.statusCode === 201 || answer?.statusCode === 200) acknowledged.reports.add(id);
    }
  };
  const reading = async (): Promise<void> => {
    while (!isGone()) await ask(pages, '/o', { headers: { host: pages, cookie: cookie ?? '' } });
  };
  const killing = (async () => {
    const before = acknowledged.tokens.size;
    const until = Date.now() + 20_000;
    const enough = before + 2 + Math.floor(Math.random() * 8);
    while (acknowledged.tokens.size < enough && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGKILL');
  })();
  await Promise.all([killing, tokens(), checks(), reports(), reports(), reading(), reading()]);
}

test(`a daemon killed ${rounds} times under web load loses no acknowledged write`, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-web-crash-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'hermetic.db');
  const { chainPem, keyPem } = issue(createCa({ name: 'Crash CA' }), { names: [REPORTS] });
  writeFileSync(join(folder, 'chain.pem'), chainPem);
  writeFileSync(join(folder, 'key.pem'), keyPem, { mode: 0o600 });
  writeFileSync(
    join(folder, 'hermetic.yaml'),
    `store: {file: ${file}}
web: {listen: '127.0.0.1:0', certificates: [{chain: ${folder}/chain.pem, key: ${folder}/key.pem}]}
report: {domains: [good.example, rcpt.example], checkHours: 0, https: {host: ${REPORTS}, path: /v1/tlsrpt}}
pages:
  listen: ['127.0.0.1:0']
  proxies: [127.0.0.1]
  signIn: {}
  limits: {againMinutes: 0, perClient: 100000, perServer: 100000, perDomain: 100000, reuseMinutes: 0}
`,
  );
  const first = await openStore(file);
  const by = { at: Date.now(), actor: 'test', way: 'command', network: '' };
  const hash = await hashPassword(password, { log2N: 4, r: 8, p: 1 });
  // An account has at most 50 tokens, so each round uses a separate account.
  for (let round = 0; round < rounds; round++) {
    const account = { name: `admin${round}`, role: 'admin', customers: undefined } as const;
    await new AccountTable(first).add(account, hash, by);
  }
  first.close();

  for (let round = 0; round < rounds; round++) {
    const served = await start(folder);
    const gone = once(served.child, 'exit');
    await load(served, round);
    await gone;
  }

  const served = await start(folder);
  const pages = served.ports['pages'] ?? '';
  try {
    for (const cookie of acknowledged.sessions) {
      const answer = await ask(pages, '/o', { headers: { host: pages, cookie } });
      assert.equal(answer?.statusCode, 200, 'a session was lost');
    }
    for (const path of acknowledged.checks) {
      const answer = await ask(pages, path, { headers: { host: pages } });
      assert.equal(answer?.statusCode, 200, `the check ${path} was lost`);
    }
  } finally {
    const gone = once(served.child, 'exit');
    served.child.kill('SIGKILL');
    await gone;
  }
  const store = await openStore(file);
  t.after(() => store.close());
  const column = (sql: string): readonly string[] =>
    store
      .prepare<{ readonly value: string }>(sql)
      .all()
      .map(({ value }) => value);
  const labels = column('SELECT label AS value FROM web_token');
  const audited = column("SELECT subject AS value FROM web_audit WHERE action = 'token-create'");
  const missing = [...acknowledged.tokens].filter((name) => !labels.includes(name));
  assert.deepEqual(missing, [], 'tokens');
  // Every token has a line in the audit log, whether the daemon acknowledged it or not.
  assert.equal(audited.length, labels.length);
  const signIns = column("SELECT subject AS value FROM web_audit WHERE action = 'sign-in'");
  assert.ok(signIns.length >= acknowledged.sessions.size);
  const reports = column('SELECT report_id AS value FROM report');
  assert.equal(new Set(reports).size, reports.length, 'a report counts once');
  assert.deepEqual(
    [...acknowledged.reports].filter((id) => !reports.includes(id)),
    [],
    'reports',
  );
  assert.deepEqual(verifyStore(store), []);
  const sizes = Object.values(acknowledged).map(({ size }) => size);
  console.log(`acknowledged: sessions, tokens, checks, reports ${sizes.join(', ')}`);
  assert.ok(
    sizes.every((size) => size >= rounds / 4),
    sizes.join(),
  );
});
