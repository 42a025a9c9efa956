import {
  createReceiver,
  httpsHandler,
  isOtherMail,
  lookupKeys,
  reportTables,
  smtpIntake,
  type Receipt,
} from '../../tls-rpt-receive/index.js';
import { labelled } from '../metrics.js';
import { loadCertificate, readSecret } from '../secrets.js';
import type { JobCode, JobContext, Service } from '../service.js';
import type { ReportJobSettings } from './job-sections.js';
import { MxHosts } from './report-hosts.js';
import { ReportMailboxes } from './report-mailboxes.js';
import { ReportSessions } from './report-sessions.js';
import { reportRounds } from './tls-rpt-maintenance.js';

/**
 * Milliseconds that the job, when it stops, waits for reports that are being received.
 */
const GRACE = 10_000;
const PAUSE = 20;

/**
 * The job `report`: receives TLS-RPT reports by HTTPS and mail, explains them by checks,
 * and sends alerts about changes.
 */
export const reportJob: JobCode<ReportJobSettings> = {
  tables: () => [reportTables],
  check({ smtp: intake, mailboxes }) {
    if (intake?.certificate) loadCertificate(intake.certificate);
    for (const { password } of mailboxes) if (password !== undefined) readSecret(password);
  },
  async start(settings, jobContext): Promise<Service> {
    const { domains, https, smtp, maxBytes, perMinute } = settings;
    const { store, clock, resolver } = jobContext;
    const counts = new Map<string, number>();
    const mxHosts = new MxHosts();
    const receiver = createReceiver({
      store,
      clock,
      domains,
      hosts: () => mxHosts.names,
      maxBytes,
      perMinute,
      keys: (name) => lookupKeys(resolver, name),
      onReceipt: (receipt, peer) => tell(receipt, peer, counts, jobContext),
    });
    const handle = httpsHandler({ receiver });
    let underWay = 0;
    const handleToTheEnd: typeof handle = async (request, peer) => {
      underWay++;
      try {
        return await handle(request, peer);
      } finally {
        underWay--;
      }
    };
    const intake =
      smtp &&
      smtpIntake({
        receiver,
        recipients: smtp.recipients,
        name: smtp.name ?? smtp.recipients[0]?.split('@')[1] ?? 'localhost',
        secureContext: smtp.certificate ? loadCertificate(smtp.certificate).context : undefined,
      });
    const stopping = new AbortController();
    const mailboxes = new ReportMailboxes(
      settings.mailboxes,
      receiver,
      jobContext,
      stopping.signal,
    );
    const sessions = new ReportSessions();
    const { signal } = stopping;
    const rounds = reportRounds(settings, jobContext, { signal, mxHosts, sessions });
    return {
      sites: https
        ? [
            {
              serves: (hostName, path) => hostName === https.host && path === https.path,
              handle: handleToTheEnd,
              maxBody: 10_000_001,
            },
          ]
        : [],
      ports:
        smtp && intake
          ? [
              {
                what: 'report-smtp',
                listen: smtp.listen,
                limits: {
                  connections: smtp.connections,
                  idleMs: 120_000,
                  endedByJob: true,
                  refusal: '421 4.3.2 Too many connections, try again later\r\n',
                },
                serve: intake.serve,
                evict: intake.evict,
                end: intake.stop,
              },
            ]
          : [],
      metrics: () => [
        labelled('reports_total', 'counter', 'TLS-RPT reports received by outcome.', {
          label: 'result',
          values: counts,
        }),
        ...sessions.metrics(),
        ...mailboxes.metrics(),
      ],
      degraded: () => mailboxes.degraded,
      async stop() {
        stopping.abort(new Error('stopped'));
        // Reports that are being received must be stored before the store of this
        // configuration closes.
        await Promise.all([intake?.stop(), mailboxes.ended()]);
        for (let waited = 0; underWay > 0 && waited < GRACE; waited += PAUSE)
          await clock.sleep(PAUSE);
        await receiver.close();
        await rounds;
      },
    };
  },
};

function tell(
  receipt: Receipt,
  peer: string,
  counts: Map<string, number>,
  { log: logger }: JobContext,
): void {
  const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  switch (receipt.status) {
    case 'stored':
      for (const { outcome, trust, reporter } of receipt.reports) {
        count(`${outcome} ${trust}`);
        logger.info('report', { peer, reporter, outcome, trust });
      }
      return;
    case 'refused':
      count(receipt.failure.code);
      // A mailbox may hold thousands of mails that are not reports: the daemon counts
      // them and does not log each.
      if (isOtherMail(receipt.failure) && peer.startsWith('imap:')) return;
      return logger.warn('report-refused', {
        peer,
        why: receipt.failure.code,
        detail: receipt.failure.detail,
      });
    case 'later':
      count(`later ${receipt.why}`);
      return receipt.why === 'store'
        ? logger.error('report-not-stored', { peer })
        : logger.warn('report-put-off', { peer, why: receipt.why });
  }
}
