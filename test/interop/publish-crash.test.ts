import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashAtEveryStep, enough, untilCrash } from '../support/publish/crash-injection.js';
import { DomainSimulation } from '../support/publish/domain-simulation.js';
import { testSize } from '../support/test-size.js';

/** The long form tries a crash at every step. */
const strides = { 'before a step': testSize(8, 1), 'halfway through a file': 1 } as const;

for (const moment of enough)
  test(`a crash ${moment} a domain's whole life defers no mail and changes no result`, async () => {
    const calm = await DomainSimulation.begin();
    await calm.live();
    const expected = calm.summary();
    assert.deepEqual(calm.left(), [], 'nothing that was written is left behind');
    await calm.end();
    const steps = await crashAtEveryStep(
      moment,
      async (mortal, nth) => {
        const life = await DomainSimulation.begin();
        try {
          await untilCrash(() => life.live(mortal));
          life.judge();
          await life.live();
          assert.deepEqual(life.summary(), expected, `death at step ${nth}`);
        } finally {
          await life.end();
        }
      },
      strides[moment],
    );
    assert.ok(steps >= (moment === 'before a step' ? 80 : 4), `only ${steps} steps`);
  });
