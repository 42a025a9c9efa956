import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { examplesNotRun, ExampleWorld, helpExamples, inLab } from '../support/example-world.js';
import { runCli } from '../support/run-cli.js';

let world: ExampleWorld;

before(async () => {
  world = await ExampleWorld.open();
});
after(() => world.close());

test('every example in a help text runs', async (t) => {
  for (const example of await helpExamples()) {
    if (examplesNotRun[example] !== undefined) continue;
    await t.test(example, async () => {
      const { code, err } = await world.run(inLab(example));
      // Exit statuses 1 and 3 are results; 2 is a usage error.
      assert.ok([0, 1, 3].includes(code), `${inLab(example)}\n${code}: ${err}`);
      assert.doesNotMatch(err, /\(usage\)/);
    });
  }
});

test('the example of lab list finds domains', async () => {
  const { out } = await runCli(['lab', 'list']);
  assert.match(out, /DANE/);
});
