import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../pki/index.js';
import type { Clock } from '../../base/index.js';
import type { Certify } from '../actions.js';
import { importKey } from '../certificates/import-key.js';
import { deployCertificate } from '../certificates/deploy-certificate.js';
import type { PublishSection } from '../config.js';
import { replaceFile, type Disk } from '../keys/durable-file.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Ledger } from '../ledger/ledger.js';
import { formatChange } from '../records/format-change.js';
import type { DnsWriter, ActionOutcome } from '../actions.js';
import type { Executor } from './executor.js';

/**
 * A certificate that DANE-EE vouches for needs no end (RFC 5280 §4.1.2.5, RFC 7672
 * §3.1.1).
 */
const noEnd = Date.UTC(9999, 11, 31, 23, 59, 59);
const done: ActionOutcome = { status: 'done' };

export interface LocalHandsOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  readonly clock: Pick<Clock, 'now'>;
  /** By the name in `publish.dns`; whoever is not there prints. */
  readonly writers?: ReadonlyMap<string, DnsWriter>;
  /**
   * For keys that the configuration does not say otherwise of; undefined leaves it to a
   * person.
   */
  readonly certify?: (action: Certify) => Promise<ActionOutcome | undefined>;
  /** Ends changes of records and commands that are under way. */
  readonly signal?: AbortSignal;
}

/**
 * Hands that work on this machine: the key ring, the policies served, files of the mail
 * server, and records printed for a person.
 */
export function localHands({
  section,
  ledger,
  ring,
  clock,
  writers = new Map(),
  certify,
  signal,
}: LocalHandsOptions): Executor {
  return {
    setRrset: (action, dns) =>
      writers.get(dns)?.(action, signal) ??
      Promise.resolve({ status: 'manual', text: formatChange(action) }),
    async certify(action) {
      const kind = section.hosts[action.host]?.certificates;
      if (kind === 'self-signed') return certifyItself(action, ring);
      const chain = ring.chainFile(action.host, action.key);
      return (
        (await certify?.(action)) ?? {
          status: 'manual',
          text: `put a certificate chain for ${ring.keyFile(action.host, action.key)} to ${chain}`,
        }
      );
    },
    deploy: (action) =>
      deployCertificate(action, section.hosts[action.host]?.install, {
        ring,
        ledger,
        now: () => clock.now(),
        ...(signal ? { signal } : {}),
      }),
    local(action) {
      if (action.kind === 'import-key') return importKey(action, ring);
      if (action.kind === 'make-key') ring.make(action.host, action.key, action.type);
      else
        serve(
          action.domain,
          action.kind === 'serve-policy' ? action.body : undefined,
          ledger,
          section,
          ring.disk,
        );
      return done;
    },
  };
}

function certifyItself({ host, key }: Certify, ring: KeyRing): ActionOutcome {
  const pair = { privateKey: ring.privateKey(host, key), publicKey: ring.publicKey(host, key) };
  ring.putChain(host, key, selfSigned({ names: [host], key: pair, notAfter: noEnd }).certPem);
  return done;
}

/** A domain's body changes together with those of the domains that use it. */
function serve(
  domain: string,
  body: string | undefined,
  ledger: Ledger,
  { exportTo, domains }: PublishSection,
  disk: Disk,
): void {
  ledger.serve(domain, body);
  if (exportTo === undefined) return;
  const users = Object.entries(domains).flatMap(([name, { sameAs }]) =>
    sameAs === domain ? [name] : [],
  );
  for (const name of [domain, ...users]) {
    const file = join(exportTo, `mta-sts.${name}`, '.well-known', 'mta-sts.txt');
    if (body === undefined) disk.remove(file);
    else if (!isThere(file, body)) replaceFile(file, body, 0o644, disk);
  }
}

function isThere(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return false;
  }
}
