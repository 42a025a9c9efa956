import type { Command } from 'commander';
import { neutralise } from '../../base/index.js';
import {
  prepareReporting,
  previewReports,
  reportingSection,
  type PreviewedReport,
} from '../../tls-rpt-send/index.js';
import { openStoreToRead } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import { sayFailure } from '../failure-text.js';
import { DEFAULT_CONFIG, readConfig } from '../config-files.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic report preview`. */
interface PreviewFlags {
  readonly config: string;
  readonly json?: boolean;
}

/**
 * Defines `hermetic report preview`, which prints the reports that the daemon will send
 * to other domains, and the delivery state of sent reports.
 *
 * Network: none; nothing is sent. The database of the daemon is opened for reading.
 * Standard output: each report as it would be sent now (RFC 8460 §4.4), with its
 * destinations and the state of delivery. The command shows the operator which data leave
 * the machine.
 */
export function defineReportPreview(command: Command, { output, finish }: CommandContext): void {
  command
    .description('print the reports that will be sent to other domains, and those that were sent')
    .argument('[domain]', 'print only reports about this domain')
    .option('--config <file>', 'configuration with a section reporting', DEFAULT_CONFIG)
    .option('--json', 'print each report as one line of JSON')
    .action(async (domainName: string | undefined, previewFlags: PreviewFlags) =>
      finish(await preview(domainName, previewFlags, output)),
    );
  addHelpPage(command, output, {
    examples: ['hermetic report preview example.com --config /etc/hermetic/hermetic.yaml'],
  });
}

/** Prints the reports of one domain or of all, and returns the exit status. */
async function preview(
  domainName: string | undefined,
  previewFlags: PreviewFlags,
  output: Output,
): Promise<number> {
  const server = await import('../../server/index.js');
  const config = readConfig(previewFlags.config, server.parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const section = reportingSection.safeParse(strip(config.jobs['reporting']));
  if (!section.success)
    throw misuse(
      '--config',
      `${previewFlags.config} has no section reporting`,
      'Add it: docs/send-reports.md shows the form.',
    );
  const stateStore = await openStoreToRead(config.store.file, {
    prepare: prepareReporting,
    mustExist: true,
  });
  try {
    const previews = previewReports(stateStore, section.data, domainName?.toLowerCase());
    if (previewFlags.json)
      for (const previewed of previews) output.out(`${formatJson(asJson(previewed))}\n`);
    else if (previews.length === 0) output.out('No session is counted, and no report was sent.\n');
    else output.out(previews.map(asText).join('\n'));
    return exitCodes.good;
  } finally {
    stateStore.close();
  }
}

/** Returns the section without the settings that only the daemon needs. */
function strip(section: unknown): unknown {
  if (typeof section !== 'object' || section === null) return section;
  const { feed: _feed, ...rest } = section as Record<string, unknown>;
  return rest;
}

/** Returns a report as JSON members: its body, or the failure to build it. */
function asJson({ body, ...rest }: PreviewedReport): object {
  return {
    ...rest,
    ...(body.ok ? { report: JSON.parse(body.value) as unknown } : { failure: body.failure }),
  };
}

/** Returns a report with its day, its destinations and its indented body. */
function asText({ domain, day, state, destinations, body }: PreviewedReport): string {
  const where = destinations.map(destinationText);
  const outputText = body.ok ? formatJson(JSON.parse(body.value), 2) : sayFailure(body.failure);
  const heading = `${domain}  ${day}  ${state === 'counting' ? 'still counting' : 'built'}`;
  return [heading, ...where, ...outputText.split('\n').map((textLine) => `  ${textLine}`), ''].join(
    '\n',
  );
}

/**
 * Returns one destination with the state of delivery; details come from the server of the
 * destination.
 */
function destinationText({
  uri,
  state,
  due,
  detail,
}: PreviewedReport['destinations'][number]): string {
  const next = due ? `, next attempt at ${due}` : '';
  const reason = detail ? ` (${neutralise(detail, 200)})` : '';
  return `  to ${neutralise(uri, 200)}${state ? `: ${state}${next}${reason}` : ''}`;
}
