import { Database, runWorker } from '../../../src/scan/engine/index.js';
import { countedWork, type CountedWorld } from './counted-work.js';

/**
 * One worker process of the scan tests. Arguments: the folder of the socket, the world
 * and the limits as JSON. The process runs until the test kills it.
 */
const [socketFolder = '', world = '{}', rules = '{}'] = process.argv.slice(2);
const onError = (error: Error): void => console.error(error.message);
for (;;)
  try {
    const database = await Database.open({
      connection: { socketFolder, user: 'hermetic' },
      maxConnections: 6,
      onError,
    });
    const stop = new AbortController();
    process.once('SIGTERM', () => stop.abort());
    await runWorker({
      database,
      work: countedWork(JSON.parse(world) as CountedWorld),
      signal: stop.signal,
      rules: JSON.parse(rules) as object,
      beats: { everyMs: 300, deadMs: 1500 },
      onError,
    });
    await database.close();
    break;
  } catch (error) {
    // The test is restarting the server.
    onError(error as Error);
    await new Promise((done) => setTimeout(done, 300));
  }
