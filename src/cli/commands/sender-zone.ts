import type { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import type { StaticZone } from '../../sender/index.js';
import { DEFAULT_CONFIG, readConfig } from '../config-files.js';
import { exitCodes } from '../exit-codes.js';
import { addHelpPage } from '../help.js';
import { misuse } from '../options.js';
import { formatJson, type CommandContext, type Output } from '../output.js';

/** The options of `hermetic sender zone`. */
interface ZoneFlags {
  readonly config: string;
  /** Whether to print whole zones, for a server that answers instead of the daemon. */
  readonly static?: boolean;
  /** The only slot of `--static`. */
  readonly slot: string;
  readonly json?: boolean;
}

/**
 * Defines `hermetic sender zone`, which prints the records of the public sender test.
 *
 * Without `--static`, it prints the records for the parent zone, which delegate the zone
 * to the daemon. With `--static`, it prints every zone of one slot, for a name server
 * without delegation to the daemon. Creates missing keys, because DS and TLSA records
 * refer to them.
 */
export function defineSenderZone(command: Command, { output, finish }: CommandContext): void {
  command
    .summary('print the DNS records of a public sender test')
    .option('--config <file>', 'configuration with the section senderTest', DEFAULT_CONFIG)
    .option('--static', 'print whole zones for another name server')
    .option('--slot <label>', 'slot of --static', 'me')
    .option('--json', 'print JSON')
    .action(async (flags: ZoneFlags) => finish(await print(flags, output)));
  addHelpPage(command, output, {
    examples: [
      'hermetic sender zone --config /etc/hermetic/hermetic.yaml',
      'hermetic sender zone --static --config /etc/hermetic/hermetic.yaml',
    ],
  });
}

async function print(flags: ZoneFlags, output: Output): Promise<number> {
  if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(flags.slot))
    throw misuse('--slot', `${flags.slot} is not a label`, 'Write letters and digits, such as me.');
  const { parseConfigFiles, openSenderSite, senderTestSettings } =
    await import('../../server/index.js');
  const config = readConfig(flags.config, parseConfigFiles, output);
  if (!config) return exitCodes.usage;
  const settings = senderTestSettings(config);
  if (!settings)
    throw new HermeticError('sender-test-absent', `${flags.config}: no senderTest`, {
      fix: 'Add the section senderTest: docs/host-the-sender-test.md shows the form.',
    });
  const { delegationText, staticZones } = await import('../../sender/index.js');
  const site = await openSenderSite(settings);
  if (!flags.static) {
    const text = delegationText(site, site.keys.zone);
    output.out(flags.json ? `${formatJson({ zone: site.zone, records: text })}\n` : text);
    return exitCodes.good;
  }
  const zones = staticZones({
    site,
    cases: site.cases,
    slot: flags.slot,
    apexAddresses: settings.policyAddresses,
    key: site.keys.zone,
  });
  output.out(flags.json ? `${formatJson(zones)}\n` : zones.map(zoneText).join('\n'));
  return exitCodes.good;
}

const instructions: Readonly<Record<StaticZone['dnssec'], string>> = {
  secure: 'sign this zone, and add its DS records to the parent zone',
  insecure: 'do not sign this zone, and add no DS record to the parent zone',
  bogus: 'its DS record in the parent zone matches no key: change neither the zone nor the record',
};

/**
 * Returns the text of a zone, below a comment that names the zone and states its signing.
 */
function zoneText({ apex, dnssec, parent, text }: StaticZone): string {
  const above = parent === undefined ? '' : `, zone above: ${parent}`;
  return `; zone ${apex}${above}\n; ${instructions[dnssec]}\n${text}`;
}
