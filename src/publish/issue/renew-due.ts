import { setImmediate } from 'node:timers/promises';
import type { Applied } from '../apply/apply.js';
import { describe } from '../apply/describe.js';
import { actionKey, recordOutcome } from '../apply/record-outcome.js';
import type { PublishSection } from '../config.js';
import type { Ledger } from '../ledger/ledger.js';
import { writeFailure } from '../keys/write-failure.js';
import { currentPolicy } from '../mta-sts/apply-observation.js';
import type { Issuer } from './issuer.js';

export interface RenewOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly certifier: Issuer;
}

interface Held {
  readonly subject: string;
  readonly kind: Applied['kind'];
  readonly host: string;
  readonly key: string;
}

/**
 * Renews what is due, with the keys there are: those in use, the next ones, and those of
 * policy hosts. The plan of a mail host then finds that its server has another.
 */
export async function renewDue(options: RenewOptions): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const held of heldKeys(options)) {
    const { host, key } = held;
    // Ten thousand certificates are read in seconds; who connects meanwhile is served
    // between two of them.
    await setImmediate();
    const action = { kind: 'certify', host, key } as const;
    const subject = { kind: held.kind, name: held.subject };
    if (!(await options.certifier.isDue({ host, key }))) {
      if (options.certifier.isCertified({ host, key }))
        options.ledger.clearFailure(subject, actionKey(action));
      continue;
    }
    const why = options.certifier.explanation({ host, key });
    const outcome = await options.certifier.certify(action).catch(writeFailure);
    recordOutcome(options.ledger, subject, { action, outcome }, options.certifier.now());
    const because = 'a renewal keeps the key, so no record changes';
    applied.push({
      kind: held.kind,
      subject: held.subject,
      dns: 'print',
      place: why === undefined ? 'renews a certificate' : `renews a certificate, since ${why}`,
      steps: [],
      waits: [],
      failures: [],
      alerts: [],
      proposals: [],
      outcomes: [{ action, says: describe(action), because, outcome }],
      freshAlerts: [],
    });
  }
  return applied;
}

/**
 * Of mail hosts the keys in use and the next ones; of policy hosts every one whose policy
 * senders may still fetch, those of domains that are leaving included.
 */
function heldKeys({ section, ledger }: RenewOptions): readonly Held[] {
  const leaving = ledger
    .domains()
    .filter((domain) => !(domain in section.domains) && currentPolicy(ledger.domain(domain)));
  const hosts = Object.entries(section.hosts).filter(
    ([, { certificates }]) => certificates === 'acme',
  );
  return [
    ...hosts.flatMap(([host]) =>
      Object.values(ledger.host(host).slots).flatMap(({ current, next }) => [
        ...(current ? [{ kind: 'host' as const, subject: host, host, key: current.name }] : []),
        ...(next ? [{ kind: 'host' as const, subject: host, host, key: next.name }] : []),
      ]),
    ),
    ...[...Object.keys(section.domains), ...leaving].map((domain) => ({
      kind: 'domain' as const,
      subject: domain,
      host: `mta-sts.${domain}`,
      key: 'ecdsa-1',
    })),
  ];
}
