import type { Command } from 'commander';
import { exportReports, prepareReports } from '../../tls-rpt-receive/index.js';
import { openStoreToRead } from '../../store/index.js';
import { databaseFile, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import { present } from '../options.js';
import type { CommandContext } from '../output.js';

/**
 * Defines `hermetic report export`, which prints stored reports, for a program or another
 * database.
 *
 * Network: none. The database is opened for reading and need not be idle. Standard
 * output: each report as it arrived, one JSON object on each line. Reports that do not
 * count, such as unauthenticated ones, are omitted. Exit status: 0, or 2 when the
 * database cannot be used.
 */
export function defineReportExport(command: Command, { output }: CommandContext): void {
  command
    .description('print the authenticated reports, one per line, as received')
    .option('--store <file>', 'database of reports', DEFAULT_STORE)
    .option('--domain <name>', 'print only reports about this domain')
    .action(async (flags: { readonly store: string; readonly domain?: string }) => {
      const stateStore = await openStoreToRead(databaseFile(flags.store), {
        prepare: prepareReports,
        mustExist: true,
      });
      try {
        const filter = present({ domain: flags.domain?.toLowerCase() });
        for (const textLine of exportReports(stateStore, filter)) {
          if (output.gone) break;
          output.out(`${textLine}\n`);
        }
      } finally {
        stateStore.close();
      }
    });
  addHelpPage(command, output, {
    examples: [
      'hermetic report export --store reports.db | hermetic report import --store other.db -',
    ],
  });
}
