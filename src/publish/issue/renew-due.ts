import { setImmediate } from 'node:timers/promises';
import type { Applied } from '../apply/apply.js';
import { describeAction } from '../apply/describe.js';
import { actionKey, recordOutcome } from '../apply/record-outcome.js';
import type { PublishSection } from '../config.js';
import type { Ledger } from '../ledger/ledger.js';
import { writeFailure } from '../keys/durable-file.js';
import { currentPolicy } from '../mta-sts/apply-observation.js';
import { knownKeys } from '../tlsa/rrset.js';
import type { Issuer } from './issuer.js';

/** The configuration, the saved state and the CA of a renewal round. */
export interface RenewOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly issuer: Issuer;
}

interface RenewableKey {
  readonly subject: string;
  readonly kind: Applied['kind'];
  readonly host: string;
  readonly key: string;
}

/**
 * Renews every certificate that is due: of the keys in use, of the next keys, and of
 * policy hosts. The keys remain the same. The next plan of a mail host installs the new
 * certificate.
 */
export async function renewDue(options: RenewOptions): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const { kind, subject: name, host, key } of renewableKeys(options)) {
    // Reading ten thousand certificates takes seconds. The event loop serves connections
    // between two certificates.
    await setImmediate();
    const action = { kind: 'certify', host, key } as const;
    const subject = { kind, name };
    if (!(await options.issuer.isDue({ host, key }))) {
      if (options.issuer.isCertified({ host, key }))
        await options.ledger.clearFailure(subject, actionKey(action));
      continue;
    }
    const reason = options.issuer.explanation({ host, key });
    const outcome = await options.issuer.certify(action).catch(writeFailure);
    await recordOutcome(options.ledger, subject, { action, outcome }, options.issuer.now());
    const because = 'a renewal keeps the key, so no record changes';
    applied.push({
      kind,
      subject: name,
      dns: 'print',
      place:
        reason === undefined ? 'renews a certificate' : `renews a certificate, since ${reason}`,
      steps: [],
      waits: [],
      failures: [],
      alerts: [],
      proposals: [],
      outcomes: [{ action, says: describeAction(action), because, outcome }],
      freshAlerts: [],
    });
  }
  return applied;
}

/**
 * Returns the keys whose certificates are renewed. For mail hosts, these are the keys in
 * use and the next keys; for policy hosts, every key whose policy senders may still
 * fetch, even if the configuration no longer has the domain.
 */
function renewableKeys({ section, ledger }: RenewOptions): readonly RenewableKey[] {
  const removed = ledger
    .domains()
    .filter(
      (domainName) => !(domainName in section.domains) && currentPolicy(ledger.domain(domainName)),
    );
  const hosts = Object.entries(section.hosts).filter(
    ([, { certificates }]) => certificates === 'acme',
  );
  return [
    ...hosts.flatMap(([hostName]) =>
      knownKeys(ledger.host(hostName)).map(({ name }) => ({
        kind: 'host' as const,
        subject: hostName,
        host: hostName,
        key: name,
      })),
    ),
    ...[...Object.keys(section.domains), ...removed].map((domainName) => ({
      kind: 'domain' as const,
      subject: domainName,
      host: `mta-sts.${domainName}`,
      key: 'ecdsa-1',
    })),
  ];
}
