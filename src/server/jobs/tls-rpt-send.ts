import { HermeticError, type Failure } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import { createSender } from '../../send/index.js';
import {
  collectDatagrams,
  deliverReport,
  EventBuffer,
  FeedLines,
  inheritedDescriptor,
  Outbox,
  parseFeedLine,
  reportingFailures,
  reportingTables,
  runReportJob,
  submitterOf,
  type DkimKey,
  type ReportingSettings,
} from '../../tls-rpt-send/index.js';
import { labelled, single } from '../metrics.js';
import { loadKey } from '../secrets.js';
import type { JobCode, JobContext, Service } from '../service.js';
import type { ReportingJobSettings } from './job-sections.js';

/**
 * The job `reporting`: collects session results of Postfix and other senders, and sends
 * one TLS report for each domain and day (RFC 8460).
 */
export const reportingJob: JobCode<ReportingJobSettings> = {
  tables: () => [reportingTables],
  check(settings, jobContext) {
    deliverer(settings, jobContext, new AbortController().signal);
  },
  start(settings, jobContext): Service {
    const { store, clock, log } = jobContext;
    const stopping = new AbortController();
    const { signal } = stopping;
    // The call throws for an invalid configuration, before any work starts.
    const deliver = deliverer(settings, jobContext, signal);
    const datagramSocket = settings.datagrams ? descriptor() : undefined;
    const onError = (error: unknown): void =>
      log.error('reporting-failed', { error: (error as Error).message });
    const eventBuffer = new EventBuffer({ store, clock, signal, onError });
    const counts = { malformed: 0 };
    const onMalformed = ({ code, detail }: Failure): void => {
      counts.malformed++;
      log.warn(code, { detail });
    };
    const outbox = openOutbox(settings, jobContext);
    const work = [
      runReportJob({ outbox, deliver, clock, signal, onError, onSettled: teller(jobContext) }),
    ];
    if (datagramSocket !== undefined)
      collectDatagrams(datagramSocket, { onEvents: eventBuffer.add, onMalformed, onError, clock });
    return {
      ports: settings.feed
        ? [
            {
              what: 'reporting-feed',
              listen: settings.feed,
              limits: { connections: 64, idleMs: 3_600_000 },
              serve: feedReader(eventBuffer, onMalformed, jobContext),
            },
          ]
        : [],
      metrics: () => [
        single(
          'reporting_sessions_total',
          'counter',
          'Sessions counted for reports.',
          eventBuffer.counts.counted,
        ),
        single(
          'reporting_dropped_total',
          'counter',
          'Sessions not counted because they could not be stored in time.',
          eventBuffer.counts.dropped,
        ),
        single(
          'reporting_malformed_total',
          'counter',
          'Malformed session events.',
          counts.malformed,
        ),
        labelled('reporting_deliveries', 'gauge', 'TLS-RPT reports to other domains by outcome.', {
          label: 'state',
          values: outbox.counts(),
        }),
      ],
      async stop() {
        stopping.abort(new Error('stopped'));
        await Promise.all(work);
        await eventBuffer.flush();
      },
    };
  },
};

function openOutbox(
  { spreadHours, perReceiver, receivers, ...reporter }: ReportingSettings,
  { store }: JobContext,
): Outbox {
  return new Outbox({
    store,
    reporter,
    spreadMs: spreadHours * 3_600_000,
    perReceiver,
    receivers,
    random: Math.random,
  });
}

function deliverer(
  settings: ReportingSettings,
  jobContext: JobContext,
  signal: AbortSignal,
): Parameters<typeof runReportJob>[0]['deliver'] {
  const { network, resolver, trustStore, clock } = jobContext;
  const submitter = submitterOf(settings);
  const sender = createSender({
    network,
    resolver,
    trustStore,
    clock,
    helo: settings.helo ?? submitter,
  });
  const dkim = signer(settings, submitter);
  const common = {
    reporter: settings,
    network,
    resolver,
    trustStore,
    clock,
    signal,
    deliver: sender.deliver,
  };
  return (due) => deliverReport(due, { ...common, dkim });
}

/**
 * Returns the DKIM key that signs the mailed reports. Throws if the domain of the key
 * does not align with the reporting domain (RFC 8460 §3).
 */
function signer({ dkim }: ReportingSettings, submitter: string): DkimKey | undefined {
  if (!dkim) return undefined;
  const { selector, key, domain = submitter } = dkim;
  if (submitter !== domain && !submitter.endsWith(`.${domain}`))
    throw new HermeticError(
      'config-dkim-domain',
      `reporting.dkim.domain: ${domain} does not align with ${submitter}`,
      {
        fix: 'Sign with the domain of reporting.contact, or a parent of it.',
      },
    );
  return { domain, selector, privateKey: loadKey(key) };
}

function descriptor(): number {
  const descriptor = inheritedDescriptor(process.env, process.pid);
  if (descriptor !== undefined) return descriptor;
  const { message, fix } = reportingFailures.entries['reporting-no-descriptor'];
  throw new HermeticError('reporting-no-descriptor', `reporting.datagrams: ${message}`, { fix });
}

function feedReader(
  eventBuffer: EventBuffer,
  onMalformed: (failure: Failure) => void,
  { clock }: JobContext,
): (connection: Connection) => void {
  return ({ stream, close }) => {
    const feedLines = new FeedLines();
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      for (const line of feedLines.push(text)) {
        const parsed = parseFeedLine(line, clock.now());
        if (parsed.ok) eventBuffer.add(parsed.value);
        else onMalformed(parsed.failure);
      }
    });
    stream.on('error', close).on('end', close);
  };
}

function teller({ log }: JobContext): NonNullable<Parameters<typeof runReportJob>[0]['onSettled']> {
  return ({ domain, uri, id }, settled) => {
    if (settled.delivered) return log.info('report-sent', { domain, uri, id });
    log.warn(settled.failure.code, { domain, uri, id, detail: settled.failure.detail });
  };
}
