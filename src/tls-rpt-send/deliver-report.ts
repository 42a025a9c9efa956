import { gzipSync } from 'node:zlib';
import { Name, type Clock } from '../base/index.js';
import { lookupAddresses, type Resolver } from '../dns/index.js';
import { request } from '../http/index.js';
import type { Network } from '../net/index.js';
import { parseReport } from '../tls-rpt/index.js';
import type { TrustStore } from '../x509/index.js';
import type { Delivery, Mail } from '../send/index.js';
import type { Reporter } from './build-report.js';
import { composeReportMail, type DkimKey } from './compose-report-mail.js';
import { parseDestination, type Destination } from './destinations.js';
import { reportingFailures } from './failures.js';
import type { QueuedReport, DeliverySettlement } from './outbox.js';

/** The reporter, the key and the network access that a delivery uses. */
export interface DeliverReportOptions {
  readonly reporter: Reporter;
  /**
   * The key that signs report mail. Without a key no report is sent by mail, since
   * receivers ignore unsigned reports (RFC 8460 §3).
   */
  readonly dkim?: DkimKey;
  /**
   * Sends report mail. The sessions that carry this mail are never counted [8460-3-20].
   */
  deliver(mail: Mail): Promise<Delivery>;
  /**
   * A network that refuses connections to private addresses, since the record of another
   * domain chooses the target.
   */
  readonly network: Network;
  readonly resolver: Resolver;
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

const refused = (detail: string): DeliverySettlement => ({
  delivered: false,
  failure: reportingFailures.make('reporting-refused', detail),
});
const putOff = (detail: string): DeliverySettlement => ({
  delivered: false,
  failure: reportingFailures.make('reporting-put-off', detail),
});

/**
 * Attempts to deliver a report to one destination. Rejects only with `signal.reason` and
 * for misuse.
 */
export async function deliverReport(
  queued: QueuedReport,
  options: DeliverReportOptions,
): Promise<DeliverySettlement> {
  const destination = parseDestination(queued.uri);
  if (!destination) return refused('not an address');
  return destination.kind === 'mail'
    ? byMail(queued, destination.address, options)
    : byHttps(queued, destination, options);
}

/**
 * Sends with an empty envelope sender, so that no bounce is generated (RFC 5321 §4.5.5).
 */
async function byMail(
  queued: QueuedReport,
  recipientAddress: string,
  { reporter, dkim, deliver, clock, signal }: DeliverReportOptions,
): Promise<DeliverySettlement> {
  if (!dkim) return putOff('no key to sign with: reporting.dkim');
  const parsed = parseReport(queued.body);
  if (!parsed.ok) return refused(parsed.failure.code);
  const { report } = parsed.value;
  const message = await composeReportMail({
    reporter,
    report,
    body: queued.body,
    policyDomain: queued.domain,
    to: recipientAddress,
    dkim,
    at: clock.now(),
  });
  const { recipients } = await deliver({ from: '', to: [recipientAddress], message, signal });
  const [recipient] = recipients;
  if (recipient?.status === 'delivered') return { delivered: true };
  const detail = `${recipient?.failure?.code ?? ''} ${recipient?.failure?.detail ?? ''}`.trim();
  return recipient?.status === 'rejected' ? refused(detail) : putOff(detail);
}

/** Sends a POST with the media type of the content [8460-5.4-1]; follows no redirects. */
async function byHttps(
  queued: QueuedReport,
  { host, port, path }: Extract<Destination, { kind: 'https' }>,
  { network, resolver, trustStore, clock, signal }: DeliverReportOptions,
): Promise<DeliverySettlement> {
  const parsedName = Name.parse(host);
  if (!parsedName.ok) return refused('no host name');
  const found = await lookupAddresses(resolver, parsedName.value, { signal });
  if (found.status !== 'found') return putOff(found.failure?.code ?? 'the host has no address');
  const answered = await request({
    network,
    addresses: [...found.v4, ...found.v6],
    host,
    port,
    path,
    method: 'POST',
    headers: { 'content-type': 'application/tlsrpt+gzip' },
    body: gzipSync(queued.body),
    anchors: trustStore,
    validationTime: clock.now(),
    timeoutMs: 60_000,
    signal,
  });
  if (!answered.ok) return putOff(`${answered.failure.code} ${answered.failure.detail}`.trim());
  const { status } = answered.value;
  if (status >= 200 && status < 300) return { delivered: true };
  const temporary = status >= 500 || status === 408 || status === 425 || status === 429;
  return temporary ? putOff(`status ${status}`) : refused(`status ${status}`);
}
