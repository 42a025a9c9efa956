import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { collectDatagrams, inheritedDescriptor } from './collect-datagrams.js';
import { FeedLines, parseFeedLine } from './read-feed.js';
import { parseDatagram } from './parse-datagram.js';
import type { SessionEvent } from './session-event.js';
import { FakeClock } from '../../test/support/fake-clock.js';

const at = Date.parse('2026-11-24T10:00:00Z');
const record = 'v=TLSRPTv1;rua=mailto:r@example.com';

function read(text: string | Uint8Array): readonly SessionEvent[] {
  const parsed = parseDatagram(text, at);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.failure.detail);
  return parsed.value;
}

const why = (text: string): string => {
  const parsed = parseDatagram(text, at);
  return parsed.ok ? 'read' : parsed.failure.detail;
};

test('datagrams of libtlsrpt 0.5 have no version', () => {
  const [event, ...more] = read(
    `{"d": "example.com","pr": "${record}","policies":[{"policy-type":9,"t":0,"f":0}]}`,
  );
  assert.equal(more.length, 0);
  assert.deepEqual(
    { at: event?.at, domain: event?.domain, record: event?.record },
    { at, domain: 'example.com', record },
  );
  assert.equal(event?.policy.policyType, 'no-policy-found');
  assert.deepEqual(
    [event?.policy.totalSuccessfulSessionCount, event?.policy.totalFailureSessionCount],
    [1, 0],
  );
});

test('only the name of the EHLO reply from Postfix is stored', () => {
  const helloOf = (h: string): string | undefined =>
    read(
      JSON.stringify({
        d: 'example.com',
        pr: record,
        policies: [{ 'policy-type': 2, f: 1, 'failure-details': [{ c: 203, h }] }],
      }),
    )[0]?.policy.failureDetails[0]?.receivingMxHelo;
  assert.equal(
    helloOf('250-mx.example.com\r\n250-SIZE 10240000\r\n250 8BITMIME'),
    'mx.example.com',
  );
  assert.equal(helloOf('250 mx.example.com'), 'mx.example.com');
  assert.equal(helloOf('mx.example.com'), 'mx.example.com');
  assert.equal(helloOf(''), undefined);
});

test('a failure with all its fields', () => {
  const [event] = read(
    JSON.stringify({
      dpv: '1',
      d: 'Example.COM',
      pr: record,
      policies: [
        {
          'policy-type': 2,
          'policy-domain': 'example.com',
          'policy-string': ['version: STSv1', 'mode: enforce'],
          'mx-host': ['*.example.com'],
          'failure-details': [
            {
              c: 204,
              s: '192.0.2.1',
              n: 'MX.example.com',
              h: 'mx',
              r: '2001:DB8::1',
              a: 'no uri',
              f: 'expired',
            },
          ],
          t: 1,
          f: 1,
        },
      ],
    }),
  );
  assert.deepEqual(event?.policy.failureDetails, [
    {
      resultType: 'certificate-expired',
      sendingMtaIp: '192.0.2.1',
      receivingMxHostname: 'mx.example.com',
      receivingMxHelo: 'mx',
      receivingIp: '2001:db8::1',
      failedSessionCount: 1,
      additionalInformation: undefined,
      failureReasonCode: 'expired',
    },
  ]);
  assert.deepEqual(event?.policy.mxHost, ['*.example.com']);
});

test('several policies are several events; a failed attempt before success is not one', () => {
  const policies = [
    { 'policy-type': 1, 'failure-details': [{ c: 201 }], t: 1, f: 0 },
    { 'policy-type': 2, t: 0, f: 1 },
  ];
  const [success, failure] = read(
    JSON.stringify({ dpv: '7', d: 'example.com', pr: record, policies }),
  );
  assert.deepEqual(success?.policy.failureDetails, []);
  assert.deepEqual(
    failure?.policy.failureDetails.map((d) => d.resultType),
    ['validation-failure'],
  );
});

test('octets that are not UTF-8 are read leniently', () => {
  const bytes = Buffer.from(
    `{"d":"example.com","pr":"${record}","policies":[{"policy-type":2,"policy-string":["mx: \xff"],"t":0,"f":0}]}`,
    'latin1',
  );
  assert.deepEqual(read(bytes)[0]?.policy.policyString, ['mx: \ufffd']);
});

test('a malformed event is reported with the reason', () => {
  assert.match(why('{'), /^no JSON/);
  assert.match(why('[]'), /names no domain/);
  assert.match(why(`{"d":"example.com","pr":"hello","policies":[]}`), /not a TLS-RPT record/);
  assert.match(why(`{"d":"example.com","pr":"${record}","policies":{}}`), /not a list/);
  assert.match(
    why(`{"d":"example.com","pr":"${record}","policies":[{"policy-type":5,"f":0}]}`),
    /policies\[0\]/,
  );
  assert.match(
    why(`{"d":"example.com","pr":"${record}","policies":[{"policy-type":1}]}`),
    /policies\[0\]/,
  );
});

test('no octets and no JSON make the parser throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.json().map((text) => Buffer.from(text)),
      ),
      (bytes) => {
        parseDatagram(bytes, at);
        parseFeedLine(Buffer.from(bytes).toString(), at);
      },
    ),
    { numRuns: 2000 },
  );
});

test('a feed is split into lines at any octet, and an endless line is dropped', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ maxLength: 20 })), fc.array(fc.nat(40)), (lines, cuts) => {
      const clean = lines.map((line) => line.replace(/\s/g, '')).filter((line) => line !== '');
      let text = clean.map((line) => `${line}\n`).join('');
      const feed = new FeedLines();
      const found: string[] = [];
      for (const cut of [...cuts, text.length + 1]) {
        found.push(...feed.push(text.slice(0, cut)));
        text = text.slice(cut);
      }
      assert.deepEqual([...found, ...feed.push(text)], clean);
    }),
  );
  const feed = new FeedLines(10);
  assert.deepEqual(feed.push('x'.repeat(11)), []);
  assert.deepEqual(feed.push('yy\nnext\n'), ['next']);
});

test('a descriptor counts as handed over only to this process', () => {
  assert.equal(inheritedDescriptor({ LISTEN_PID: '7', LISTEN_FDS: '1' }, 7), 3);
  assert.equal(inheritedDescriptor({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7), undefined);
  assert.equal(inheritedDescriptor({}, 7), undefined);
});

test('an invalid descriptor ends the collector with its error', async () => {
  const clock = new FakeClock(at);
  const error = await new Promise<Error>((onError) =>
    collectDatagrams(9999, {
      onEvents: () => undefined,
      onMalformed: () => undefined,
      onError,
      clock,
    }),
  );
  assert.match(error.message, /EBADF/);
});
