import {
  BATCHES_PATH,
  openPages,
  readOptOut,
  REPORTS_PATH,
  tablesOfPages,
  type SignInSecrets,
} from '../../web/index.js';
import { labelled, single } from '../metrics.js';
import { planSource } from '../plan-source.js';
import { readSecret } from '../secrets.js';
import type { JobCode, Service } from '../service.js';
import { sharedAddresses } from '../shared-addresses.js';
import { statisticsSource } from '../statistics-source.js';
import type { PagesJobSettings } from './job-sections.js';
import { reportIntake } from './report-intake.js';

/** Maximum octets of a body by path: a compressed report, or a list of 5,000 domains. */
const MAX_BODIES: Readonly<Record<string, number>> = {
  [REPORTS_PATH]: 10_000_001,
  [BATCHES_PATH]: 1_500_000,
};

/** Reads the secrets of the sign-in, and throws if a file is readable by other users. */
function secretsOf(signIn: PagesJobSettings['signIn']): SignInSecrets {
  const read = (filePath: string | undefined): string | undefined =>
    filePath === undefined ? undefined : readSecret(filePath).trim();
  return {
    proxy: read(signIn?.proxy?.secretFile),
    oidcClient: read(signIn?.oidc?.clientSecretFile),
  };
}

/** The job `pages`: the check page, its API, and the pages of the operator. */
export const pagesJob: JobCode<PagesJobSettings> = {
  tables: (settings) => tablesOfPages(hasOperatorPages(settings)),
  check({ optOut, signIn }) {
    if (optOut !== undefined) readOptOut(optOut);
    secretsOf(signIn);
  },
  async start({ listen, operatorPort, connections, ...settings }, jobContext): Promise<Service> {
    const { examples } = jobContext;
    const stopping = new AbortController();
    const options = {
      examples,
      hasOperatorPages: hasOperatorPages({ operatorPort, ...settings }),
      secrets: secretsOf(settings.signIn),
    };
    const plans = planSource(jobContext, stopping.signal);
    const { log } = jobContext;
    const statistics =
      settings.statistics &&
      statisticsSource(settings.statistics.database, jobContext.clock, ({ message }) =>
        log.error('statistics-database-failed', { error: message }),
      );
    const reports = reportIntake(jobContext, stopping.signal);
    const shared =
      settings.sharedLimits &&
      sharedAddresses({
        url: settings.sharedLimits.database,
        dailyBudget: settings.limits.perServer,
        longestMs: settings.limits.seconds * 1000,
        clock: jobContext.clock,
        onError: ({ message }) => log.error('shared-limits-failed', { error: message }),
      });
    const pagesContext = { ...jobContext, plans, statistics, reports, sharedAddresses: shared };
    const pages = await openPages(settings, pagesContext, options);
    const site = (serves: (hostName: string) => boolean, isOperator: boolean) => ({
      serves,
      handle: pages.handler(isOperator),
      maxBody: (path: string) => MAX_BODIES[path],
      ...(!isOperator && { answer: pages.refusal, isBusy: () => pages.share.isExhausted }),
    });
    const { host } = settings;
    const everyName = (): boolean => true;
    const limits = { connections };
    return {
      sites: host === undefined ? [] : [site((hostName) => hostName === host, false)],
      httpPorts: [
        { what: 'pages', listen, limits, sites: [site(everyName, false)] },
        { what: 'operator-pages', listen: operatorPort, limits, sites: [site(everyName, true)] },
      ],
      metrics: () => [
        single('checks_running', 'gauge', 'Running checks.', pages.checks.running),
        single('checks_waiting', 'gauge', 'Queued checks.', pages.checks.waiting),
        single(
          'pages_refused_total',
          'counter',
          'Requests without an account that were refused under load.',
          pages.share.refused,
        ),
        labelled('checks_total', 'counter', 'Finished checks by state.', {
          label: 'state',
          values: pages.checks.finished,
        }),
      ],
      stop() {
        stopping.abort(new Error('stopped'));
        pages.stop();
        void reports?.close();
        void statistics?.close();
        void shared?.close();
      },
    };
  },
};

/**
 * Returns whether the operator pages are enabled: on a loopback port, or with sign-in.
 */
function hasOperatorPages({
  operatorPort,
  signIn,
}: Pick<PagesJobSettings, 'operatorPort' | 'signIn'>): boolean {
  return operatorPort.length > 0 || signIn !== undefined;
}
