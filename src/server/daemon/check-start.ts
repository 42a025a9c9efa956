import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { HermeticError, isHermeticError } from '../../base/index.js';
import type { Config } from '../config/config.js';
import { controlSocket } from '../control/control-port.js';
import { formatListenAddress, type ListenAddress } from '../listen-address.js';
import { openReadOnlyContext } from './read-only-context.js';
import { jobs } from '../jobs/all-jobs.js';
import { tryListen } from '../listeners/try-listen.js';
import type { Log } from '../log.js';
import { loadCertificate } from '../secrets.js';
import { unwritable } from '../writable-folder.js';

const { R_OK, W_OK, X_OK } = constants;

/**
 * Returns the problems that would keep the daemon from starting with this configuration,
 * on this machine and as this user: files, keys, certificates, the database, ports and
 * sockets. Writes nothing and contacts no other machine.
 */
export async function checkStart(config: Config, logger: Log): Promise<readonly HermeticError[]> {
  const problems: HermeticError[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      if (!isHermeticError(error)) throw error;
      problems.push(error);
    }
  };
  for (const files of config.web?.certificates ?? []) await attempt(() => loadCertificate(files));
  await attempt(() => writableStore(config.store.file));
  await attempt(async () => {
    const jobContext = await openReadOnlyContext(config, logger);
    try {
      for (const { section, load } of jobs) {
        const settings = config.jobs[section];
        if (settings === undefined) continue;
        const code = await load();
        await attempt(() => code.check?.(settings, jobContext));
      }
    } finally {
      await jobContext.close();
    }
  });
  for (const address of addressesOf(config, problems)) {
    const failed = await tryListen(address);
    if (failed) problems.push(failed);
  }
  return problems;
}

function addressesOf(config: Config, problems: HermeticError[]): readonly ListenAddress[] {
  const { web, metrics } = config;
  const socket = controlSocket(config);
  const addresses = [
    ...(socket === undefined ? [] : [{ path: socket }]),
    ...(web?.listen ?? []),
    ...(web?.http ?? []),
    ...(metrics?.listen ?? []),
    ...jobs.flatMap(({ section, listens }) => {
      const settings = config.jobs[section];
      return settings === undefined ? [] : (listens?.(settings) ?? []);
    }),
  ];
  const known = new Set<string>();
  for (const address of addresses) {
    const text = formatListenAddress(address);
    if (known.has(text) && !text.endsWith(':0'))
      problems.push(
        new HermeticError('listen-failed', `${text}: two sections listen on it`, {
          fix: 'Give each section a separate address.',
        }),
      );
    known.add(text);
  }
  return addresses.filter(
    (address, index) => addresses.findIndex((one) => sameAddress(one, address)) === index,
  );
}

function sameAddress(left: ListenAddress, right: ListenAddress): boolean {
  return formatListenAddress(left) === formatListenAddress(right);
}

/** Throws if SQLite cannot write the file, or a journal in its folder. */
function writableStore(filePath: string): void {
  if (filePath === ':memory:') return;
  const folder = dirname(resolve(filePath));
  try {
    accessSync(folder, W_OK | X_OK);
    if (existsSync(filePath)) accessSync(filePath, R_OK | W_OK);
  } catch (error) {
    throw unwritable('store-unwritable', existsSync(folder) ? filePath : folder, error);
  }
}
