import { Command } from 'commander';
import { neutralise } from '../../base/index.js';
import {
  prepareReporting,
  previewReports,
  reportingSection,
  type PreviewedReport,
} from '../../tls-rpt-send/index.js';
import { openStoreToRead } from '../../store/index.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { DEFAULT_CONFIG, readConfig } from '../read-config.js';
import { sayFailure } from '../say-failure.js';
import { formatJson } from '../format-json.js';
import { misuse } from './resolver-options.js';

interface PreviewFlags {
  readonly config: string;
  readonly json?: boolean;
}

/**
 * `hermetic report preview`: what the daemon would tell others, and what became of what
 * it told.
 */
export function reportPreviewCommand(output: Output, finish: (code: number) => void): Command {
  return new Command('preview')
    .description('the reports that would be sent to others, and what became of those that were')
    .argument('[domain]', 'reports about this domain alone')
    .option('--config <file>', 'configuration with a section reporting', DEFAULT_CONFIG)
    .option('--json', 'every report as one line of JSON')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic report preview example.com --config hermetic.yaml',
    )
    .action(async (domain: string | undefined, flags: PreviewFlags) => {
      const server = await import('../../server/index.js');
      const config = readConfig(flags.config, server.parseConfig, output);
      if (!config) return finish(exitCodes.usage);
      const section = reportingSection.safeParse(strip(config.jobs['reporting']));
      if (!section.success)
        throw misuse(
          '--config',
          `${flags.config} has no section reporting`,
          'See docs/send-reports.md for one.',
        );
      const store = await openStoreToRead(config.store.file, {
        prepare: prepareReporting,
        mustExist: true,
      });
      try {
        const previews = previewReports(store, section.data, domain?.toLowerCase());
        if (flags.json)
          for (const preview of previews) output.out(`${formatJson(asJson(preview))}\n`);
        else
          output.out(
            previews.length === 0
              ? 'Nothing is counted, and nothing was sent.\n'
              : previews.map(asText).join('\n'),
          );
        finish(exitCodes.good);
      } finally {
        store.close();
      }
    });
}

/** The section without what only the daemon needs. */
function strip(section: unknown): unknown {
  if (typeof section !== 'object' || section === null) return section;
  const { feed: _feed, ...rest } = section as Record<string, unknown>;
  return rest;
}

function asJson({ body, ...rest }: PreviewedReport): object {
  return {
    ...rest,
    ...(body.ok ? { report: JSON.parse(body.value) as unknown } : { failure: body.failure }),
  };
}

function asText({ domain, day, state, destinations, body }: PreviewedReport): string {
  const where = destinations.map(({ uri, state: became, due, detail }) =>
    `  to ${neutralise(uri, 200)}${became ? `: ${became}${due ? `, next at ${due}` : ''}${detail ? ` (${neutralise(detail, 200)})` : ''}` : ''}`.trimEnd(),
  );
  const text = body.ok ? formatJson(JSON.parse(body.value), 2) : sayFailure(body.failure);
  const heading = `${domain}  ${day}  ${state === 'counting' ? 'still counting' : 'built'}`;
  return [heading, ...where, ...text.split('\n').map((line) => `  ${line}`), ''].join('\n');
}
