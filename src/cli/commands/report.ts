import { Command } from 'commander';
import type { Output } from '../output.js';
import { reportExportCommand } from './report-export.js';
import { reportImportCommand } from './report-import.js';
import { reportPreviewCommand } from './report-preview.js';
import { reportShowCommand } from './report-show.js';

/** `hermetic report`: TLS-RPT reports read, kept and explained. */
export function reportCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return new Command('report')
    .description('TLS-RPT reports: read them, and see what they say')
    .addCommand(reportImportCommand(output, signal, finish))
    .addCommand(reportShowCommand(output, finish))
    .addCommand(reportPreviewCommand(output, finish))
    .addCommand(reportExportCommand(output))
    .addHelpText(
      'after',
      '\nExample:\n  hermetic report import --store reports.db ~/Maildir && hermetic report show --store reports.db',
    );
}
