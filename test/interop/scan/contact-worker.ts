import { connect } from 'node:net';
import { once } from 'node:events';
import { Database, returnAddress, takeAddress } from '../../../src/scan/index.js';

/**
 * A process that contacts an address as often as the shared limits allow, and ends when
 * the budget of the day is used up. Arguments: socket folder, address, port, budget.
 */
const [socketFolder = '', address = '', port = '0', budget = '0'] = process.argv.slice(2);
const database = await Database.open({ connection: { socketFolder, user: 'hermetic' } });
for (;;) {
  const taken = await takeAddress(database, {
    ...{ table: 'address', address, names: ['mx.example'], connections: 3 },
    ...{ dailyBudget: Number(budget), holdMs: 60_000 },
  });
  if (taken.kind === 'later' && !taken.isSpent) {
    await new Promise((done) => setTimeout(done, Math.min(20, taken.ms)));
    continue;
  }
  if (taken.kind !== 'held') break;
  // A contact that received all three connections returns one of them unused.
  const connections = Math.min(2, taken.connections);
  for (let count = 0; count < connections; count++) {
    const socket = connect({ host: address, port: Number(port) });
    await once(socket, 'data');
    socket.write('QUIT\r\n');
    await once(socket, 'close');
  }
  await returnAddress(database, taken, { connections, pauseMs: 0 });
}
await database.close();
