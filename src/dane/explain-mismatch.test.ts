import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import type { TlsaData } from '../dns/index.js';
import { createCa, createIntermediate, issue, type IssueOptions } from '../pki/index.js';
import { parseCertificate, type Certificate } from '../x509/index.js';
import { explainMismatch, explainUnusable, type MismatchQuestion } from './index.js';

const now = Date.now();
const day = 86_400_000;
const root = createCa({ name: 'Root' });
const middle = createIntermediate(root, { name: 'Middle' });
const read = ({ der }: { der: Uint8Array }): Certificate => {
  const parsed = parseCertificate(der);
  assert.ok(parsed.ok);
  return parsed.value;
};
const chainOf = (options: IssueOptions = {}): Certificate[] => [
  read(issue(middle, { names: ['mx.example'], ...options })),
  read(middle),
];
const chain = chainOf();
const [leaf, intermediate] = chain as [Certificate, Certificate];
const anchor = read(root);

const sha256 = (bytes: Uint8Array | string): Uint8Array =>
  createHash('sha256').update(bytes).digest();
const sha512 = (bytes: Uint8Array): Uint8Array => createHash('sha512').update(bytes).digest();
const tlsa = (parameters: string, data: Uint8Array): TlsaData => {
  const [usage = 0, selector = 0, matchingType = 0] = parameters.split(' ').map(Number);
  return { usage, selector, matchingType, data };
};

/** Returns kind and message of the first explanation. */
function explain(records: readonly TlsaData[], over: Partial<MismatchQuestion> = {}): string {
  const question = { records, chain, names: ['mx.example'], validationTime: now, ...over };
  const [first] = explainMismatch(question);
  return first ? `${first.kind}: ${first.message}` : 'match';
}

test('a record that matches needs no reason', () => {
  assert.equal(explain([tlsa('3 1 1', sha256(leaf.spki))]), 'match');
  assert.equal(explain([tlsa('3 1 1', sha256('x')), tlsa('3 1 1', sha256(leaf.spki))]), 'match');
});

test('usage 3: the certificate and the parameters that the data belongs to', () => {
  assert.match(
    explain([tlsa('3 0 1', sha256(leaf.spki))]),
    /^wrong-form: .*SHA-256 of the key .*3 1 1$/,
  );
  assert.match(
    explain([tlsa('3 1 1', sha256(leaf.der))]),
    /^wrong-form: .*SHA-256 of the server's certificate, .*3 0 1$/,
  );
  assert.match(explain([tlsa('3 1 0', sha256(leaf.spki))]), /^wrong-form: .*3 1 1$/);
  assert.match(explain([tlsa('3 1 0', leaf.der)]), /^wrong-form: .*3 0 0$/);
  assert.match(explain([tlsa('3 1 0', sha256('x'))]), /^wrong-form: .*matching type 1/);
  const pem = new X509Certificate(leaf.der).toString();
  assert.match(
    explain([tlsa('3 0 1', sha256(pem))]),
    /^wrong-form: .*PEM text of the server's certificate, and senders compare/,
  );
  assert.match(
    explain([tlsa('3 1 1', sha256(intermediate.spki))]),
    /^wrong-usage: .*CN=Middle, number 2/,
  );
  assert.match(explain([tlsa('3 0 2', sha512(intermediate.der))]), /^wrong-usage: .*CN=Middle/);
  assert.match(explain([tlsa('3 1 1', sha256('x'))]), /^unknown: .*the key was changed/);
  assert.match(explain([tlsa('3 0 1', sha256('x'))]), /^unknown: .*the certificate was changed/);
  const ofRoot = [tlsa('3 1 1', sha256(anchor.spki))];
  assert.match(explain(ofRoot, { anchor }), /^wrong-usage: .*key of CN=Root, the root of/);
  // The digest of no octets: a tool hashed the output of a command that failed.
  for (const parameters of ['3 1 1', '3 0 1', '2 1 1'])
    assert.match(explain([tlsa(parameters, sha256(''))]), /^wrong-form: .*an empty input$/);
  assert.match(explain([tlsa('3 1 2', sha512(Buffer.alloc(0)))]), /^wrong-form: .*an empty input$/);
});

test('usage 2: wrong usage, anchor not sent, date, name, path', () => {
  assert.match(explain([tlsa('2 1 1', sha256(leaf.spki))]), /^wrong-usage: .*needs usage 3/);
  const ofRoot = [tlsa('2 1 1', sha256(anchor.spki))];
  assert.match(
    explain(ofRoot, { anchor }),
    /^anchor-not-sent: .*CN=Root, which is not in the chain/,
  );
  assert.match(explain(ofRoot), /^anchor-not-sent: .*if the record is of CN=Root/);
  assert.match(explain([tlsa('2 0 1', sha256(anchor.der))], { anchor }), /^anchor-not-sent/);
  assert.match(explain([tlsa('2 1 1', sha256('x'))], { chain: [...chain, anchor] }), /^unknown/);
  // The records of a public CA that changed its intermediate: the root is known and does
  // not match.
  for (const record of [tlsa('2 1 1', sha256('x')), tlsa('2 0 2', sha512(sha256('x')))])
    assert.match(explain([record], { anchor }), /^unknown: .*nor its root CN=Root: the CA changed/);
  const ofMiddle = [tlsa('2 1 1', sha256(intermediate.spki))];
  assert.match(
    explain(ofMiddle, { names: ['other.example'] }),
    /^name: .*other\.example.*mx\.example/,
  );
  assert.match(
    explain(ofMiddle, { validationTime: now + 200 * day }),
    /^date: .*CN=mx\.example expired on/,
  );
  assert.match(explain(ofMiddle, { validationTime: now - 2 * day }), /^date: .*not valid before/);
  assert.match(explain([tlsa('2 0 1', sha256(intermediate.spki))]), /^wrong-form: .*2 1 1$/);
  const weak = { chain: [read(issue(root, { names: ['mx.example'] })), intermediate] };
  assert.match(explain(ofMiddle, weak), /^path: .*no signature links/);
  const purpose = { chain: chainOf({ extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] }) };
  assert.match(explain(ofMiddle, purpose), /^path: .*extendedKeyUsage is clientAuth/);
});

// [7671-9-1]
test('digest agility: the stronger digest decides, and the text for the weaker says so', () => {
  const stale = tlsa('3 1 2', sha512(sha256('x')));
  assert.match(
    explain([tlsa('3 1 1', sha256(leaf.spki)), stale]),
    /^digest: it matches, but .*3 1 2/,
  );
  assert.match(explain([tlsa('3 1 1', sha256('x')), stale]), /^digest: senders look only/);
  const ta = [tlsa('2 0 1', sha256(intermediate.der)), tlsa('2 0 2', sha512(sha256('x')))];
  assert.match(explain(ta), /^digest: it matches, but .*2 0 2/);
});

test('an unusable record: the parameter or the length at fault', () => {
  const why = (parameters: string, length: number): string =>
    explainUnusable(tlsa(parameters, new Uint8Array(length).fill(0xab))) ?? 'usable';
  assert.match(why('3 1 1', 20), /20 octets of data where SHA-256 has 32, the length of SHA-1/);
  assert.match(why('3 1 2', 32), /32 octets of data where SHA-512 has 64, the length of SHA-256/);
  assert.match(why('3 1 1', 64), /the length of SHA-512/);
  assert.match(why('1 1 1', 32), /usage 1 has no effect/);
  assert.match(why('0 0 1', 32), /usage 0 has no effect/);
  assert.match(why('255 1 1', 32), /usage 255 is not defined/);
  assert.match(why('3 2 1', 32), /selector 2/);
  assert.match(why('3 1 3', 48), /matching type 3/);
  assert.match(why('3 1 0', 0), /no data/);
  assert.equal(why('3 1 1', 32), 'usable');
  const text = Buffer.from('ab'.repeat(32));
  assert.match(explainUnusable(tlsa('3 1 1', text)) ?? '', /64 octets .*hexadecimal text/);
});

test('a hundred records and certificates cost no more than ten', () => {
  const records = Array.from({ length: 300 }, (_, i) => tlsa('2 1 1', sha256(`${i}`)));
  const began = process.cpuUsage();
  const faults = explainMismatch({
    records,
    chain: [...chain, ...Array.from({ length: 90 }, () => anchor)],
    names: ['mx.example'],
    validationTime: now,
  });
  assert.equal(faults.length, 10);
  assert.ok(process.cpuUsage(began).user < 2_000_000);
});
