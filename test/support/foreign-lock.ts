import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';

/** Starts a separate process that holds the write lock until its standard input ends. */
export function holdLock(t: TestContext, file: string): Promise<ChildProcessWithoutNullStreams> {
  return foreignClient(
    t,
    file,
    `d.exec('BEGIN IMMEDIATE'); console.log('locked');
     process.stdin.on('end', () => { d.exec('COMMIT'); d.close(); }).resume();`,
  );
}

/**
 * Starts a separate process that repeatedly takes the write lock for `holdMs`, with short
 * pauses, until the test kills it.
 */
export function lockOften(
  t: TestContext,
  file: string,
  holdMs: number,
): Promise<ChildProcessWithoutNullStreams> {
  return foreignClient(
    t,
    file,
    `d.exec('PRAGMA busy_timeout = 1000');
     const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     for (let n = 0; ; n++) {
       d.exec('BEGIN IMMEDIATE');
       if (n === 0) console.log('locked');
       await pause(${holdMs});
       d.exec('COMMIT');
       await pause(15);
     }`,
  );
}

async function foreignClient(
  t: TestContext,
  file: string,
  script: string,
): Promise<ChildProcessWithoutNullStreams> {
  const driver = JSON.stringify(import.meta.resolve('@photostructure/sqlite'));
  const code = `import { DatabaseSync } from ${driver}; const d = new DatabaseSync(process.argv[1]); ${script}`;
  const client = spawn(process.execPath, ['--input-type=module', '-e', code, file]);
  t.after(() => client.kill('SIGKILL'));
  await once(client.stdout, 'data');
  return client;
}
