import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createSecureContext, TLSSocket } from 'node:tls';
import test from 'node:test';
import { guarded } from '../../src/net/index.js';
import { issue } from '../../src/pki/index.js';
import {
  alertJson,
  openReports,
  postWebhook,
  runAlerts,
  storeReports,
  type ReportAlert,
} from '../../src/tls-rpt-receive/index.js';
import { reportJson } from '../support/report/mail.js';
import { judgeTrust } from '../../src/tls-rpt-receive/verify/judge-trust.js';
import { parseReport } from '../../src/tls-rpt/index.js';
import { clock, DAY, root, roots, start, time, valid, world } from './report-parties.js';

test('a webhook receives every change over HTTPS, also after errors', async () => {
  time.now = start;
  const { network, resolver } = await world(['c.example', 'd.example']);
  const posted: string[] = [];
  let status = 204;
  const web = createServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (text: string) => (body += text));
    incoming.on('end', () => {
      posted.push(body);
      outgoing.writeHead(status).end();
    });
  });
  const { keyPem, chainPem } = issue(root, { names: ['reports.c.example'], ...valid });
  await network.listenTcp('203.0.113.10', 443, (socket) => {
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: createSecureContext({ key: keyPem, cert: chainPem }),
    });
    secured
      .once('secure', () => web.emit('connection', secured))
      .on('error', () => socket.destroy());
  });
  const options = { network, resolver, anchors: roots, clock };
  const store = await openReports(':memory:');
  const receive = (failed: number): void => {
    const day = new Date(time.now - DAY).toISOString().slice(0, 10);
    const raw = Buffer.from(reportJson(100, failed, day, day));
    const parsed = parseReport(raw);
    assert.ok(parsed.ok);
    const reading = judgeTrust({ name: 'r', via: 'file', raw, parsed }, { at: time.now });
    storeReports(store, [{ reading, parsed: parsed.value, receivedAt: time.now }]);
  };
  const round = async (): Promise<readonly string[]> => {
    const channels = {
      webhook: (alerts: readonly ReportAlert[]) =>
        postWebhook('https://reports.c.example/hook?key=1', alertJson(alerts), options),
    };
    const notices = await runAlerts({ store, now: time.now, domains: ['rcpt.example'], channels });
    return notices.map(({ received, alerts }) => `${received} ${alerts.map((a) => a.kind).join()}`);
  };
  receive(5);
  status = 500;
  assert.deepEqual(await round(), ['false added']);
  status = 204;
  assert.deepEqual(await round(), ['true added']);
  assert.deepEqual(await round(), []);
  time.now += DAY;
  receive(60);
  assert.deepEqual(await round(), ['true worse']);
  time.now += DAY;
  receive(0);
  assert.deepEqual(await round(), ['true ended']);
  assert.deepEqual(await round(), []);
  assert.deepEqual(
    posted.map((body) =>
      (JSON.parse(body) as { schema: string; alerts: readonly ReportAlert[] }).alerts.map(
        (a) => a.kind,
      ),
    ),
    [['added'], ['added'], ['worse'], ['ended']],
  );
  // The connection is guarded as in the daemon. The guard refuses this special-purpose
  // address.
  assert.equal(
    await postWebhook('https://reports.c.example/hook', '{}', {
      ...options,
      network: guarded(network),
    }),
    false,
  );
  assert.equal(await postWebhook('https://127.0.0.1/hook', '{}', options), false);
  assert.equal(await postWebhook('http://reports.c.example/hook', '{}', options), false);
  assert.equal(posted.length, 4);
  await network.close();
});
