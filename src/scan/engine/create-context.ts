import { WebContacts, type WebContactOptions } from './contacts/web-contacts.js';
import type { ScanContext } from './contract/scan-context.js';
import { FactStore } from './database/store-facts.js';
import { HostStore } from './database/store-hosts.js';
import { ConnectionRate } from './visits/connection-rate.js';
import { politeness } from './visits/politeness.js';

/** Creates the inputs of a worker. The default limits apply if the options set none. */
export function scanContext(
  given: Pick<ScanContext, 'database' | 'work' | 'clock' | 'signal'>,
  options: WebContactOptions = {
    rules: politeness,
    rate: new ConnectionRate(given.clock, politeness.connectionsPerSecond),
  },
): ScanContext {
  const { database } = given;
  return {
    ...given,
    facts: new FactStore(database, given.clock),
    hosts: new HostStore(database),
    web: new WebContacts(given, options),
  };
}
