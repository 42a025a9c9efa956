import {
  intakeFailures,
  MailboxReader,
  openMailbox,
  type MailboxStatus,
  type Receiver,
} from '../../tls-rpt-receive/index.js';
import { mailboxName, type MailboxSettings } from '../../tls-rpt-receive/settings.js';
import { labelled, type Metric } from '../metrics.js';
import { obtainMailboxSecret } from '../mailbox-secret.js';
import type { Degraded, JobContext } from '../service.js';

/**
 * Promises, by mailbox, that resolve when the last reader of the mailbox has ended. After
 * a reload the next reader waits for this promise, so that two readers never fetch the
 * same mail.
 */
const lastReaders = new Map<string, Promise<void>>();

/** The readers of all configured mailboxes. */
export class ReportMailboxes {
  readonly #readers: readonly MailboxReader[];
  readonly #work: readonly Promise<void>[];

  /** Starts the readers, which end when the signal aborts. */
  constructor(
    settings: readonly MailboxSettings[],
    receiver: Receiver,
    jobContext: JobContext,
    signal: AbortSignal,
  ) {
    this.#readers = settings.map((mailbox) => readerOf(mailbox, receiver, jobContext));
    this.#work = this.#readers.map((reader) => {
      const { name } = reader.status;
      const before = lastReaders.get(name) ?? Promise.resolve();
      const work = before.then(() => reader.run(signal));
      lastReaders.set(name, work);
      return work;
    });
  }

  /** The mailboxes that the daemon currently cannot read. */
  get degraded(): readonly Degraded[] {
    return this.#readers.flatMap(({ status: { name, failure } }) =>
      failure ? [{ job: 'report', code: failure.code, subject: name }] : [],
    );
  }

  metrics(): readonly Metric[] {
    return this.#readers.length === 0 ? [] : mailboxMetrics(this.#readers.map((one) => one.status));
  }

  /** Resolves when every reader has ended, after the signal aborted. */
  async ended(): Promise<void> {
    await Promise.all(this.#work);
  }
}

function readerOf(
  settings: MailboxSettings,
  receiver: Receiver,
  jobContext: JobContext,
): MailboxReader {
  const { store, clock, log } = jobContext;
  const { after, moveTo, trusted, pollMinutes } = settings;
  const name = mailboxName(settings);
  return new MailboxReader({
    name,
    open: async (signal) => {
      const secret = await obtainMailboxSecret(settings, signal);
      if (!secret.ok) return secret;
      const at = { ...settings, readOnly: after === 'keep' };
      return openMailbox(at, secret.value, { ...jobContext, signal });
    },
    receiver,
    store,
    clock,
    after,
    moveTo,
    trusted,
    pollMs: pollMinutes * 60_000,
    onFailure: (failure) =>
      failure
        ? log.error(failure.code, {
            mailbox: name,
            detail: failure.detail,
            fix: intakeFailures.find(failure.code)?.fix,
          })
        : log.info('mailbox-read', { mailbox: name }),
  });
}

function mailboxMetrics(all: readonly MailboxStatus[]): readonly Metric[] {
  const perMailbox = (valueOf: (status: MailboxStatus) => number): [string, number][] =>
    all.map((status) => [status.name, valueOf(status)]);
  const gauge = (name: string, help: string, valueOf: (status: MailboxStatus) => number): Metric =>
    labelled(name, 'gauge', help, { label: 'mailbox', values: perMailbox(valueOf) });
  return [
    {
      name: 'report_mailbox_mails_total',
      type: 'counter',
      help: 'Mails read from mailboxes by outcome.',
      samples: all.flatMap(({ name, fates }) =>
        [...fates].map(([fate, value]) => ({ labels: { mailbox: name, outcome: fate }, value })),
      ),
    },
    gauge('report_mailbox_connected', '1: connected to the IMAP server.', ({ connected }) =>
      Number(connected),
    ),
    gauge('report_mailbox_failing', '1: the mailbox cannot be read.', ({ failure }) =>
      Number(failure !== undefined),
    ),
    gauge(
      'report_mailbox_pending',
      'Mails that the daemon will read again.',
      ({ pending }) => pending,
    ),
    gauge(
      'report_mailbox_read_timestamp_seconds',
      'Time of the last complete round.',
      ({ readAt }) => Math.floor(readAt / 1000),
    ),
  ];
}
