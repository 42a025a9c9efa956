import { systemClock } from '../../src/base/index.js';
import { policyHandler, policyResponder, servesPolicy } from '../../src/publish/index.js';
import { createLog } from '../../src/server/index.js';
import { listenWeb } from '../../src/server/listeners/web-listener.js';
import { openStore } from '../../src/store/index.js';
import { builtinTrustStore } from '../../src/tls/index.js';
import { openPages, pagesSection } from '../../src/web/index.js';
import { silentNetwork, zoneResolver } from '../../test/support/testing-pages.js';
import { startMap } from '../socketmap/start-map.js';
import type { Usage } from '../socketmap/usage.js';

/**
 * One process with the pages, a policy host and the socketmap, as the daemon runs them.
 * The policy host speaks plain HTTP: TLS would hide a delay of the process. The checks
 * receive no DNS answers, so their queue stays full.
 */

/** The addresses of the server, and the path of a running check. */
export interface Started {
  readonly pages: number;
  readonly policies: number;
  readonly map: number;
  readonly check: string;
}

const log = createLog({ format: 'plain', write: () => undefined, now: Date.now });
const store = await openStore(':memory:');
const settings = pagesSection.parse({ proxies: ['127.0.0.1'], limits: { perDomain: 100_000 } });
const pages = await openPages(settings, {
  network: silentNetwork(),
  resolver: zoneResolver([], () => new Promise(() => undefined)),
  trustStore: builtinTrustStore(),
  store,
  clock: systemClock,
  log,
});
const handle = pages.handler(false);
let check = '';
for (let n = 0; n < 108; n++) {
  const body = new URLSearchParams({ domain: `d${n}.bench${n}.com` });
  const headers = { 'x-forwarded-for': `11.0.${n}.1`, host: 'check.example' };
  const request = new Request('http://check.example/check', { method: 'POST', body, headers });
  const response = await handle(request, { address: '127.0.0.1' });
  check ||= response.headers.get('location') ?? '';
}
const policy = `version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n`;
const policies = { bodyOf: () => policy };
const loopback = { address: '127.0.0.1', port: 0 };
const limits = { connections: Number(process.argv[2]) };
const isBusy = (): boolean => pages.share.isExhausted;
const shown = await listenWeb(loopback, {
  sites: [{ serves: () => true, handle, answer: pages.refusal, isBusy }],
  log,
  limits,
});
const policyHost = await listenWeb(loopback, {
  sites: [
    { serves: servesPolicy, handle: policyHandler(policies), answer: policyResponder(policies) },
  ],
  log,
  limits,
});
const portOf = ({ at }: { readonly at: object }): number => ('port' in at ? Number(at.port) : 0);
const map = await startMap(':memory:');
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() } satisfies Usage);
});
process.send?.({
  pages: portOf(shown),
  policies: portOf(policyHost),
  map,
  check,
} satisfies Started);
