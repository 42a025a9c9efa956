import type { Config } from '../config/config.js';
import type * as CheckStart from './check-start.js';
import type * as ReadOnlyContext from './read-only-context.js';
import type { Log } from '../log.js';
import type * as Publisher from '../publisher.js';
import type { SenderTestSettings } from '../../sender/settings.js';
import type * as SenderSiteModule from '../sender-site.js';

/*
 * Functions that individual commands need. Each function loads its code when it is
 * called, because the daemon does not need this code to start.
 */

/** Returns the section `publish` of a configuration, for rounds that are run manually. */
export function publishSettings({
  jobs,
}: Pick<Config, 'jobs'>): Publisher.PublishSettings | undefined {
  return jobs['publish'] as Publisher.PublishSettings | undefined;
}

/** Returns the section `senderTest` of a configuration, for commands. */
export function senderTestSettings({ jobs }: Pick<Config, 'jobs'>): SenderTestSettings | undefined {
  return jobs['senderTest'] as SenderTestSettings | undefined;
}

/**
 * Reads the keys of the sender test, generates missing ones, and returns the
 * installation.
 */
export async function openSenderSite(
  settings: SenderTestSettings,
): Promise<SenderSiteModule.SenderSite> {
  const { openSenderKeys, senderSite } = await import('../sender-site.js');
  return senderSite(settings, openSenderKeys(settings.keys));
}

/** Loads {@link CheckStart.checkStart} and calls it. */
export async function checkStart(
  config: Config,
  logger: Log,
): ReturnType<typeof CheckStart.checkStart> {
  const loaded = await import('./check-start.js');
  return loaded.checkStart(config, logger);
}

/** Loads {@link ReadOnlyContext.openReadOnlyContext} and calls it. */
export async function openReadOnlyContext(
  config: Config,
  logger: Log,
): ReturnType<typeof ReadOnlyContext.openReadOnlyContext> {
  const loaded = await import('./read-only-context.js');
  return loaded.openReadOnlyContext(config, logger);
}

/** Loads {@link Publisher.openPublishing} and calls it. */
export async function openPublishing(
  ...options: Parameters<typeof Publisher.openPublishing>
): Promise<Publisher.Publishing> {
  const loaded = await import('../publisher.js');
  return loaded.openPublishing(...options);
}
