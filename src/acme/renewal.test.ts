import assert from 'node:assert/strict';
import { verify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { AcmeProblem } from '../lab/index.js';
import { generateKey, selfSigned } from '../pki/index.js';
import { parseCertificate } from '../x509/index.js';
import { signRequest } from './jws.js';
import { acmeWorld } from '../../test/support/publish/acme-ca.js';
import { pollTimer } from './poll.js';
import { planRenewal } from './plan-renewal.js';
import { nextQueryAt, certificateId, fetchRenewalInfo } from './renewal-info.js';
import { parseRetryAfter } from './http-headers.js';
import type { AcmeSession } from './session.js';
import { FakeClock } from '../../test/support/fake-clock.js';

const [hour, day] = [3_600_000, 86_400_000];

test('without a window, renewal leaves a third of the lifetime', () => {
  const at = (lifetime: number): number =>
    planRenewal({ notBefore: 0, notAfter: lifetime, random: 0, roundMs: 0 });
  assert.equal(at(90 * day), 60 * day);
  assert.equal(at(45 * day), 30 * day);
  assert.equal(at(160 * hour), 80 * hour);
});

// [9773-4.2-2]
test('a past window means now; in a later window the time is random', () => {
  const facts = { notBefore: 0, notAfter: 45 * day, random: 0.25, roundMs: 0 };
  assert.ok(planRenewal({ ...facts, window: { start: -2 * day, end: -day } }) < 0);
  assert.equal(planRenewal({ ...facts, window: { start: 20 * day, end: 24 * day } }), 21 * day);
});

test('a check in every round always meets the window', () => {
  const facts = {
    notBefore: 0,
    notAfter: 45 * day,
    window: { start: 0, end: hour },
    roundMs: 600_000,
  };
  assert.equal(planRenewal({ ...facts, random: 0.999_999 }) + facts.roundMs <= hour, true);
  assert.equal(planRenewal({ ...facts, window: { start: 0, end: 60_000 }, random: 0.9 }), 0);
});

test('renewal in any suggested window leaves a tenth of the lifetime', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 400 }),
      fc.integer(),
      fc.integer({ min: 1 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (days, start, span, random) => {
        const notAfter = days * day;
        assert.ok(
          planRenewal({
            notBefore: 0,
            notAfter,
            window: { start, end: start + span },
            random,
            roundMs: 600_000,
          }) <=
            notAfter * 0.9,
        );
      },
    ),
  );
});

// [9773-4.1-1]
test('the certificate id has the key identifier and the serial number with every octet', () => {
  const parsed = parseCertificate(selfSigned({ names: ['a.example'] }).der);
  assert.ok(parsed.ok);
  const example = {
    ...parsed.value,
    authorityKeyId: '69885b6b87464041e1b37b847bd0ae2cde01c8d4',
    serial: '0087654321',
  };
  assert.equal(certificateId(example), 'aYhba4dGQEHhs3uEe9CuLN4ByNQ.AIdlQyE');
  assert.equal(certificateId(parsed.value), undefined, 'it has no authority key identifier');
});

// [9773-4.2-1, 9773-4.3-1]
test('a window that ends before it begins is not used; the query is a plain GET', async () => {
  const asked: string[] = [];
  const session = (start: string, end: string) =>
    ({
      get(url: string) {
        asked.push(url);
        return Promise.resolve({
          ok: true,
          value: { body: JSON.stringify({ suggestedWindow: { start, end } }) },
        });
      },
    }) as unknown as AcmeSession;
  const wrong = await fetchRenewalInfo(
    session('2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z'),
    'https://ca/renewal',
    'id',
    0,
  );
  assert.equal(wrong.ok, false);
  const good = await fetchRenewalInfo(
    session('2026-01-01T00:00:00Z', '2026-01-02T00:00:00Z'),
    'https://ca/renewal',
    'id',
    0,
  );
  assert.equal(good.ok && good.value.window.end - good.value.window.start, day);
  assert.deepEqual(asked, ['https://ca/renewal/id', 'https://ca/renewal/id']);
});

// [9773-4.3.2-1]
test('the CA sets the next query time, bounded by a minute and a day', () => {
  assert.equal(nextQueryAt(undefined, 0), 6 * hour);
  assert.equal(nextQueryAt(1000, 0), 60_000);
  assert.equal(nextQueryAt(5 * hour, 0), 5 * hour);
  assert.equal(nextQueryAt(400 * day, 0), day);
});

// [8555-7.5.1-2]
test('Retry-After in seconds or as a date is bounded in both directions', () => {
  const now = Date.UTC(2026, 10, 25);
  assert.equal(parseRetryAfter('120', now), now + 120_000);
  assert.equal(parseRetryAfter('Wed, 25 Nov 2026 00:01:00 GMT', now), now + 60_000);
  assert.equal(parseRetryAfter('Wed, 25 Nov 2020 00:01:00 GMT', now), now);
  assert.equal(parseRetryAfter('999999999', now), now + 7 * day);
  assert.equal(parseRetryAfter('soon', now), undefined);
  assert.equal(parseRetryAfter(undefined, now), undefined);
});

// [8555-7.5.1-2]
test('Retry-After: 0 for an endless order does not speed up the polling', async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 25));
  const left = pollTimer({
    clock,
    poll: { every: 1000, atMost: 20_000 },
    stillClaimed: () => Promise.resolve(true),
  });
  let asked = 0;
  while (await left({ body: '', alternates: [], until: clock.at })) asked++;
  assert.equal(asked, 20);
});

// [8555-6.2-1, 8555-6.3-1, 8555-6.4-1]
test('a request is signed over its URL and nonce, with either the key or the account', () => {
  const { privateKey, publicKey } = generateKey();
  for (const kid of [undefined, 'https://ca/account/1']) {
    const text = signRequest(
      { key: privateKey, ...(kid ? { kid } : {}) },
      'https://ca/order',
      'n1',
      undefined,
    );
    const { protected: head, payload, signature } = JSON.parse(text) as Record<string, string>;
    const header = JSON.parse(Buffer.from(head ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    assert.deepEqual(
      [header['alg'], header['nonce'], header['url'], header['kid']],
      ['ES256', 'n1', 'https://ca/order', kid],
    );
    assert.equal('jwk' in header, kid === undefined);
    assert.equal(payload, '');
    const signed = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
    assert.ok(
      verify('sha256', Buffer.from(`${head}.`), signed, Buffer.from(signature ?? '', 'base64url')),
    );
  }
});

// [9773-4.3.3-1]
test('a silent CA is asked again after one and two minutes, then every six hours', async (t) => {
  const host = 'mta-sts.example.com';
  const key = 'ecdsa-1';
  for (const [status, waits] of [
    [500, [1, 2, 4, 8, 16, 32, 360, 360]],
    [404, [360, 360]],
  ] as const) {
    const { ca, ring, certifier, clock, close } = await acmeWorld({
      window: ({ notAfter }) => ({ start: notAfter - 2, end: notAfter - 1 }),
    });
    t.after(close);
    ring.make(host, key, 'ecdsa');
    await certifier().certify({ host, key });
    ca.habits.window = () => {
      throw new AcmeProblem(status, 'serverInternal', 'down');
    };
    const asked: number[] = [];
    let last = clock.at;
    while (asked.length < waits.length) {
      const before = ca.informed;
      await certifier().isDue({ host, key });
      if (ca.informed > before) {
        asked.push(Math.round((clock.at - last) / 60_000));
        last = clock.at;
      }
      clock.at += 60_000;
    }
    assert.deepEqual(asked, [0, ...waits.slice(0, -1)]);
  }
});

// [9773-4.3-2, 9773-4.2-3]
test('an expired certificate causes no renewal query; the reason for a window is saved', async (t) => {
  const [host, key] = ['mta-sts.example.com', 'ecdsa-1'];
  const { ca, ring, certifier, clock, close } = await acmeWorld({
    window: ({ notAfter }) => ({ start: notAfter - 10 * day, end: notAfter - 9 * day }),
    explanation: 'https://ca.lab.example/why',
  });
  t.after(close);
  ring.make(host, key, 'ecdsa');
  await certifier().certify({ host, key });
  await certifier().isDue({ host, key });
  assert.equal(
    certifier().explanation({ host, key }),
    'its CA asks for it: https://ca.lab.example/why',
  );
  clock.at += 91 * day;
  const before = ca.informed;
  assert.equal(await certifier().isDue({ host, key }), true);
  assert.equal(ca.informed, before);
});
