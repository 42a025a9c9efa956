import type { WatchSettings } from '../../watch/index.js';
import { alertChannels, type AlertChannel } from '../alert-channels.js';
import type { JobContext } from '../service.js';
import { customerDomains, invalidCustomer } from './customer-domains.js';

/** A receiver of digests. */
export interface DigestReceiver {
  /**
   * The name, which is unique and stays the same over restarts: `mail`, `acme/webhook`.
   */
  readonly channel: string;
  readonly domains: readonly string[];
  /** The group of `pages.customers`; undefined: the operator, who sees all domains. */
  readonly customer?: string;
  readonly send: AlertChannel;
}

/**
 * Returns the receivers of digests: the operator's channels with all domains, and each
 * group of `watch.digest.customers` with its watched domains. Throws HermeticError for a
 * group that `pages.customers` does not name, or that has no watched domain.
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
  throw invalidCustomer(
    `${customer}.to needs a mail server, and watch.notify.mail names none`,
    'Add watch.notify.mail with from, to and server.',
  );
}
