import { HermeticError, nearest } from '../../base/index.js';
import type { WatchSettings } from '../../watch/index.js';
import { alertChannels, type AlertChannel } from '../alert-channels.js';
import type { JobContext } from '../service.js';

/** A receiver of digests. */
export interface DigestReceiver {
  /** Unique, and stable over restarts: `mail`, `acme/webhook`. */
  readonly channel: string;
  readonly domains: readonly string[];
  /** The group of `pages.customers`; undefined: the operator, who sees all domains. */
  readonly customer?: string;
  readonly send: AlertChannel;
}

/**
 * The receivers of digests: the operator's channels with all domains, and each group of
 * `watch.digest.customers` with its watched domains. Throws HermeticError for a group that
 * `pages.customers` does not name, or that has no watched domain.
 */
export function digestReceivers(
  settings: WatchSettings,
  jobContext: JobContext,
  operatorChannels = alertChannels(settings.notify, jobContext),
): readonly DigestReceiver[] {
  const { domains, notify, digest } = settings;
  const operator = Object.entries(operatorChannels).map(([channel, send]) => ({
    channel,
    domains,
    send,
  }));
  const customers = Object.entries(digest?.customers ?? {}).flatMap(
    ([customer, { to, webhook }]) => {
      const own = customerDomains(customer, settings, jobContext.customers);
      const mail = to === undefined ? undefined : { ...mailOf(customer, notify), to };
      const channels = alertChannels({ webhook, mail }, jobContext);
      return Object.entries(channels).map(([channel, send]) => ({
        channel: `${customer}/${channel}`,
        domains: own,
        customer,
        send,
      }));
    },
  );
  return [...operator, ...customers];
}

function mailOf(
  customer: string,
  { mail }: WatchSettings['notify'],
): NonNullable<WatchSettings['notify']['mail']> {
  if (mail) return mail;
  throw invalid(
    `${customer}.to needs a mail server, and watch.notify.mail names none`,
    'Add watch.notify.mail with from, to and server.',
  );
}

/**
 * The watched domains of a group. Throws HermeticError for an unknown group, or one of which
 * no domain is watched.
 */
export function customerDomains(
  customer: string,
  { domains }: Pick<WatchSettings, 'domains'>,
  customers: JobContext['customers'] = {},
): readonly string[] {
  const known = Object.keys(customers);
  if (!Object.hasOwn(customers, customer)) {
    const similar = nearest(customer, known);
    const all = known.length === 0 ? 'which is empty' : `which names ${known.join(', ')}`;
    throw invalid(
      `${customer} is not a group of pages.customers, ${all}`,
      similar === undefined ? 'Add the group to pages.customers.' : `Did you mean ${similar}?`,
    );
  }
  const own = new Set(customers[customer]);
  const watched = domains.filter((domain) => own.has(domain));
  if (watched.length > 0) return watched;
  throw invalid(
    `${customer}: no domain of this group is watched`,
    'Add its domains to watch.domains.',
  );
}

function invalid(fault: string, fix: string): HermeticError {
  return new HermeticError('config-invalid', `watch.digest.customers: ${fault}`, { fix });
}
