import { fail, ok, type Name, type Result } from '../../src/base/index.js';
import { parseRecord, RRType, type DnsAnswer, type Resolver } from '../../src/dns/index.js';
import {
  createStsSource,
  memoryStsCache,
  parsePolicy,
  stsFailures,
  type StsCache,
  type StsEntry,
  type StsPolicy,
  type StsSource,
} from '../../src/mta-sts/index.js';

export const body = (mode: string, maxAge = 604_800, mx = 'mx.example.com'): string =>
  `version: STSv1\nmode: ${mode}\nmx: ${mx}\nmax_age: ${maxAge}\n`;

/**
 * A source of records and policies that a test sets: the record's texts or the failure of
 * their lookup, and the policy or the failure of its fetch.
 */
export interface StsWorld {
  texts: readonly string[] | 'failed';
  /** A policy body, or the code of a failure. */
  policy: string;
  time: number;
  readonly asked: string[];
  fetches: number;
  readonly warnings: StsEntry[];
  readonly cache: StsCache;
  readonly source: StsSource;
  /** Returns a source with the same cache, as after a restart. */
  again(cache?: StsCache): StsSource;
}

export function stsWorld(
  given: Partial<Pick<StsWorld, 'texts' | 'policy'>> & { readonly cache?: StsCache } = {},
): StsWorld {
  const world = {
    texts: given.texts ?? ['v=STSv1; id=1'],
    policy: given.policy ?? body('enforce'),
    time: Date.UTC(2026, 0, 1),
    asked: [] as string[],
    fetches: 0,
    warnings: [] as StsEntry[],
  };
  const now = (): number => world.time;
  const cache = given.cache ?? memoryStsCache({ now });
  const again = (kept = cache): StsSource =>
    createStsSource({
      resolver: resolverOf(world),
      cache: kept,
      now,
      fetch: () => {
        world.fetches++;
        return Promise.resolve(fetched(world.policy));
      },
      onWarning: (entry) => world.warnings.push(entry),
    });
  return Object.assign(world, { cache, source: again(), again });
}

function fetched(policy: string): Result<{ readonly policy: StsPolicy; readonly body: string }> {
  if (policy in stsFailures.entries)
    return fail(stsFailures.make(policy as keyof typeof stsFailures.entries));
  const parsed = parsePolicy(policy);
  return parsed.ok ? ok({ policy: parsed.value, body: policy }) : parsed;
}

function resolverOf(world: Pick<StsWorld, 'texts' | 'asked'>): Resolver {
  return {
    ask(name: Name, type: number): Promise<DnsAnswer> {
      world.asked.push(`${name.toString()} ${type === RRType.TXT ? 'TXT' : type}`);
      const common = {
        question: { name, type },
        canonicalName: name,
        aliases: [],
        dnssec: 'insecure',
        ttl: 60,
      } as const;
      if (world.texts === 'failed')
        return Promise.resolve({
          ...common,
          status: 'failed',
          records: [],
          dnssec: 'indeterminate',
          ttl: 0,
        });
      const records = world.texts.map((text) => {
        const parsed = parseRecord(`${name.toString()}. 60 IN TXT "${text}"`);
        if (!parsed.ok) throw new TypeError(text);
        return parsed.value;
      });
      return Promise.resolve({
        ...common,
        status: records.length > 0 ? 'found' : 'nxdomain',
        records,
      });
    },
    health: () => ({ upstreams: [] }),
  };
}
