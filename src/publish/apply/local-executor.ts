import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../pki/index.js';
import type { Clock } from '../../base/index.js';
import type { ActionOutcome, Certify, DnsWriter } from '../actions.js';
import { importKey } from '../certificates/import-key.js';
import { deployCertificate } from '../certificates/deploy-certificate.js';
import type { PublishSection } from '../config.js';
import { replaceFile } from '../keys/durable-file.js';
import type { KeyRing } from '../keys/key-ring.js';
import type { Ledger } from '../ledger/ledger.js';
import { formatChange } from '../records/format-change.js';
import type { Executor } from './executor.js';

/**
 * The expiration of a self-signed certificate that DANE-EE records match: senders ignore
 * its dates (RFC 5280 §4.1.2.5, RFC 7672 §3.1.1).
 */
const NO_END = Date.UTC(9999, 11, 31, 23, 59, 59);

export interface LocalExecutorOptions {
  readonly section: PublishSection;
  readonly ledger: Ledger;
  readonly ring: KeyRing;
  readonly clock: Pick<Clock, 'now'>;
  /**
   * Writers by their name in `publish.dns`. Records of other entries are printed for the
   * operator.
   */
  readonly writers?: ReadonlyMap<string, DnsWriter>;
  /**
   * Certifies the keys of hosts that have no other setting. If the option or its result
   * is undefined, the operator certifies the key.
   */
  readonly certify?: (action: Certify) => Promise<ActionOutcome | undefined>;
  /** Aborts running record changes and commands. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns an executor that works on this machine: the key ring, served policies, files of
 * the mail server, and records that are written or printed for the operator.
 */
export function localExecutor(options: LocalExecutorOptions): Executor {
  const { section, ledger, ring: keyRing, clock, writers, certify, signal } = options;
  return {
    async setRrset(action, dns) {
      const write = writers?.get(dns);
      if (write) return write(action, signal);
      return { status: 'manual', text: formatChange(action) };
    },
    async certify(action) {
      const { host, key } = action;
      if (section.hosts[host]?.certificates === 'self-signed')
        return certifyItself(action, keyRing);
      const outcome = await certify?.(action);
      if (outcome) return outcome;
      const text = `put a certificate chain for ${keyRing.keyFile(host, key)} to ${keyRing.chainFile(host, key)}`;
      return { status: 'manual', text };
    },
    deploy: (action) =>
      deployCertificate(action, section.hosts[action.host]?.install, {
        ring: keyRing,
        ledger,
        now: () => clock.now(),
        signal,
      }),
    async local(action) {
      switch (action.kind) {
        case 'import-key':
          return importKey(action, keyRing);
        case 'make-key':
          keyRing.make(action.host, action.key, action.type);
          return { status: 'done' };
        case 'serve-policy':
          return serveBody(action.domain, action.body, options);
        case 'stop-serving':
          return serveBody(action.domain, undefined, options);
      }
    },
  };
}

function certifyItself({ host: hostName, key }: Certify, keyRing: KeyRing): ActionOutcome {
  const pair = {
    privateKey: keyRing.privateKey(hostName, key),
    publicKey: keyRing.publicKey(hostName, key),
  };
  keyRing.putChain(
    hostName,
    key,
    selfSigned({ names: [hostName], key: pair, notAfter: NO_END }).certPem,
  );
  return { status: 'done' };
}

/**
 * Changes the body of a domain, together with the exported files of the domains that use
 * its policy. If `body` is undefined, the policy is no longer served.
 */
async function serveBody(
  domainName: string,
  bodyText: string | undefined,
  { ledger, section, ring }: LocalExecutorOptions,
): Promise<ActionOutcome> {
  const { exportTo, domains } = section;
  await ledger.serve(domainName, bodyText);
  if (exportTo === undefined) return { status: 'done' };
  const users = Object.keys(domains).filter((name) => domains[name]?.sameAs === domainName);
  for (const name of [domainName, ...users]) {
    const filePath = join(exportTo, `mta-sts.${name}`, '.well-known', 'mta-sts.txt');
    if (bodyText === undefined) ring.disk.remove(filePath);
    else if (!hasText(filePath, bodyText))
      replaceFile(filePath, bodyText, { mode: 0o644 }, ring.disk);
  }
  return { status: 'done' };
}

function hasText(filePath: string, text: string): boolean {
  try {
    return readFileSync(filePath, 'utf8') === text;
  } catch {
    return false;
  }
}
