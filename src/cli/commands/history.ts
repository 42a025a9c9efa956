import type { Command } from 'commander';
import { historyTables, nameOf, readHistory } from '../../check/index.js';
import { migrateStore, openStoreToRead } from '../../store/index.js';
import { databaseFile, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import { formatJson, type CommandContext } from '../output.js';

/** Options of `hermetic history`. */
interface HistoryFlags {
  readonly store: string;
  readonly json?: boolean;
}

/**
 * Defines `hermetic history`, which prints the checks that the watch of the daemon
 * stored, oldest first.
 *
 * Network: none. The database is opened for reading. Standard output: a line for each check,
 * or each result as one JSON object (`hermetic.check/1`). Exit status: 0, or 2 when the
 * database cannot be used.
 */
export function defineHistory(command: Command, { output }: CommandContext): void {
  command
    .argument('[domain]', 'print only checks of this domain')
    .option('--store <file>', 'database of the daemon', DEFAULT_STORE)
    .option('--json', 'print each result as one line of JSON')
    .action(async (domainName: string | undefined, flags: HistoryFlags) => {
      const domain = domainName === undefined ? undefined : nameOf(domainName).toLower();
      const stateStore = await openStoreToRead(databaseFile(flags.store), {
        prepare: (store) => migrateStore(store, historyTables.job, historyTables.migrations),
        mustExist: true,
      });
      try {
        for (const result of readHistory(stateStore, { domain })) {
          if (output.gone) break;
          const { checkedAt, verdict, findings } = result;
          const faults = findings.filter(
            ({ severity }) => severity !== 'info' && severity !== 'good',
          );
          const ids = [...new Set(faults.map(({ id }) => id))].join(' ');
          const line = `${checkedAt} ${result.domain} ${verdict} ${ids}`.trimEnd();
          output.out(`${flags.json ? formatJson(result) : line}\n`);
        }
      } finally {
        stateStore.close();
      }
    });
  addHelpPage(command, output, {
    examples: ['hermetic history example.com', 'hermetic history --store reports.db --json'],
  });
}
