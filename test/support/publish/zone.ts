import { Name, systemClock } from '../../../src/base/index.js';
import {
  decodeMessage,
  encodeMessage,
  Rcode,
  readTarget,
  RRType,
  type DnsAnswer,
  type Resolver,
  type ResourceRecord,
} from '../../../src/dns/index.js';
import type { MailHost } from '../../../src/evidence/index.js';
import { LabDns } from '../../../src/lab/index.js';
import { netFailures } from '../../../src/net/index.js';
import { trustStore } from '../../../src/x509/index.js';
import type { Observer } from '../../../src/publish/observe/observer.js';

export interface ZoneOptions {
  readonly signed?: boolean;
  /** Zone text of a second server; default: the same as the first. */
  readonly second?: string;
  readonly probe?: (host: string) => MailHost | undefined;
}

/**
 * Returns the zone `one.example` at two authoritative servers, and a resolver that
 * follows aliases in it.
 */
export function zoneEyes(records: string, options: ZoneOptions = {}): Observer {
  const servers = [records, options.second ?? records].map(
    (text) =>
      new LabDns(
        [
          { apex: '.', signed: {} },
          { apex: 'one.example', records: text, signed: options.signed ? {} : undefined },
        ],
        Date.now(),
      ),
  );
  const [first] = servers;
  if (!first) throw new TypeError('no server');
  const upstreams = servers.map((_, i) => ({
    address: `192.0.2.${53 + i}`,
    port: 53,
    label: `ns${i + 1}`,
  }));
  const dnssec = options.signed ? 'secure' : 'insecure';
  return {
    network: {
      dial: () => Promise.resolve({ ok: false, failure: netFailures.make('net-refused') }),
      exchange: ({ query, to }) => {
        const at = upstreams.findIndex(({ address }) => address === to.address);
        const bytes = servers[at]?.serve(query, 65_535);
        const message = bytes && decodeMessage(bytes);
        if (!message?.ok) throw new TypeError('no answer');
        const authoritative = encodeMessage({ ...message.value, authoritative: true });
        return Promise.resolve({ ok: true, bytes: authoritative });
      },
    },
    resolver: { health: () => ({ upstreams: [] }), ask: (name, type) => ask(first, name, type) },
    trustStore: trustStore([]),
    clock: systemClock,
    httpsPort: 443,
    zone: () => Promise.resolve({ apex: Name.of('one.example'), servers: upstreams }),
    probe: (host) => Promise.resolve(options.probe?.(host)),
    reports: () => Promise.resolve([]),
  };

  function ask(dns: LabDns, name: Name, type: number): ReturnType<Resolver['ask']> {
    const { answers, rcode } = dns.honest(name, type);
    const links = answers.flatMap((record) => {
      const follows = record.type === RRType.CNAME && type !== Number(RRType.CNAME);
      const target = follows ? readTarget(record) : undefined;
      return target?.ok ? [{ from: record.name, to: target.value, dnssec } as const] : [];
    });
    const canonicalName = links.at(-1)?.to ?? name;
    const found: readonly ResourceRecord[] = answers.filter(
      (record) => record.type === type && record.name.equals(canonicalName),
    );
    const denied = rcode === Number(Rcode.NXDOMAIN) ? 'nxdomain' : 'nodata';
    const answer: DnsAnswer = {
      question: { name, type },
      status: found.length > 0 ? 'found' : denied,
      dnssec,
      records: found,
      canonicalName,
      aliases: links,
      ttl: 300,
    };
    return Promise.resolve(answer);
  }
}
