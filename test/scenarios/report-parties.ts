import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createSecureContext, TLSSocket } from 'node:tls';
import { newKeyPair } from '../../src/base/index.js';
import { createResolver, type Resolver } from '../../src/dns/index.js';
import { LabDns, LabNetwork, mailServer } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import {
  createReceiver,
  httpsHandler,
  openReports,
  smtpIntake,
  verifyDkim,
} from '../../src/tls-rpt-receive/index.js';
import { createSender, type Sender } from '../../src/send/index.js';
import {
  countSessions,
  deliverReport,
  eventsOfOutcome,
  Outbox,
  prepareReporting,
  reportRound,
} from '../../src/tls-rpt-send/index.js';
import { openStore, type Store } from '../../src/store/index.js';
import { parseCertificate, trustStore } from '../../src/x509/index.js';
import { systemClockAt } from '../support/fake-clock.js';

export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const start = Date.parse('2026-11-23T08:00:00Z');
export const valid = { notBefore: start - DAY, notAfter: start + 40 * DAY };
export const root = createCa({ name: 'Round Trip Root', ...valid });
const anchor = parseCertificate(root.der);
assert.ok(anchor.ok);
export const roots = trustStore([anchor.value]);
export const dkim = newKeyPair({ type: 'rsa', modulusLength: 2048 });
const dkimText = `v=DKIM1; k=rsa; s=tlsrpt; p=${dkim.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
const strings = (dkimText.match(/.{1,200}/g) ?? []).map((part) => `"${part}"`).join(' ');

/**
 * An organisation that sends and receives mail (with failing TLS), sends reports and
 * receives them by mail and HTTPS.
 */
export interface Party {
  readonly domain: string;
  readonly sender: Sender;
  readonly outbox: Outbox;
  readonly store: Store;
  readonly received: Store;
  round(): Promise<void>;
}

/** The time of all parties, set by the test. */
export const time = { now: start };
export const clock = systemClockAt(() => time.now);

export async function party(
  domain: string,
  at: number,
  network: LabNetwork,
  resolver: Resolver,
): Promise<Party> {
  const received = await openReports(':memory:');
  const receiver = createReceiver({
    store: received,
    clock,
    domains: [domain],
    verify: (mail) => verifyDkim(mail, resolver, time.now),
  });
  const intake = smtpIntake({
    receiver,
    recipients: [`tlsrpt@in.${domain}`],
    name: `in.${domain}`,
  });
  const expired = issue(root, {
    names: [`mx.${domain}`],
    notBefore: start - 20 * DAY,
    notAfter: start - DAY,
  });
  const ordinary = mailServer({ name: `mx.${domain}`, certificates: [expired] });
  await network.listenTcp(`198.51.100.${at}`, 25, ordinary);
  // A separate mail host for reports.
  await network.listenTcp(`198.51.100.${at + 1}`, 25, (stream) =>
    intake.serve({
      stream,
      local: { address: `198.51.100.${at + 1}`, port: 25 },
      remote: { address: '192.0.2.99', port: 1024 },
      close: () => void stream.destroy(),
    }),
  );
  const handle = httpsHandler({ receiver });
  const web = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = new Request(`https://reports.${domain}/tlsrpt`, {
        method: 'POST',
        body: Buffer.concat(chunks),
      });
      void handle(request, { address: '192.0.2.99' }).then((response) =>
        outgoing.writeHead(response.status).end(),
      );
    });
  });
  const { keyPem, chainPem } = issue(root, { names: [`reports.${domain}`], ...valid });
  const secureContext = createSecureContext({ key: keyPem, cert: chainPem });
  await network.listenTcp(`203.0.113.${at}`, 443, (socket) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext });
    secured
      .on('error', () => socket.destroy())
      .once('secure', () => web.emit('connection', secured));
  });

  const store = await openStore(':memory:');
  prepareReporting(store);
  const reporter = { organization: domain, contact: `tls@${domain}` };
  const options = { network, resolver, trustStore: roots, clock };
  const sender = createSender({ ...options, helo: `out.${domain}`, timeoutMs: 30_000 });
  const outbox = new Outbox({
    store,
    reporter,
    spreadMs: 0,
    perReceiver: 1000,
    random: Math.random,
  });
  return {
    domain,
    sender,
    store,
    received,
    outbox,
    round: () =>
      reportRound({
        outbox,
        clock,
        deliver: (due) =>
          deliverReport(due, {
            ...options,
            reporter,
            dkim: { domain, selector: 's1', privateKey: dkim.privateKey },
            // As in the daemon, the sessions of report mail are counted like any other:
            // none of them may appear in a report.
            deliver: async (mail) => {
              const delivery = await sender.deliver(mail);
              countSessions(store, delivery.outcomes.flatMap(eventsOfOutcome));
              return delivery;
            },
          }),
      }),
  };
}

function zoneOf(domain: string, at: number): { apex: string; records: string } {
  return {
    apex: domain,
    records: [
      '@ MX 10 mx',
      `mx A 198.51.100.${at}`,
      'in MX 10 inmx',
      `inmx A 198.51.100.${at + 1}`,
      `reports A 203.0.113.${at}`,
      `_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tlsrpt@in.${domain},https://reports.${domain}/tlsrpt"`,
      `_smtp._tls.in TXT "v=TLSRPTv1; rua=mailto:tlsrpt@in.${domain}"`,
      `s1._domainkey TXT ${strings}`,
    ].join('\n'),
  };
}

export async function world(
  domains: readonly string[],
): Promise<{ network: LabNetwork; resolver: Resolver }> {
  const network = new LabNetwork();
  const dns = new LabDns(
    [
      { apex: '.', signed: { algorithm: 13 } },
      ...domains.map((domain, i) => zoneOf(domain, 10 + 10 * i)),
    ],
    start,
  );
  await dns.serveAt(network, '192.0.2.53');
  const upstreams = [{ address: '192.0.2.53', port: 53, label: 'lab' }];
  return { network, resolver: createResolver({ network, upstreams, anchors: dns.anchors, clock }) };
}
