/**
 * DNS rebinding: the DNS server of an attacker answers with a public address first, and
 * with an address of this machine or its network at the next lookup. No client connects
 * to the second address, because the guard examines each address before a connection.
 */
import assert from 'node:assert/strict';
import test, { type TestContext } from 'node:test';
import type { Resolver } from '../../src/dns/index.js';
import { guarded, type Network } from '../../src/net/index.js';
import { builtinTrustStore } from '../../src/tls/index.js';
import { postWebhook } from '../../src/tls-rpt-receive/index.js';
import { deliverReport } from '../../src/tls-rpt-send/deliver-report.js';
import {
  mailZone,
  movedClock,
  silentNetwork,
  TestPages,
  zoneResolver,
} from '../support/testing-pages.js';

const trustStore = builtinTrustStore();

/** The addresses of the second lookup, each after a public one of the same family. */
const special = [
  '127.0.0.1',
  '10.1.2.3',
  '169.254.169.254',
  '100.64.0.1',
  '::1',
  'fd00::1',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '2002:7f00:1::1',
];
const publicOf = (ip: string): string => (ip.includes(':') ? '2a00:1::1' : '11.0.0.1');

/**
 * Returns a resolver whose answer for one name changes after the first lookup of each
 * type.
 */
function reboundResolver(
  name: string,
  second: readonly string[],
  zone: readonly string[] = [],
): Resolver & { readonly seen: string[] } {
  const seen: string[] = [];
  const asked = new Map<number, number>();
  const linesOf = (ips: readonly string[]): readonly string[] =>
    ips.map((ip) => `${name}. 0 IN ${ip.includes(':') ? 'AAAA' : 'A'} ${ip}`);
  const before = zoneResolver([...zone, ...linesOf(second.map(publicOf))]);
  const after = zoneResolver([...zone, ...linesOf(second)]);
  return {
    seen,
    health: before.health,
    ask(question, type, options) {
      if (question.toLower() !== name) return before.ask(question, type, options);
      const count = asked.get(type) ?? 0;
      asked.set(type, count + 1);
      if (count > 0) seen.push(...second);
      return (count === 0 ? before : after).ask(question, type, options);
    },
  };
}

/** The parts of one test, which repeats an operation until it uses the second answer. */
interface Setting {
  readonly network: Network;
  readonly resolver: Resolver;
  readonly t: TestContext;
}
type Operation = (parts: Setting) => Promise<() => Promise<unknown>>;

const settings = {
  limits: { againMinutes: 0, reuseMinutes: 0, perServer: 1000, perDomain: 1000 },
  signIn: {
    oidc: { issuer: 'https://rebound.com', clientId: 'x', origin: 'https://check.example' },
  },
};

async function checkOf(domain: string, { t, network, resolver }: Setting) {
  const clock = movedClock();
  const site = await TestPages.open(t, settings, { network, resolver, clock });
  let [path, n] = ['', 0];
  return async () => {
    const from = `198.51.100.${++n}`;
    clock.move(90_000_000);
    path = (await site.submit(domain, from)).headers.get('location') ?? '';
    await site.finished(path);
  };
}

const operations: Readonly<
  Record<string, { readonly name: string; readonly zone?: readonly string[]; run: Operation }>
> = {
  'an MX host': {
    name: 'mx.rebound.com',
    zone: ['rebound.com. 60 IN MX 10 mx.rebound.com.'],
    run: (parts) => checkOf('rebound.com', parts),
  },
  'a policy host': {
    name: 'mta-sts.rebound.com',
    zone: [...mailZone('rebound.com', []), '_mta-sts.rebound.com. 60 IN TXT "v=STSv1; id=1;"'],
    run: (parts) => checkOf('rebound.com', parts),
  },
  'an https address of rua': {
    name: 'rebound.com',
    run: ({ network, resolver }) =>
      Promise.resolve(() =>
        deliverReport(
          { id: '1', domain: 'a.example', day: 0, body: '{}', uri: 'https://rebound.com/r' },
          {
            reporter: { organization: 'x', contact: 'x@a.example', domain: 'a.example' } as never,
            deliver: () => Promise.reject(new Error('no mail')),
            network,
            resolver,
            trustStore,
            clock: movedClock(),
          },
        ),
      ),
  },
  'a webhook': {
    name: 'rebound.com',
    run: ({ network, resolver }) =>
      Promise.resolve(() =>
        postWebhook('https://rebound.com/hook', '{}', {
          network,
          resolver,
          anchors: trustStore,
          clock: movedClock(),
        }),
      ),
  },
  'an OpenID provider': {
    name: 'rebound.com',
    async run({ t, network, resolver }) {
      const clock = movedClock();
      const site = await TestPages.open(t, settings, { network, resolver, trustStore, clock });
      return async () => {
        // The pages repeat a failed discovery after ten seconds.
        clock.move(60_000);
        await site.ask('/sign-in/oidc');
      };
    },
  },
};

for (const [what, { name, zone, run }] of Object.entries(operations))
  test(`${what} that rebinds to a special address is not dialled`, async (t) => {
    for (const second of [...special.map((ip) => [ip]), ['127.0.0.1', '::1']]) {
      const silent = silentNetwork();
      const resolver = reboundResolver(name, second, zone);
      const again = await run({ t, network: guarded(silent), resolver });
      await again();
      const publicOnes = new Set(second.map(publicOf));
      // Control: the client dials a public address.
      assert.ok(silent.dialled.length > 0, `${second.join()}: nothing was dialled at first`);
      assert.deepEqual(
        silent.dialled.filter((ip) => !publicOnes.has(ip)),
        [],
      );
      const count = silent.dialled.length;
      await again();
      assert.ok(resolver.seen.length > 0, `${second.join()}: no second lookup`);
      assert.equal(silent.dialled.length, count, `${second.join()}: ${silent.dialled.join()}`);
    }
  });
