import { Command } from 'commander';
import { exportReports, prepareReports } from '../../tls-rpt-receive/index.js';
import { openStoreToRead } from '../../store/index.js';
import type { Output } from '../output.js';

/**
 * `hermetic report export`: the reports themselves, for another program or another
 * database.
 */
export function reportExportCommand(output: Output): Command {
  return new Command('export')
    .description('print the reports that count, one a line, as they came')
    .option('--store <file>', 'database of reports', '/var/lib/hermetic/hermetic.db')
    .option('--domain <name>', 'only those about this domain')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic report export --store reports.db | hermetic report import --store other.db -',
    )
    .action(async (flags: { store: string; domain?: string }) => {
      const store = await openStoreToRead(flags.store, {
        prepare: prepareReports,
        mustExist: true,
      });
      try {
        const { domain } = flags;
        for (const line of exportReports(
          store,
          domain === undefined ? {} : { domain: domain.toLowerCase() },
        ))
          output.out(`${line}\n`);
      } finally {
        store.close();
      }
    });
}
