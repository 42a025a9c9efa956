import { resolvePolicy, type NextHop } from '../../policy/index.js';
import {
  postfixSection,
  startPostfixMap,
  type PostfixAnswer,
  type PostfixMap,
} from '../../send/index.js';
import { listenAddresses } from '../config/listen-address.js';
import { labelled, single, type Metric } from '../metrics.js';
import type { House, Job, Service } from '../service.js';

const schema = postfixSection.extend({ listen: listenAddresses.prefault('127.0.0.1:8461') });

/** The socketmap that Postfix asks for the TLS policy of a next hop. */
export const postfixJob: Job<ReturnType<typeof schema.parse>> = {
  section: 'postfix',
  schema,
  async start(settings, house): Promise<Service> {
    const { log, clock, localNetwork, policy } = house;
    const map = await startPostfixMap({
      settings,
      clock,
      network: localNetwork,
      decide: (hop: NextHop) => resolvePolicy(hop, { ...policy, dane: settings.dane }),
      onProbe: (probe) =>
        probe.validates
          ? log.info('postfix-resolver-validates', { says: probe.says })
          : log.warn('postfix-resolver-does-not-validate', {
              says: probe.says,
              effect: 'mail to domains with DANE is deferred',
              fix: probe.fix,
            }),
      onAnswer: (hop, answer) => tell(hop, answer, house),
    });
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
          serve: map.serve,
        },
      ],
      metrics: () => metricsOf(map),
      stop: () => map.stop(),
    };
  },
};

function tell(hop: NextHop, { reply, cell, cause }: PostfixAnswer, { log }: House): void {
  if (reply === 'NOTFOUND ') return;
  const domain = hop.kind === 'address' ? hop.ip : hop.name.toLower();
  const fields = { domain, reply, dane: cell?.column, mtaSts: cell?.row };
  const { host, trouble } = cause ?? {};
  if (reply.startsWith('TEMP'))
    log.warn('postfix-answer', { host, code: trouble?.code, detail: trouble?.detail, ...fields });
  else log.info('postfix-answer', fields);
}

function metricsOf(map: PostfixMap): readonly Metric[] {
  const { counts } = map;
  return [
    single('postfix_lookups_known_total', 'counter', 'Lookups answered at once.', counts.known),
    single(
      'postfix_lookups_found_total',
      'counter',
      'Lookups that asked DNS or a policy host.',
      counts.found,
    ),
    single(
      'postfix_lookups_busy_total',
      'counter',
      'Lookups turned away because too many were under way.',
      counts.busy,
    ),
    single(
      'postfix_lookups_broken_total',
      'counter',
      'Lookups that failed by an error of our own.',
      counts.broken,
    ),
    single('postfix_answers_kept', 'gauge', 'Answers kept ready.', counts.kept),
    single(
      'postfix_resolver_validates',
      'gauge',
      "1: Postfix's own resolver validates DNSSEC.",
      Number(map.validates),
    ),
    labelled(
      'postfix_answers_total',
      'counter',
      'Answers found, by kind.',
      'answer',
      counts.answers,
    ),
    labelled(
      'postfix_malformed_total',
      'counter',
      'Connections ended because of what was no request.',
      'why',
      counts.malformed,
    ),
  ];
}
