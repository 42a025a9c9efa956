import { steadyTime, systemClock, type Name } from '../../src/base/index.js';
import { parseRecord, RRType, type DnsAnswer, type Resolver } from '../../src/dns/index.js';
import { createStsSource, parsePolicy } from '../../src/mta-sts/index.js';
import { nodeNetwork } from '../../src/net/index.js';
import { resolvePolicy } from '../../src/tls-policy/index.js';
import { postfixSection, startPostfixMap, stsStore } from '../../src/send/index.js';
import { openStore } from '../../src/store/index.js';
import { listenStream } from '../../src/server/listeners/stream-listener.js';

/**
 * The complete server except for the network: listener, framing, answers, decisions,
 * MTA-STS cache. DNS and policy hosts are functions: domains below `d` have an enforced
 * policy, others have none.
 */
const now = steadyTime(systemClock);
const hasPolicy = (name: string): boolean => /^(_mta-sts\.|mta-sts\.)?d\d+\.example$/.test(name);

const resolver: Resolver = {
  ask(name, type) {
    const text = name.toLower();
    const records = recordsOf(text, name, type);
    const answer: DnsAnswer = {
      question: { name, type },
      status: records.length > 0 ? 'found' : 'nodata',
      dnssec: 'insecure',
      records,
      canonicalName: name,
      aliases: [],
      ttl: 3600,
    };
    return Promise.resolve(answer);
  },
  health: () => ({ upstreams: [{ label: 'bench', state: 'answers' }] }),
};

function recordsOf(text: string, name: Name, type: number): DnsAnswer['records'] {
  const line =
    type === RRType.MX
      ? `MX 10 mx.${text}.`
      : type === RRType.A
        ? 'A 192.0.2.1'
        : type === RRType.TXT && hasPolicy(text) && text.startsWith('_mta-sts.')
          ? 'TXT "v=STSv1; id=20261125"'
          : undefined;
  const record =
    line === undefined ? undefined : parseRecord(`${name.toString()}. 3600 IN ${line}`);
  return record?.ok ? [record.value] : [];
}

/** Opens the map on a free port of loopback; resolves to the port. */
export async function startMap(file: string): Promise<number> {
  const stsSource = createStsSource({
    resolver,
    cache: stsStore(await openStore(file), { now }),
    now,
    fetch: (domain) => {
      const body = `version: STSv1\r\nmode: enforce\r\nmx: mx.${domain.toLower()}\r\nmax_age: 604800\r\n`;
      const policy = parsePolicy(body);
      return Promise.resolve(
        policy.ok ? { ok: true, value: { policy: policy.value, body } } : policy,
      );
    },
  });
  const map = await startPostfixMap({
    settings: postfixSection.parse({ version: '3.7', dane: false }),
    clock: systemClock,
    network: nodeNetwork(),
    decide: (hop) => resolvePolicy(hop, { resolver, stsSource, now, dane: false }),
  });
  const listener = await listenStream(
    { address: '127.0.0.1', port: 0 },
    { serve: map.serve, limits: { connections: 5000, idleMs: 60_000 } },
  );
  return 'port' in listener.at ? listener.at.port : 0;
}
