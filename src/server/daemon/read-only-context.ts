import { openAcmeStore, openLedger } from '../../publish/index.js';
import { prepareReports } from '../../tls-rpt-receive/index.js';
import { stsStore } from '../../send/index.js';
import { openStore, openStoreToRead, type Store } from '../../store/index.js';
import type { Config } from '../config/config.js';
import { openJobContext, type OpenJobContext } from './job-context.js';
import type { Log } from '../log.js';
import type { StoreSource } from '../shared-store.js';

/**
 * Opens the resources that a command needs to show the plans of publishing. Writes
 * nothing and creates no tables.
 */
export function openReadOnlyContext(config: Config, logger: Log): Promise<OpenJobContext> {
  const prepare = (stateStore: Store): void => {
    openLedger(stateStore);
    openAcmeStore(stateStore);
    prepareReports(stateStore);
  };
  return openJobContext(config, logger, readingStore(prepare));
}

/**
 * Returns a store for reading. Policies that a command fetches are discarded when the
 * command ends.
 */
function readingStore(prepare: (stateStore: Store) => void): StoreSource {
  return {
    async lease(filePath) {
      const stateStore = await openStoreToRead(filePath, { prepare });
      const memory = await openStore(':memory:');
      return {
        store: stateStore,
        stsCache: stsStore(memory),
        release() {
          memory.close();
          stateStore.close();
          return Promise.resolve();
        },
      };
    },
  };
}
