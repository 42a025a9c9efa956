import assert from 'node:assert/strict';
import { createServer, type AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { createSecureContext, type SecureContext } from 'node:tls';
import { gzipSync } from 'node:zlib';
import nodemailer from 'nodemailer';
import type { Resolver } from '../../dns/index.js';
import { selfSigned } from '../../pki/index.js';
import type { Store } from '../../store/index.js';
import {
  createReceiver,
  httpsHandler,
  openReports,
  showOverview,
  smtpIntake,
  verifyDkim,
  type Receiver,
} from '../index.js';
import { keyResolver, reportJson, reportMail } from '../../../test/support/report/mail.js';
import { systemClockAt } from '../../../test/support/fake-clock.js';

const clock = systemClockAt(() => Date.parse('2026-05-05T12:00:00Z'));
const peer = { address: '192.0.2.77', port: 40_000 };

interface Bench {
  readonly store: Store;
  readonly receiver: Receiver;
  post(body: string | Uint8Array, address?: string): Promise<Response>;
  mail(bytes: Uint8Array): Promise<string>;
  totals(): unknown;
  trusts(): readonly string[];
}

async function bench(
  resolver: Resolver = keyResolver(['sender.example']),
  perMinute = 600,
): Promise<Bench> {
  const store = await openReports(':memory:');
  const receiver = createReceiver({
    store,
    clock,
    domains: ['rcpt.example'],
    verify: (mail) => verifyDkim(mail, resolver, clock.now()),
    perMinute,
  });
  const handle = httpsHandler({ receiver });
  return {
    store,
    receiver,
    post: (body, address = peer.address) =>
      handle(
        new Request('https://reports.rcpt.example/tlsrpt', {
          method: 'POST',
          body: Buffer.from(body),
        }),
        { address },
      ),
    async mail(bytes) {
      const receipt = await receiver.receive(bytes, {
        via: 'mail',
        peer: peer.address,
        name: 'mail',
      });
      return receipt.status === 'stored'
        ? receipt.reports.map((r) => `${r.outcome} ${r.trust}`).join()
        : JSON.stringify(receipt);
    },
    totals: () => ({
      ...(store
        .prepare<object>(
          "SELECT sum(ok) AS ok, sum(failed) AS failed, sum(CASE WHEN type = '' THEN reports END) AS reports FROM report_day WHERE domain = ''",
        )
        .get() ?? {}),
    }),
    trusts: () =>
      store
        .prepare<{ trust: string }>('SELECT trust FROM report ORDER BY id')
        .all()
        .map((r) => r.trust),
  };
}

// [8460-3-21, 8460-5.2-1, 8460-5.3-7, 8460-5.4-2, 8460-5.4-3]
test('a report by HTTPS is answered 201 when it is in the database, 200 when it was', async () => {
  const { post, totals, store } = await bench();
  const first = await post(gzipSync(reportJson(10, 2)));
  assert.equal(first.status, 201);
  assert.deepEqual(totals(), { ok: 10, failed: 2, reports: 1 });
  assert.equal((await post(reportJson(10, 2))).status, 200);
  assert.equal((await post(reportJson(7, 0, '2'))).status, 201);
  assert.deepEqual(totals(), { ok: 17, failed: 2, reports: 2 });
  assert.equal(
    store.prepare<{ copies: number }>('SELECT copies FROM report ORDER BY id').get()?.copies,
    2,
  );
});

test('the status of a refused body says whether to send it again', async () => {
  const { post, store } = await bench(undefined, 10_000);
  const statuses = await Promise.all(
    [
      '',
      'hello',
      '{}',
      gzipSync(reportJson(1, 0)).subarray(0, 40),
      gzipSync(Buffer.alloc(11_000_000)),
    ].map(async (b) => (await post(b)).status),
  );
  assert.deepEqual(statuses, [400, 400, 400, 400, 413]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { refused } = showOverview(store, { now: clock.now() });
  assert.deepEqual(Object.fromEntries(refused.map((r) => [r.code, r.refused])), {
    'report-empty': 1,
    'report-not-json': 1,
    'report-no-policies': 1,
    'report-damaged': 1,
    'report-too-large': 1,
  });
  const handle = httpsHandler({ receiver: (await bench()).receiver, maxBody: 1000 });
  assert.equal(
    (await handle(new Request('https://r.example/', { method: 'GET' }), peer)).status,
    405,
  );
  assert.equal(
    (
      await handle(
        new Request('https://r.example/', { method: 'POST', body: 'x'.repeat(1001) }),
        peer,
      )
    ).status,
    413,
  );
  assert.equal(
    (await handle(new Request('https://r.example/', { method: 'POST' }), peer)).status,
    400,
  );
});

// [8460-5.4-4, 8460-7-3]
test('a report beside an unreadable one is stored, and the loss is noted', async () => {
  const { receiver, totals } = await bench();
  const report = reportJson(10, 1);
  const receipt = await receiver.receive(Buffer.from(`${report}\n${report.slice(0, -20)}\n`), {
    via: 'https',
    peer: '192.0.2.1',
    name: '',
  });
  assert.deepEqual(receipt.status === 'stored' && receipt.failures.map(({ code }) => code), [
    'report-not-json',
  ]);
  assert.deepEqual(totals(), { ok: 10, failed: 1, reports: 1 });
});

test('a source that sends too much or invalid reports is slowed; others are not', async () => {
  const { post } = await bench(undefined, 60);
  for (let n = 0; n < 3; n++) assert.equal((await post('bomb')).status, 400);
  const refused = await post(reportJson(1, 0));
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers.get('retry-after')) > 0);
  assert.equal((await post(reportJson(1, 0), '192.0.2.78')).status, 201);
  assert.equal((await post(reportJson(2, 0), '2001:db8::1')).status, 201);
  for (let n = 0; n < 3; n++) await post('bomb', `2001:db8::${n + 2}`);
  assert.equal((await post(reportJson(3, 0), '2001:db8::9')).status, 429, 'one /64 is one source');
});

// [8460-3-16, 8460-5.3-4]
test('mail counts when the reporter’s organisation signed it, and only then', async () => {
  const report = reportJson(5, 1);
  const { mail, totals } = await bench(
    keyResolver(['sender.example', 'bulk.sender.example', 'attacker.example']),
  );
  assert.equal(await mail(await reportMail({ report })), 'stored unsigned');
  assert.deepEqual(totals(), { ok: null, failed: null, reports: null });
  assert.equal(
    await mail(await reportMail({ report, signer: 'bulk.sender.example' })),
    'confirmed signed',
  );
  assert.deepEqual(totals(), { ok: 5, failed: 1, reports: 1 });
  assert.equal(
    await mail(await reportMail({ report, signer: 'sender.example' })),
    'repeated signed',
  );
  assert.equal(
    await mail(await reportMail({ report: reportJson(6, 0, '2'), signer: 'attacker.example' })),
    'stored misaligned',
  );
  const other = reportJson(6, 0, '3', '2026-05-04', 'rcpt.example', 'tlsrpt@attacker.example');
  assert.equal(
    await mail(await reportMail({ report: other, signer: 'sender.example' })),
    'stored misaligned',
  );
  assert.deepEqual(totals(), { ok: 5, failed: 1, reports: 1 });
});

// [8460-3-17, 8460-7-5]
test('forged, altered, foreign, future and replayed reports are kept but not counted', async () => {
  const { mail, totals, trusts } = await bench();
  const good = await reportMail({ report: reportJson(5, 1), signer: 'sender.example' });
  const altered = Buffer.from(
    good.toString('latin1').replace('This is an', 'This is no'),
    'latin1',
  );
  assert.equal(await mail(altered), 'stored broken');
  const partly = Buffer.from(
    good.toString('latin1').replace(/DKIM-Signature: v=1;/, 'DKIM-Signature: v=1; l=10;'),
    'latin1',
  );
  assert.equal(await mail(partly), 'repeated broken');
  const about = (day: string, domain: string): string => reportJson(1, 0, '9', day, domain);
  assert.equal(
    await mail(
      await reportMail({ report: about('2026-05-04', 'other.example'), signer: 'sender.example' }),
    ),
    'stored other-domain',
  );
  assert.equal(
    await mail(
      await reportMail({ report: about('2026-05-09', 'rcpt.example'), signer: 'sender.example' }),
    ),
    'stored future',
  );
  assert.equal(
    await mail(
      await reportMail({ report: about('2026-01-09', 'rcpt.example'), signer: 'sender.example' }),
    ),
    'stored stale',
  );
  assert.deepEqual(totals(), { ok: null, failed: null, reports: null });
  assert.deepEqual(trusts(), ['broken', 'other-domain', 'future', 'stale']);
});

// [8460-3-18]
test('RFC 8460 §3: a key for other services signs no report; a missing key defers', async () => {
  const signed = await reportMail({ report: reportJson(5, 1), signer: 'sender.example' });
  const wrong = await bench(
    keyResolver(['sender.example'], 'nxdomain', 'v=DKIM1; s=calendar; p=AAAA'),
  );
  assert.equal(await wrong.mail(signed), 'stored broken');
  const silent = await bench(keyResolver([], 'failed'));
  assert.equal(await silent.mail(signed), '{"status":"later","why":"keys"}');
  const gone = await bench(keyResolver([]));
  assert.equal(await gone.mail(signed), 'stored broken');
});

async function listening(
  t: TestContext,
  receiver: Receiver,
  secure: { readonly secureContext?: SecureContext } = {},
): Promise<{ send(mail: Buffer, to: string, tls?: 'tls'): Promise<string> }> {
  const intake = smtpIntake({
    receiver,
    recipients: ['tlsrpt@rcpt.example'],
    name: 'reports.rcpt.example',
    maxMail: 100_000,
    ...secure,
  });
  const server = createServer((socket) =>
    intake.serve({
      stream: socket,
      local: { address: '127.0.0.1', port: 25 },
      remote: { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 },
      close: () => void socket.destroy(),
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (intake.stop(), server.close()));
  const { port } = server.address() as AddressInfo;
  return {
    async send(raw, to, tls) {
      const how = tls
        ? { requireTLS: true, tls: { rejectUnauthorized: false } }
        : { ignoreTLS: true };
      const transport = nodemailer.createTransport({
        host: '127.0.0.1',
        port,
        ...how,
        logger: false,
      });
      try {
        const { response } = await transport.sendMail({
          envelope: { from: 'tlsrpt@sender.example', to: [to] },
          raw,
        });
        return response;
      } catch (error) {
        return (error as { response?: string }).response ?? String(error);
      } finally {
        transport.close();
      }
    },
  };
}

test('SMTP mail is stored for its recipient or refused within the session', async (t) => {
  const { receiver, totals } = await bench();
  const { send } = await listening(t, receiver);
  const good = await reportMail({ report: reportJson(5, 1), signer: 'sender.example' });
  assert.match(await send(good, 'TLSRPT@rcpt.example'), /^250 .*stored/);
  assert.match(await send(good, 'postmaster@rcpt.example'), /^550 5\.1\.1/);
  assert.match(
    await send(Buffer.from('Subject: hello\r\n\r\nno report\r\n'), 'tlsrpt@rcpt.example'),
    /^550 5\.6\.0 .*report-missing/,
  );
  assert.match(
    await send(Buffer.concat([good, Buffer.alloc(100_000, 'x')]), 'tlsrpt@rcpt.example'),
    /^552/,
  );
  assert.deepEqual(totals(), { ok: 5, failed: 1, reports: 1 });
});

// [3207-4-3]
test('a port with STARTTLS accepts mail with and without TLS', async (t) => {
  const { receiver, totals } = await bench();
  const { keyPem, certPem } = selfSigned({ names: ['reports.rcpt.example'] });
  const { send } = await listening(t, receiver, {
    secureContext: createSecureContext({ key: keyPem, cert: certPem }),
  });
  const mail = async (ok: number): Promise<Buffer> =>
    reportMail({ report: reportJson(ok, 0), signer: 'sender.example' });
  assert.match(await send(await mail(5), 'tlsrpt@rcpt.example'), /^250 .*stored/);
  assert.match(await send(await mail(7), 'tlsrpt@rcpt.example', 'tls'), /^250 .*stored/);
  assert.deepEqual(totals(), { ok: 12, failed: 0, reports: 2 });
});

/** Returns a report of five hundred policies, each with a different failure. */
function largeReport(id: string, reporter: string): string {
  const whole = JSON.parse(
    reportJson(1, 2, id, '2026-05-04', 'rcpt.example', `tlsrpt@${reporter}`),
  ) as { policies: object[] };
  const policies = Array.from({ length: 500 }, (_, n) => ({
    ...whole.policies[0],
    policy: {
      'policy-type': 'sts',
      'policy-domain': 'rcpt.example',
      'policy-string': ['version: STSv1', `mx: m${n}.rcpt.example`],
    },
    'failure-details': [
      {
        'result-type': 'certificate-expired',
        'receiving-mx-hostname': `m${n}.rcpt.example`,
        'failed-session-count': 2,
      },
    ],
  }));
  return JSON.stringify({ ...whole, policies });
}

// Any domain can sign, so a signature alone must not allow unlimited storage.
test('a reporter beyond its share of a day keeps its counts and loses detail', async () => {
  const { mail, totals, store } = await bench(keyResolver(['sender.example', 'post.example']), 1e6);
  const send = async (id: string, reporter: string): Promise<void> => {
    const report = largeReport(id, reporter);
    const parts = { report, signer: reporter, from: `tlsrpt@${reporter}`, submitter: reporter };
    assert.equal(await mail(await reportMail(parts)), 'stored signed');
  };
  for (let n = 0; n < 7; n++) await send(`${n}`, 'sender.example');
  await send('other', 'post.example');
  assert.deepEqual(totals(), { ok: 8 * 500, failed: 8 * 1000, reports: 8 });
  const rows = store
    .prepare<{ n: number; failed: number }>(
      `SELECT count(*) AS n, sum(failed) AS failed FROM report_failure
       GROUP BY id / 1000000 ORDER BY id / 1000000`,
    )
    .all();
  assert.deepEqual(
    rows.map(({ failed }) => failed),
    Array<number>(8).fill(1000),
  );
  const detailed = rows.map(({ n }) => n);
  assert.deepEqual(detailed.slice(0, 5), Array<number>(5).fill(500));
  assert.ok(
    detailed.slice(5, 7).every((n) => n <= 20),
    detailed.join(),
  );
  assert.equal(detailed[7], 500);
});
