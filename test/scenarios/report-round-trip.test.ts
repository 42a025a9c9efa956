import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createSecureContext, TLSSocket } from 'node:tls';
import test from 'node:test';
import { createResolver } from '../../src/dns/index.js';
import { LabDns } from '../../src/lab/index.js';
import { guarded, type Network } from '../../src/net/index.js';
import { issue } from '../../src/pki/index.js';
import { verifyDkim } from '../../src/tls-rpt-receive/index.js';
import { createSender } from '../../src/send/index.js';
import {
  composeReportMail,
  countSessions,
  deliverReport,
  eventsOfOutcome,
} from '../../src/tls-rpt-send/index.js';
import { parseReport } from '../../src/tls-rpt/index.js';
import {
  clock,
  DAY,
  dkim,
  HOUR,
  party,
  root,
  roots,
  start,
  time,
  valid,
  world,
  type Party,
} from './report-parties.js';

/** Opens a session as a sender of mail does, and ends it after the delivery. */
async function sendTo(from: Party, to: string): Promise<void> {
  const connected = await from.sender.connect(to);
  if (connected.ok) await connected.session.quit();
  countSessions(from.store, eventsOfOutcome(connected.outcome));
}

/** Returns the sessions in the reports to a domain, by day. */
function seen({ received, domain }: Party): readonly number[] {
  return received
    .prepare<{ n: number }>(
      'SELECT sum(ok) + sum(failed) AS n FROM report_day WHERE domain = ? GROUP BY day ORDER BY day',
    )
    .all(domain)
    .map(({ n }) => n);
}

test('[8460-3-20] ten days between two servers: each session is reported once', async () => {
  time.now = start;
  const { network, resolver } = await world(['a.example', 'b.example']);
  const parties = [
    await party('a.example', 10, network, resolver),
    await party('b.example', 20, network, resolver),
  ] as const;
  const [a, b] = parties;
  const sent: number[] = [];
  for (let day = 0; day < 10; day++) {
    const mails = 1 + (day % 3);
    sent.push(mails);
    for (let n = 0; n < mails; n++) {
      await sendTo(a, b.domain);
      await sendTo(b, a.domain);
    }
    time.now += DAY - 6 * HOUR;
    for (const one of parties) await one.round();
    time.now += 6 * HOUR;
  }
  for (const one of parties) {
    assert.deepEqual(one.outbox.counts(), [['delivered', 20]], one.domain);
    // Each report arrived by mail and by HTTPS, and is counted once.
    assert.deepEqual(seen(one), sent);
    const trusts = one.received
      .prepare<{ trust: string; n: number }>(
        'SELECT trust, count(*) AS n FROM report GROUP BY trust',
      )
      .all();
    assert.equal(
      trusts.reduce((sum, t) => sum + t.n, 0),
      10,
      JSON.stringify(trusts),
    );
    assert.deepEqual(previews(one), []);
  }
  await network.close();
});

/**
 * Returns the unsent counts for other domains. The result is empty after the last round,
 * unless sessions of report mail were counted.
 */
function previews({ store }: Party): readonly unknown[] {
  return store.prepare('SELECT domain, day FROM send_report_domain').all();
}

// [8460-3-15, 8460-3-19, 8460-5.3-3, 8460-5.3-5]
test('report mail is signed, has its fields and waives TLS', async () => {
  time.now = start;
  const { network, resolver } = await world(['a.example']);
  const parsed = parseReport(reportText);
  assert.ok(parsed.ok);
  const mail = await composeReportMail({
    reporter: { organization: 'Ä', contact: 'tls@a.example' },
    report: parsed.value.report,
    body: reportText,
    policyDomain: 'evil.example',
    to: 'r@evil.example',
    dkim: { domain: 'a.example', selector: 's1', privateKey: dkim.privateKey },
    at: time.now,
  });
  const verdict = await verifyDkim(mail, resolver, time.now);
  assert.equal(verdict.result, 'pass', verdict.detail);
  const text = mail.toString();
  const signed = /h=([^;]+);/.exec(text)?.[1]?.replace(/\s+/g, '').split(':') ?? [];
  for (const field of ['From', 'TLS-Report-Domain', 'TLS-Report-Submitter'])
    assert.ok(signed.includes(field), `${field} in ${signed.join()}`);
  assert.match(text, /^TLS-Report-Domain: evil\.example\r\n/m);
  assert.match(text, /^TLS-Report-Submitter: a\.example\r\n/m);
  assert.match(text, /^TLS-Required: No\r\n/m);
  // A change in transit invalidates the signature.
  const changed = await verifyDkim(
    Buffer.from(text.replace('TLS-Report-Domain: evil', 'TLS-Report-Domain: good')),
    resolver,
    time.now,
  );
  assert.notEqual(changed.result, 'pass');
  await network.close();
});

test('no report is sent to this machine or a private network', async () => {
  time.now = start;
  const { network: below } = await world([]);
  const dials: string[] = [];
  const watched: Network = {
    exchange: (request) => below.exchange(request),
    dial: (request) => {
      dials.push(request.address);
      return below.dial(request);
    },
  };
  const dns = new LabDns(
    [
      { apex: '.', signed: { algorithm: 13 } },
      {
        apex: 'evil.example',
        records:
          'meta A 169.254.169.254\nlocal A 127.0.0.1\nmapped AAAA ::ffff:10.0.0.1\n@ MX 10 local\nred A 203.0.113.77',
      },
    ],
    start,
  );
  await dns.serveAt(below, '192.0.2.54');
  const resolver = createResolver({
    network: below,
    upstreams: [{ address: '192.0.2.54', port: 53, label: 'lab' }],
    anchors: dns.anchors,
    clock,
  });
  const network = guarded(watched);
  const options = { network, resolver, trustStore: roots, clock };
  const sender = createSender({ ...options, timeoutMs: 30_000 });
  const uris = [
    'https://127.0.0.1/x',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/x',
    'https://meta.evil.example/x',
    'https://local.evil.example/x',
    'https://mapped.evil.example/x',
    'mailto:x@evil.example',
    'mailto:x@[127.0.0.1]',
  ];
  for (const uri of uris) {
    const settled = await deliverReport(
      { id: 'x', domain: 'evil.example', day: start, body: reportText, uri },
      {
        ...options,
        reporter: { organization: 'x', contact: 'tls@sender.example' },
        dkim: { domain: 'sender.example', selector: 's1', privateKey: dkim.privateKey },
        deliver: sender.deliver,
      },
    );
    assert.equal(settled.delivered, false, uri);
  }
  assert.deepEqual(dials, []);
  await below.close();
});

const reportText = JSON.stringify({
  'organization-name': 'x',
  'date-range': {
    'start-datetime': '2026-11-22T00:00:00Z',
    'end-datetime': '2026-11-22T23:59:59Z',
  },
  'contact-info': 'tls@sender.example',
  'report-id': '1',
  policies: [
    {
      policy: { 'policy-type': 'no-policy-found', 'policy-domain': 'evil.example' },
      summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 0 },
    },
  ],
});

// [8460-5.4-1]
test('a redirecting receiver is not followed; its status decides about a retry', async () => {
  time.now = start;
  const { network, resolver } = await world(['c.example']);
  const asked: string[] = [];
  let status = 302;
  const web = createServer((incoming, outgoing) => {
    asked.push(
      `${incoming.method ?? ''} ${incoming.url ?? ''} ${incoming.headers['content-type'] ?? ''}`,
    );
    incoming.resume();
    outgoing.writeHead(status, { location: 'https://127.0.0.1/' }).end();
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
  const sender = createSender({ network, resolver, trustStore: roots, clock });
  const answer = async (code: number): Promise<string> => {
    status = code;
    const settled = await deliverReport(
      {
        id: 'x',
        domain: 'c.example',
        day: start,
        body: reportText,
        uri: 'https://reports.c.example/t',
      },
      {
        network,
        resolver,
        trustStore: roots,
        clock,
        reporter: { organization: 'x', contact: 'tls@sender.example' },
        deliver: sender.deliver,
      },
    );
    return settled.delivered ? 'delivered' : settled.failure.temporary ? 'again' : 'refused';
  };
  assert.deepEqual(
    [
      await answer(302),
      await answer(404),
      await answer(201),
      await answer(200),
      await answer(429),
      await answer(500),
      await answer(410),
    ],
    ['refused', 'refused', 'delivered', 'delivered', 'again', 'again', 'refused'],
  );
  assert.deepEqual([...new Set(asked)], ['POST /t application/tlsrpt+gzip']);
  await network.close();
});
