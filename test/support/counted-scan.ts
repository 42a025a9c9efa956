import assert from 'node:assert/strict';
import { Name } from '../../src/base/index.js';
import { askTlsa } from '../../src/dane/index.js';
import {
  createResolver,
  decodeMessage,
  lookupAddresses,
  lookupMailRoute,
  lookupTexts,
  typeName,
  type Resolver,
} from '../../src/dns/index.js';
import { LabDns, type ZoneSpec } from '../../src/lab/index.js';
import type { Network } from '../../src/net/index.js';

/** Returns the question of a query, as `TXT _mta-sts.x.example`. */
export function questionIn(query: Uint8Array): string {
  const decoded = decodeMessage(query);
  const [question] = decoded.ok ? decoded.value.questions : [];
  return question ? `${typeName(question.type)} ${question.name.toString()}` : 'malformed';
}

/**
 * The domains of a scan, their mail hosts in separate zones, and one resolver for all.
 * The DNS server counts the questions. One domain in ten is signed.
 */
export class CountedScan {
  readonly asked: string[] = [];
  readonly signedDomains: number;
  readonly #domains: readonly Name[];
  readonly #resolver: Resolver;

  constructor(size: { readonly domains: number; readonly hosts: number }) {
    const dns = new LabDns(zonesOf(size), Date.now());
    const network: Network = {
      dial: () => Promise.reject(new Error('every answer fits into a datagram')),
      exchange: async ({ query }) => {
        this.asked.push(questionIn(query));
        await new Promise((resolve) => setImmediate(resolve));
        const bytes = dns.serve(query);
        assert.ok(bytes);
        return { ok: true, bytes };
      },
    };
    const upstreams = [{ address: '192.0.2.53', port: 53, label: 'lab' }];
    this.#resolver = createResolver({ network, upstreams, anchors: dns.anchors });
    this.#domains = Array.from({ length: size.domains }, (_, n) => Name.of(domainAt(n)));
    this.signedDomains = Math.ceil(size.domains / 10);
  }

  /** Looks up all domains, thirty at a time. */
  async lookUpAll(): Promise<void> {
    for (let start = 0; start < this.#domains.length; start += 30) {
      const some = this.#domains.slice(start, start + 30);
      await Promise.all(some.map((domain) => this.lookUp(domain)));
    }
  }

  /** Asks the questions that a check asks about a domain. */
  async lookUp(domain: Name): Promise<void> {
    const resolver = this.#resolver;
    const below = (labels: string): Name => Name.of(`${labels}.${domain.toString()}`);
    const [route] = await Promise.all([
      lookupMailRoute(resolver, domain),
      lookupTexts(resolver, below('_mta-sts')),
      lookupTexts(resolver, below('_smtp._tls')),
    ]);
    assert.equal(route.kind, 'mx', route.failure?.code);
    for (const { name: host } of route.hosts)
      await Promise.all([lookupAddresses(resolver, host), askTlsa({ resolver, host, port: 25 })]);
  }
}

/**
 * Returns the name of a domain. One domain in four is below a name without a zone cut, as
 * below `co.jp`.
 */
function domainAt(n: number): string {
  return n % 4 === 1 ? `d${n}.co.example` : `d${n}.example`;
}

function zonesOf(size: { readonly domains: number; readonly hosts: number }): readonly ZoneSpec[] {
  return [
    { apex: '.', signed: { algorithm: 13 } },
    { apex: 'example', signed: { algorithm: 13, denial: 'nsec3-optout' } },
    ...Array.from({ length: size.hosts }, (_, n) => ({
      apex: `h${n}.example`,
      records: 'mx A 192.0.2.1',
    })),
    ...Array.from({ length: size.domains }, (_, n) => ({
      apex: domainAt(n),
      records: `@ MX 10 mx.h${n % size.hosts}.example.`,
      signed: n % 10 === 0 ? {} : undefined,
    })),
  ];
}
