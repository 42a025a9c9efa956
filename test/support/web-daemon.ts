/**
 * A daemon with pages and the intake of reports inside the lab, for tests that kill it.
 * Arguments: its folder, with `hermetic.yaml`. Sends the address of every port to its
 * parent.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../src/base/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createResolver } from '../../src/dns/index.js';
import { createLab } from '../../src/lab/index.js';
import {
  createLog,
  formatListenAddress,
  parseConfig,
  startDaemon,
} from '../../src/server/index.js';

const [folder = ''] = process.argv.slice(2);
const config = parseConfig(readFileSync(join(folder, 'hermetic.yaml'), 'utf8'));
if (!config.ok) throw new Error(JSON.stringify(config.failure));
const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
const lab = await createLab();
const { network, trustStore } = lab;
const daemon = await startDaemon(config.value, log, {
  version,
  replaced: {
    network,
    localNetwork: network,
    resolver: createResolver(lab),
    trustStore,
    checkOptions: () => labOptions(lab),
    examples: [],
  },
});
process.send?.(
  Object.fromEntries(daemon.listening.map(({ what, at }) => [what, formatListenAddress(at)])),
);
