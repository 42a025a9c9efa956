import type { Certify, Deploy } from '../actions.js';
import { describe, type Applied } from '../apply/apply.js';
import type { Hands, Outcome } from '../apply/hands.js';
import type { PublishSection } from '../desired/publish-section.js';
import type { Ledger } from '../ledger/ledger.js';
import { currentPolicy } from '../policy/read-policy-world.js';
import type { Certifier } from './certifier.js';

export interface RenewOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly certifier: Certifier;
  readonly hands: Hands;
}

interface Held {
  readonly subject: string;
  readonly kind: Applied['kind'];
  readonly host: string;
  readonly key: string;
  /** Whether a mail server has to be told. */
  readonly deployed: boolean;
}

/** Renews what is due, with the keys there are: those in use, the next ones, and those of policy hosts. A renewed certificate is deployed where its key is in use. */
export async function renewDue(options: RenewOptions): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const held of heldKeys(options)) {
    const { host, key } = held;
    if (!(await options.certifier.isDue({ host, key }))) continue;
    const why = options.certifier.explanation({ host, key });
    const outcomes: Applied['outcomes'][number][] = [];
    const note = (action: Certify | Deploy, outcome: Outcome): boolean => {
      outcomes.push({ action, says: describe(action), because: 'a renewal keeps the key, so no record changes', outcome });
      return outcome.status === 'done';
    };
    const renewed = note({ kind: 'certify', host, key }, await options.certifier.certify({ host, key }));
    if (renewed && held.deployed) {
      const action = { kind: 'deploy', host, key } as const;
      note(action, await options.hands.deploy(action));
    }
    applied.push({
      kind: held.kind,
      subject: held.subject,
      dns: 'print',
      place: why === undefined ? 'renews a certificate' : `renews a certificate, since its CA asks for it: ${why}`,
      steps: [],
      waits: [],
      alerts: [],
      proposals: [],
      outcomes,
      freshAlerts: [],
    });
  }
  return applied;
}

/** Of mail hosts the keys in use and the next ones; of policy hosts every one whose policy senders may still fetch, those of domains that are leaving included. */
function heldKeys({ section, ledger }: RenewOptions): readonly Held[] {
  const leaving = ledger.domains().filter((domain) => !(domain in section.domains) && currentPolicy(ledger.domain(domain)));
  const hosts = Object.entries(section.hosts).filter(([, { certificates }]) => certificates === 'acme');
  return [
    ...hosts.flatMap(([host]) =>
      Object.values(ledger.host(host).slots).flatMap(({ current, next }) => [
        ...(current ? [{ kind: 'host' as const, subject: host, host, key: current.name, deployed: true }] : []),
        ...(next ? [{ kind: 'host' as const, subject: host, host, key: next.name, deployed: false }] : []),
      ]),
    ),
    ...[...Object.keys(section.domains), ...leaving].map((domain) => ({
      kind: 'domain' as const,
      subject: domain,
      host: `mta-sts.${domain}`,
      key: 'ecdsa-1',
      deployed: false,
    })),
  ];
}
