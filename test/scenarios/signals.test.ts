import assert from 'node:assert/strict';
import test from 'node:test';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab } from '../../src/lab/index.js';
import { createSender } from '../../src/send/index.js';

test('a signal for many hosts causes no leak warning and is released', async () => {
  const warnings: string[] = [];
  const hear = ({ name }: Error): void => void warnings.push(name);
  process.on('warning', hear);
  const lab = await createLab();
  try {
    const { signal } = new AbortController();
    assert.equal((await check('many-mx.example', { ...labOptions(lab), signal })).verdict, 'pass');
    assert.equal(
      (await createSender({ ...lab, helo: 'a.example' }).policy('many-mx.example', signal)).action,
      'deliver',
    );
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(warnings, []);
  } finally {
    process.off('warning', hear);
    await lab.close();
  }
});

test('a signal during a check ends the check with its reason', async () => {
  const lab = await createLab();
  const stop = new AbortController();
  try {
    const running = check('tarpit.example', { ...labOptions(lab), signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 100);
    await assert.rejects(running, /enough/);
  } finally {
    await lab.close();
  }
});
