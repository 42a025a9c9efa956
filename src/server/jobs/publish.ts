import { setMaxListeners } from 'node:events';
import {
  acmeTables,
  LazyContexts,
  ledgerTables,
  policyResponder,
  policyDomainOf,
  policyHandler,
  publishFailures,
  ringContexts,
  servesPolicy,
  WebSolver,
  type Applied,
  type Ledger,
} from '../../publish/index.js';
import { repeat } from '../../base/index.js';
import { challengeSite } from '../challenge-site.js';
import { labelled, single } from '../metrics.js';
import { writableFolder } from '../writable-folder.js';
import { openPublishing } from '../publisher.js';
import type { Degraded, JobCode, JobContext, Service } from '../service.js';
import type { PublishJobSettings } from './job-sections.js';

/**
 * The job `publish`: policy hosts on the web port (RFC 8461 §3.3), and rounds of observe,
 * plan, save and execute until every record, policy and certificate is as configured.
 */
export const publishJob: JobCode<PublishJobSettings> = {
  tables: () => [ledgerTables, acmeTables],
  check(settings, jobContext) {
    // Reads the keys of publish.dns and the secrets of publish.acme.
    openPublishing(settings, jobContext);
    const { keys, exportTo, hosts } = settings;
    const folders = Object.values(hosts).flatMap(({ install }) => install?.folder ?? []);
    for (const folder of [keys, ...(exportTo === undefined ? [] : [exportTo]), ...folders])
      writableFolder(folder);
  },
  start(settings, jobContext): Service {
    const [http, alpn] = [new WebSolver('http-01'), new WebSolver('tls-alpn-01')];
    const stopping = new AbortController();
    const { signal } = stopping;
    // Many queries of a round run concurrently, and each adds a listener to the signal.
    setMaxListeners(0, signal);
    const publishing = openPublishing(settings, jobContext, {
      answers: [http, alpn],
      minutes: settings.everyMinutes > 0 ? settings.everyMinutes : undefined,
      signal,
    });
    const { ledger, ring } = publishing;
    const contexts = new LazyContexts({
      source: ringContexts(ring),
      capacity: settings.contexts,
      monotonic: jobContext.clock.monotonic,
    });
    const policies = {
      bodyOf: (domainName: string) =>
        ledger.body(settings.domains[domainName]?.sameAs ?? domainName),
    };
    const counts = new Map<string, number>();
    let failing: readonly Degraded[] = [];
    const rounds =
      settings.everyMinutes > 0
        ? everyRound({
            minutes: settings.everyMinutes,
            apply: publishing.apply,
            counts,
            afterRound: () => (failing = failingOf(ledger, settings)),
            jobContext,
            signal,
          })
        : Promise.resolve();
    return {
      sites: [
        {
          serves: servesPolicy,
          handle: policyHandler(policies),
          answer: policyResponder(policies),
          certificateFor: (name) =>
            policyDomainOf(name) === undefined
              ? undefined
              : (contexts.contextFor(name) ?? 'refuse'),
          challengeFor: () => (alpn.pending ? (name) => alpn.contextFor(name) : undefined),
        },
      ],
      plainSites: [challengeSite(http)],
      metrics: () => [
        single(
          'publish_contexts',
          'gauge',
          'Certificates of policy hosts in memory.',
          contexts.size,
        ),
        labelled('publish_actions_total', 'counter', 'Publishing actions by outcome.', {
          label: 'outcome',
          values: counts,
        }),
      ],
      degraded: () => failing,
      async stop() {
        stopping.abort(new Error('stopped'));
        await rounds;
      },
    };
  },
};

interface Rounds {
  readonly minutes: number;
  readonly apply: () => Promise<readonly Applied[]>;
  /** Number of actions by outcome, for the metrics. */
  readonly counts: Map<string, number>;
  readonly afterRound: () => void;
  readonly jobContext: JobContext;
  readonly signal: AbortSignal;
}

/** Maximum number of failing hosts and domains in the status of the daemon. */
const MAX_FAILING = 20;

/** Returns the configured hosts and domains whose last actions failed. */
function failingOf(ledger: Ledger, { hosts, domains }: PublishJobSettings): readonly Degraded[] {
  return ledger
    .failing(1000)
    .filter(({ kind, name }) => Object.hasOwn(kind === 'host' ? hosts : domains, name))
    .slice(0, MAX_FAILING)
    .map(({ name, code }) => ({ job: 'publish', code, subject: name }));
}

async function everyRound(rounds: Rounds): Promise<void> {
  const { minutes, apply, counts, afterRound, jobContext, signal } = rounds;
  const { clock, log } = jobContext;
  const round = async (): Promise<void> => {
    for (const applied of await apply()) tell(applied, counts, jobContext);
    afterRound();
  };
  // A crash may interrupt a round after any write. The next round continues from the
  // saved state.
  const onError = ({ message }: Error): void =>
    log.error('publish-round-failed', { error: message });
  await repeat(round, { clock, signal, pauseMs: minutes * 60_000, onError });
}

function tell(
  { subject, outcomes, freshAlerts }: Applied,
  counts: Map<string, number>,
  { log }: JobContext,
): void {
  for (const { says, outcome } of outcomes) {
    counts.set(outcome.status, (counts.get(outcome.status) ?? 0) + 1);
    const fields = { subject, action: says };
    if (outcome.status === 'failed')
      log.warn('publish-action-failed', { ...fields, code: outcome.code, detail: outcome.detail });
    else log.info(outcome.status === 'done' ? 'publish-action' : 'publish-by-hand', fields);
  }
  for (const { code, subject: about, detail } of freshAlerts) {
    const { message: says = code, fix = '' } = publishFailures.find(code) ?? {};
    log.warn(code, { subject: about, detail, says, fix });
  }
}
