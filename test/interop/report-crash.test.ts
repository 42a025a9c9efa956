import assert from 'node:assert/strict';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openReports } from '../../src/tls-rpt-receive/index.js';
import { reportJson } from '../support/report/mail.js';
import { verifyStore } from '../../src/store/index.js';
import { testSize } from '../support/test-size.js';

const rounds = testSize(8, 20);
const senders = 8;
const today = new Date().toISOString().slice(0, 10);

async function start(file: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(import.meta.dirname, '../support/report/intake.js'), [file], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [port] = (await once(child, 'message')) as [number];
  return { child, port };
}

function post(port: number, body: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const sent = request({ host: '127.0.0.1', port, method: 'POST' }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.on('error', () => resolve(undefined));
    sent.end(body);
  });
}

test(`a receiver killed ${rounds} times loses no acknowledged report`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-crash-'));
  const file = join(folder, 'reports.db');
  const acknowledged = new Set<number>();
  let next = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const { child, port } = await start(file);
      const gone = once(child, 'exit');
      const target = acknowledged.size + 20 + 3 * round;
      const send = async (): Promise<void> => {
        while (child.exitCode === null && child.signalCode === null) {
          // The client sends half of the reports again, acknowledged or not, as a sender
          // without an answer does.
          const n = Math.random() < 0.5 || next === 0 ? next++ : Math.floor(Math.random() * next);
          const status = await post(port, reportJson(1, 1, String(n), today));
          if (status === 201 || status === 200) acknowledged.add(n);
          if (acknowledged.size >= target) child.kill('SIGKILL');
          if (status === undefined) return;
        }
      };
      await Promise.all(Array.from({ length: senders }, send));
      await gone;
    }
    const store = await openReports(file);
    const stored = store
      .prepare<{ id: string; n: number }>(
        'SELECT report_id AS id, count(*) AS n FROM report GROUP BY report_id',
      )
      .all();
    assert.ok(stored.every((row) => row.n === 1));
    const ids = new Set(stored.map((row) => Number(row.id)));
    assert.deepEqual(
      [...acknowledged].filter((n) => !ids.has(n)),
      [],
    );
    assert.ok(acknowledged.size >= rounds * 20);
    const sums = store
      .prepare<{ ok: number; failed: number; reports: number }>(
        "SELECT sum(ok) AS ok, sum(failed) AS failed, sum(CASE WHEN type = '' THEN reports END) AS reports FROM report_day WHERE domain = ''",
      )
      .get();
    assert.deepEqual({ ...sums }, { ok: ids.size, failed: ids.size, reports: ids.size });
    assert.deepEqual(verifyStore(store), []);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
