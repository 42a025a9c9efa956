import type { Command } from 'commander';
import { systemClock } from '../../base/index.js';
import { migrateStore, openStoreToRead } from '../../store/index.js';
import { prepareReports } from '../../tls-rpt-receive/index.js';
import {
  digestHtml,
  digestJson,
  digestPeriod,
  digestText,
  readDigest,
  watchSection,
  watchTables,
} from '../../watch/index.js';
import { DEFAULT_CONFIG, readConfig } from '../config-files.js';
import { exitCodes } from '../exit-codes.js';
import { assertWritable, STANDARD_STREAM } from '../files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import type { CommandContext } from '../output.js';
import { writeOutput } from './report-options.js';

/** Options of `hermetic digest`. */
interface DigestFlags {
  readonly config: string;
  readonly customer?: string;
  readonly html?: string;
  readonly json?: boolean;
}

type Customers = Readonly<Record<string, readonly string[]>>;

/** Returns the groups of domains in the section `pages`. */
function customersOf({ pages }: Readonly<Record<string, unknown>>): Customers {
  return (pages as { readonly customers: Customers } | undefined)?.customers ?? {};
}

/** The schedule of a preview if the configuration has none. */
const weekly = { every: 'week', hour: 7 } as const;

/**
 * Defines `hermetic digest`, which prints the digest that the daemon would send now.
 *
 * Network: none. The database is opened for reading, and nothing is marked as sent. Standard
 * output: the text of the mail, its HTML, or JSON (`hermetic.watch-digest/1`). Exit status:
 * 0, or 2 when the configuration or the database cannot be used.
 */
export function defineDigest(command: Command, context: CommandContext): void {
  command
    .option('--config <file>', 'configuration of the daemon', DEFAULT_CONFIG)
    .option('--customer <name>', 'the digest of a group of pages.customers')
    .option('--html <file>', 'write the HTML of the mail; - is standard output')
    .option('--json', 'print what a webhook receives (schema watch-digest-1)')
    .action(async (flags: DigestFlags) => context.finish(await show(flags, context)));
  addHelpPage(command, context.output, {
    note: 'The digest covers the last day or week. The command sends nothing and does not change the next digest of the daemon.',
    examples: [
      'hermetic digest --config /etc/hermetic/hermetic.yaml',
      'hermetic digest --config /etc/hermetic/hermetic.yaml --html digest.html',
    ],
  });
}

async function show(flags: DigestFlags, { output }: CommandContext): Promise<number> {
  if (flags.json && flags.html === STANDARD_STREAM)
    throw misuse('--html', 'writes to standard output as --json does', 'Use a file for it.');
  if (flags.html !== undefined) assertWritable(flags.html, '--html');
  const server = await import('../../server/index.js');
  const config = readConfig(flags.config, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const section = watchSection.safeParse(config.jobs['watch']);
  if (!section.success)
    throw misuse(
      '--config',
      `${flags.config} has no section watch, and a digest summarises that section`,
      'Add it: docs/watch.md shows the form.',
    );
  const { digest: schedule = weekly } = section.data;
  const isConfined = flags.customer !== undefined;
  const domains = isConfined
    ? server.customerDomains(flags.customer, section.data, customersOf(config.jobs))
    : section.data.domains;
  const until = systemClock.now();
  const store = await openStoreToRead(config.store.file, {
    prepare: (opened) => {
      migrateStore(opened, watchTables.job, watchTables.migrations);
      prepareReports(opened);
    },
    mustExist: true,
  });
  try {
    const from = until - digestPeriod(schedule);
    const digest = await readDigest(store, { domains, isConfined, schedule, from, until });
    if (flags.html !== undefined)
      writeOutput({ option: '--html', path: flags.html }, digestHtml(digest), output);
    if (flags.json) output.out(`${digestJson(digest)}\n`);
    else if (flags.html !== STANDARD_STREAM) output.out(digestText(digest));
    return exitCodes.good;
  } finally {
    store.close();
  }
}
