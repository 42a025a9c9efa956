import { Name, type Clock } from '../../base/index.js';
import { lookupAddresses, type Resolver } from '../../dns/index.js';
import { request } from '../../http/index.js';
import type { Network } from '../../net/index.js';
import type { TrustStore } from '../../x509/index.js';

/** The network, trust anchors and clock of a POST to a webhook. */
export interface WebhookOptions {
  /**
   * A network that refuses private addresses, because the DNS of the receiver chooses the
   * address.
   */
  readonly network: Network;
  readonly resolver: Resolver;
  readonly anchors: TrustStore;
  readonly clock: Clock;
  readonly timeoutMs?: number;
}

/**
 * Posts JSON to an https URL. Resolves to whether the receiver accepted the JSON. Does
 * not follow redirects.
 */
export async function postWebhook(
  url: string,
  json: string,
  { network, resolver, anchors, clock, timeoutMs = 15_000 }: WebhookOptions,
): Promise<boolean> {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  const parsedHost = Name.parse(hostname);
  if (protocol !== 'https:' || !parsedHost.ok) return false;
  const found = await lookupAddresses(resolver, parsedHost.value);
  const response = await request({
    network,
    addresses: [...found.v4, ...found.v6],
    host: hostname,
    port: port === '' ? undefined : Number(port),
    path: `${pathname}${search}`,
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(json),
    anchors,
    validationTime: clock.now(),
    timeoutMs,
  });
  return response.ok && response.value.status >= 200 && response.value.status < 300;
}
