import assert from 'node:assert/strict';
import test from 'node:test';
import { createCa, createIntermediate, issue, selfSigned, type Issued } from '../pki/index.js';
import { parseCertificate, spkiSha256, trustStore } from '../x509/index.js';
import { judgeServer, type ServerQuestion } from './index.js';

const DAY = 86_400_000;
const root = createCa({ name: 'Root' });
const middle = createIntermediate(root, { name: 'Intermediate' });
const name = 'mx.example.com';

const certificate = (der: Uint8Array) => {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok);
  return parsed.value;
};
const anchors = trustStore([certificate(root.der)]);
const key = (issued: { readonly der: Uint8Array }): string => spkiSha256(certificate(issued.der));

function judge(
  { chain }: Pick<Issued, 'chain'>,
  records: readonly string[] = [],
  more: Partial<ServerQuestion['host']> = {},
): string {
  const tlsa = {
    status: records.length > 0 ? 'usable' : 'absent',
    base: name,
    dnssec: 'secure',
    records,
  } as const;
  const { pkix, dane } = judgeServer({
    chain,
    host: { name, tlsa, referenceNames: [name], ...more },
    anchors,
    at: Date.now(),
  });
  return `pkix ${pkix.ok ? 'ok' : pkix.failure.code}, dane ${dane.ok ? 'ok' : dane.failure.code}`;
}

const good = issue(middle, { names: [name] });
const noDane = 'dane server-dane-mismatch';

test('each certificate fault has a separate name for reports', () => {
  assert.equal(judge(good), `pkix ok, ${noDane}`);
  assert.equal(judge(selfSigned({ names: [name] })), `pkix server-pkix-untrusted, ${noDane}`);
  assert.equal(
    judge({ chain: [good.der] }),
    `pkix server-pkix-untrusted, ${noDane}`,
    'the intermediate is missing',
  );
  const expired = issue(middle, {
    names: [name],
    notBefore: Date.now() - 100 * DAY,
    notAfter: Date.now() - DAY,
  });
  assert.equal(judge(expired), `pkix server-pkix-expired, ${noDane}`);
  assert.equal(
    judge(issue(middle, { names: ['other.example.com'] })),
    `pkix server-pkix-name, ${noDane}`,
  );
  assert.equal(judge({ chain: [] }), 'pkix server-no-certificate, dane server-no-certificate');
  assert.equal(
    judge({ chain: [Uint8Array.of(1, 2, 3)] }),
    'pkix server-no-certificate, dane server-no-certificate',
  );
});

test('DANE and PKIX are judged independently', () => {
  const own = selfSigned({ names: ['whatever.example'] });
  assert.equal(judge(own, [`3 1 1 ${key(own)}`]), 'pkix server-pkix-untrusted, dane ok');
  assert.equal(judge(good, [`3 1 1 ${'00'.repeat(32)}`]), `pkix ok, ${noDane}`);
});

test('a matching trust anchor with another name or date is reported as such', () => {
  const anchor = `2 1 1 ${key(middle)}`;
  assert.equal(judge(good, [anchor]), 'pkix ok, dane ok');
  assert.equal(
    judge(issue(middle, { names: ['other.example.com'] }), [anchor]),
    'pkix server-pkix-name, dane server-dane-name',
  );
  const expired = issue(middle, {
    names: [name],
    notBefore: Date.now() - 100 * DAY,
    notAfter: Date.now() - DAY,
  });
  assert.equal(judge(expired, [anchor]), 'pkix server-pkix-expired, dane server-dane-expired');
});

test('without usable records nothing matches', () => {
  for (const status of [
    'absent',
    'insecure',
    'unusable',
    'bogus',
    'tempfail',
    'unknown',
  ] as const) {
    const tlsa = { status, base: name, dnssec: 'secure', records: [`3 1 1 ${key(good)}`] } as const;
    assert.equal(judge(good, [], { tlsa }), `pkix ok, ${noDane}`, status);
  }
});
