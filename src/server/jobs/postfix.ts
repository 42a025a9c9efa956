import { repeat } from '../../base/index.js';
import { resolvePolicy, type NextHop } from '../../tls-policy/index.js';
import {
  startPostfixMap,
  type PostfixAnswer,
  type PostfixMap,
  forgottenRevision,
} from '../../send/index.js';
import { labelled, single, type Metric } from '../metrics.js';
import type { JobCode, JobContext, Service } from '../service.js';
import type { PostfixJobSettings } from './job-sections.js';

/**
 * The job `postfix`: a socketmap that answers `smtp_tls_policy_maps` (postconf(5)) with
 * the TLS policy of each next hop.
 */
export const postfixJob: JobCode<PostfixJobSettings> = {
  async start(settings, jobContext): Promise<Service> {
    const { log, clock, localNetwork, policy } = jobContext;
    const postfixMap = await startPostfixMap({
      settings,
      clock,
      network: localNetwork,
      decide: (nextHop: NextHop) => resolvePolicy(nextHop, { ...policy, dane: settings.dane }),
      onProbe: (probe) =>
        probe.validates
          ? log.info('postfix-resolver-validates', { says: probe.says })
          : log.warn('postfix-resolver-does-not-validate', {
              says: probe.says,
              effect: 'Postfix defers mail to domains with DANE',
              fix: probe.fix,
            }),
      onAnswer: (nextHop, postfixAnswer) => tell(nextHop, postfixAnswer, jobContext),
    });
    const stopping = new AbortController();
    void followForgotten(jobContext, () => postfixMap.clear(), stopping.signal);
    return {
      ports: [
        {
          what: 'postfix',
          listen: settings.listen,
          limits: {
            connections: settings.connections,
            idleMs: settings.idleSeconds * 1000,
            essential: true,
          },
          serve: postfixMap.serve,
        },
      ],
      metrics: () => metricsOf(postfixMap),
      stop() {
        stopping.abort(new Error('stopped'));
        postfixMap.stop();
      },
    };
  },
};

/**
 * Milliseconds until the daemon notices that a `hermetic policy forget` has removed a
 * policy.
 */
const FORGOTTEN_LOOK = 1000;

/**
 * Clears the prepared answers when another process has removed a policy from the cache.
 * Prepared answers are valid for minutes, but an answer that depends on a removed policy
 * must not be used again.
 */
async function followForgotten(
  { store, clock, log }: JobContext,
  clear: () => void,
  signal: AbortSignal,
): Promise<void> {
  let known: number | undefined;
  const look = (): void => {
    const revision = forgottenRevision(store);
    if (known !== undefined && revision !== known) {
      clear();
      log.info('policy-forgotten', { effect: 'the daemon looks policies up again' });
    }
    known = revision;
  };
  const onError = ({ message }: Error): void =>
    log.warn('policy-cache-unreadable', { error: message });
  await repeat(look, { clock, signal, pauseMs: FORGOTTEN_LOOK, onError });
}

function tell(nextHop: NextHop, { reply, cell, cause }: PostfixAnswer, { log }: JobContext): void {
  if (reply === 'NOTFOUND ') return;
  const domain = nextHop.kind === 'address' ? nextHop.ip : nextHop.name.toLower();
  const fields = { domain, reply, dane: cell?.column, mtaSts: cell?.row };
  const { host, trouble } = cause ?? {};
  if (reply.startsWith('TEMP'))
    log.warn('postfix-answer', { host, code: trouble?.code, detail: trouble?.detail, ...fields });
  else log.info('postfix-answer', fields);
}

function metricsOf(postfixMap: PostfixMap): readonly Metric[] {
  const { counts } = postfixMap;
  return [
    single('postfix_lookups_known_total', 'counter', 'Lookups answered from memory.', counts.known),
    single(
      'postfix_lookups_found_total',
      'counter',
      'Lookups that queried DNS or a policy host.',
      counts.found,
    ),
    single(
      'postfix_lookups_busy_total',
      'counter',
      'Lookups rejected because too many were pending.',
      counts.busy,
    ),
    single(
      'postfix_lookups_broken_total',
      'counter',
      'Lookups that failed with an internal error.',
      counts.broken,
    ),
    single('postfix_answers_kept', 'gauge', 'Prepared answers in memory.', counts.kept),
    single(
      'postfix_resolver_validates',
      'gauge',
      "1: Postfix's own resolver validates DNSSEC.",
      Number(postfixMap.validates),
    ),
    labelled('postfix_answers_total', 'counter', 'Answers by kind.', {
      label: 'answer',
      values: counts.answers,
    }),
    labelled(
      'postfix_malformed_total',
      'counter',
      'Connections closed after a malformed request.',
      { label: 'why', values: counts.malformed },
    ),
  ];
}
