import { openAcmeStore, openLedger } from '../../publish/index.js';
import { prepareReports } from '../../tls-rpt-receive/index.js';
import { stsStore } from '../../send/index.js';
import { openStore, openStoreToRead, type Store } from '../../store/index.js';
import type { Config } from '../config/config.js';
import { openHouse, type OpenJobContext } from './job-context.js';
import type { Log } from '../log.js';
import type { StoreSource } from '../shared-store.js';

/** Opens what publishing needs to show plans: nothing is written, not even tables. */
export function openHouseToRead(config: Config, log: Log): Promise<OpenJobContext> {
  const prepare = (store: Store): void => {
    openLedger(store);
    openAcmeStore(store);
    prepareReports(store);
  };
  return openHouse(config, log, readingStore(prepare));
}

/** Policies that a command fetches are forgotten with it. */
function readingStore(prepare: (store: Store) => void): StoreSource {
  return {
    async lease(file) {
      const store = await openStoreToRead(file, { prepare });
      const memory = await openStore(':memory:');
      return {
        store,
        stsCache: stsStore(memory),
        release() {
          memory.close();
          store.close();
          return Promise.resolve();
        },
      };
    },
  };
}
