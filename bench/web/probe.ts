import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { requestFor, startLoad } from '../socketmap/load.js';

/**
 * The measuring client in a separate process, so that the generator of the flood does not
 * delay its clock.
 */
/** The delays of policies in milliseconds, and the lookups a second. */
export interface Measured {
  readonly delays: readonly number[];
  readonly rate: number;
}

const [, , policies = '0', map = '0'] = process.argv;
const WINDOW_MS = 2000;
const PER_SECOND = 500;

/**
 * Returns the milliseconds between the request of a policy and its end, for each request.
 */
async function policyDelays(): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const headers = { host: 'mta-sts.example.com' };
  const delays: number[] = [];
  const ask = (): void => {
    const began = performance.now();
    get(
      { port: policies, host: '127.0.0.1', path: '/.well-known/mta-sts.txt', agent, headers },
      (found) => {
        found.resume().once('end', () => delays.push(performance.now() - began));
      },
    ).on('error', () => delays.push(Infinity));
  };
  const began = performance.now();
  for (let sent = 0; performance.now() - began < WINDOW_MS;) {
    const due = ((performance.now() - began) * PER_SECOND) / 1000;
    for (; sent < due; sent++) ask();
    await sleep(1);
  }
  await sleep(200);
  agent.destroy();
  return delays;
}

/** Returns the number of warm lookups a second. */
async function lookupRate(): Promise<number> {
  const requests = Array.from({ length: 100 }, (_, n) => requestFor('hermetic', `d${n}.example`));
  const running = await startLoad({ port: Number(map), connections: 10, depth: 1, requests });
  await sleep(100);
  const [answered, began] = [running.answered, performance.now()];
  await sleep(WINDOW_MS);
  const rate = ((running.answered - answered) * 1000) / (performance.now() - began);
  running.stop();
  return rate;
}

process.on('message', () => {
  void (async () => {
    const delays = await policyDelays();
    process.send?.({ delays, rate: await lookupRate() } satisfies Measured);
  })();
});
process.send?.('ready');
