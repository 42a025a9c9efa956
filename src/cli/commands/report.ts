import type { Command } from 'commander';
import type { CommandContext } from '../output.js';
import { addHelpPage } from '../help.js';
import { defineReportExport } from './report-export.js';
import { defineReportImport } from './report-import.js';
import { defineReportPreview } from './report-preview.js';
import { defineReportShow } from './report-show.js';

/**
 * Defines `hermetic report`, which reads, stores and explains TLS-RPT reports.
 *
 * The subcommands share the database of `--store`; only `import` writes to it. None of
 * them sends a report: only the daemon sends reports (`reporting` in the configuration).
 */
export function defineReport(command: Command, context: CommandContext): void {
  defineReportImport(command.command('import'), context);
  defineReportShow(command.command('show'), context);
  defineReportPreview(command.command('preview'), context);
  defineReportExport(command.command('export'), context);
  addHelpPage(command, context.output, {
    examples: [
      'hermetic report import --store reports.db ~/Maildir',
      'hermetic report show --store reports.db',
    ],
  });
}
