import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { openStore, verifyStore } from '../../src/store/index.js';
import { readWatch, unsentAlarms } from '../../src/watch/index.js';
import { testSize } from '../support/test-size.js';

const ROUNDS = testSize(4, 20);
const DOMAINS = 3;
/** Each domain has a fault in the second half of every twelve checks. */
const CHECKS = testSize(5, 16) * 12;

test(`a watch killed ${ROUNDS} times loses no alarm and reports no fault twice`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-watch-'));
  const [file, received] = [join(folder, 'watch.db'), join(folder, 'received')];
  const program = join(import.meta.dirname, '../support/watch-process.js');
  let killed = 0;
  try {
    for (let ended = false; !ended;) {
      const child = fork(program, [file, received, String(DOMAINS), String(CHECKS)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      const gone = once(child, 'exit');
      // A few checks after the start, at a random instant of the work.
      let budget = 1 + Math.floor(Math.random() * 8);
      child.on('message', () => {
        if (killed < ROUNDS && --budget === 0)
          setTimeout(() => child.kill('SIGKILL'), Math.random() * 8);
      });
      const [code, signal] = (await gone) as [number | null, string | null];
      if (signal === 'SIGKILL') killed++;
      else {
        assert.equal(code, 0);
        ended = true;
      }
    }
    assert.equal(killed, ROUNDS);
    const lines = readFileSync(received, 'utf8').trim().split('\n');
    const ids = new Set(lines);
    const expected = Array.from({ length: DOMAINS }, (_, n) =>
      Array.from({ length: CHECKS / 12 }, (__, fault) => {
        const name = `d${n}.example/starttls-absent/${(fault * 12 + 6) * 2 * 86_400_000}`;
        // The last fault ends after the last check.
        return fault === CHECKS / 12 - 1 ? [`${name}/added`] : [`${name}/added`, `${name}/ended`];
      }),
    ).flat(2);
    assert.deepEqual([...ids].sort(), expected.sort());
    // A kill between the receiver and the mark repeats an alarm under the same id.
    assert.ok(lines.length - ids.size <= ROUNDS, `${lines.length - ids.size} repetitions`);
    const store = await openStore(file);
    assert.deepEqual(unsentAlarms(store, 'file'), []);
    assert.equal(Object.keys(readWatch(store).domains).length, DOMAINS);
    assert.deepEqual(verifyStore(store), []);
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
