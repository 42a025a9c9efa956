import { checkModel } from './rollover/model.js';
import { others, ours, type Order } from './rollover/orders.js';
import { simulate } from './rollover/simulate.js';

/**
 * `npm run rollover`: tests this project's order of key changes and the orders in common
 * use, with every order of events in a small model and with ten thousand senders in
 * virtual time. Exits with status 1 if this project's order defers mail, if another order
 * does not, or if the search of the small model is incomplete.
 */
const number = (flag: string, otherwise: number): number => {
  const at = process.argv.indexOf(flag);
  return at < 0 ? otherwise : Number(process.argv[at + 1]);
};
const senders = number('--senders', 10_000);
const changes = number('--changes', 24);
const seed = number('--seed', 1);

console.log(
  `Every order of events in a small model (2 authoritative servers, 2 addresses, any cache), and a simulation of ${senders} senders over ${changes} key changes:\n`,
);
const row = (...cells: readonly string[]): void =>
  console.log(cells.map((c, i) => (i === 0 ? c.padEnd(48) : c.padStart(18))).join(''));
row('order', 'states', 'small model', 'deferrals', 'per change', 'minutes (median)');
const traces: string[] = [];
for (const order of [ours, ...others] as readonly Order[]) {
  const own = order === ours;
  const model = checkModel(order, {
    changes: 2,
    dsChanges: own ? 1 : 0,
    held: own ? 2 : 1,
    limit: 3_000_000,
  });
  const { held, minutes } = simulate(order, { senders, changes, seed });
  const safe = model.whole && !model.failure && model.stuck === 0;
  row(
    order.name,
    String(model.states),
    model.failure ? 'defers mail' : safe ? 'safe, complete' : 'incomplete',
    String(held),
    (held / changes).toFixed(0),
    minutes.toFixed(0),
  );
  if (model.failure)
    traces.push(`${order.name}: ${model.failure.what}\n  ${model.failure.trace.join('\n  ')}`);
  if (own ? !safe || held > 0 : !model.failure || held === 0) process.exitCode = 1;
}
console.log(`\nShortest sequences that defer mail:\n\n${traces.join('\n\n')}`);
