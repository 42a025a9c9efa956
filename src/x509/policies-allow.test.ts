import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIntermediate, der, type Authority, type IssueOptions } from '../pki/index.js';
import { root, server, verdictOf, verdictVia } from '../../test/support/chains.js';

const trusted = 'trusted valid';
const refused = 'unknown-ca valid x509-policy';
const ANY = '2.5.29.32.0';
const [A, B] = ['1.2.3.1', '1.2.3.2'];

type Extension = NonNullable<IssueOptions['extensions']>[number];

const policies = (...oids: readonly string[]): Extension => ({
  oid: '2.5.29.32',
  critical: false,
  value: der.sequence(...oids.map((oid) => der.sequence(der.objectId(oid)))),
});
const limits = (explicit?: number, mapping?: number): Extension => ({
  oid: '2.5.29.36',
  critical: true,
  value: der.sequence(
    ...(explicit === undefined ? [] : [der.implicit(0, Uint8Array.of(explicit))]),
    ...(mapping === undefined ? [] : [der.implicit(1, Uint8Array.of(mapping))]),
  ),
});
const mapping = (...pairs: readonly (readonly [string, string])[]): Extension => ({
  oid: '2.5.29.33',
  critical: true,
  value: der.sequence(...pairs.map((pair) => der.sequence(...pair.map(der.objectId)))),
});
const inhibitAny = (skip: number): Extension => ({
  oid: '2.5.29.54',
  critical: true,
  value: der.integer(skip),
});

/**
 * Returns the verdict on a chain whose CAs, from the top, and whose leaf have these
 * extensions.
 */
function chain(...levels: readonly (readonly Extension[])[]): string {
  const sent: { readonly der: Uint8Array }[] = [];
  let issuer: Authority = root;
  for (const [depth, extensions] of levels.slice(0, -1).entries()) {
    issuer = createIntermediate(issuer, { name: `CA ${depth}`, extensions });
    sent.unshift(issuer);
  }
  return verdictOf([server(issuer, { extensions: levels.at(-1) }), ...sent]);
}

test('requireExplicitPolicy 0 needs a policy on the whole path [5280-6.1.5-1]', () => {
  assert.equal(chain([limits(0)], []), refused);
  assert.equal(chain([limits(0), policies(A)], []), refused);
  assert.equal(chain([limits(0)], [policies(A)]), refused);
  assert.equal(chain([limits(0), policies(A)], [policies(B)]), refused);
  assert.equal(chain([limits(0), policies(A)], [policies(A)]), trusted);
  assert.equal(chain([limits(0), policies(ANY)], [policies(B)]), trusted);
  assert.equal(chain([limits(0), policies(A)], [policies(ANY)]), trusted);
});

test('requireExplicitPolicy counts the certificates that may follow without one', () => {
  assert.equal(chain([limits(1)], []), refused);
  assert.equal(chain([limits(2)], []), trusted);
  assert.equal(chain([limits(2)], [], []), refused);
  assert.equal(chain([], [limits(0)]), refused);
  assert.equal(chain([policies(A)], [limits(0), policies(A)]), trusted);
});

test('without a limit policies may be absent or disagree', () => {
  assert.equal(chain([policies(A)], [policies(B)]), trusted);
  assert.equal(chain([policies(A)], []), trusted);
  assert.equal(chain([mapping([A, B])], []), trusted);
});

test('a mapping replaces the policy that the next certificate has to name', () => {
  const top = [limits(0), policies(A), mapping([A, B])];
  assert.equal(chain(top, [policies(B)]), trusted);
  assert.equal(chain(top, [policies(A)]), refused);
  assert.equal(chain([limits(0), policies(ANY), mapping([A, B])], [policies(B)]), trusted);
  assert.equal(chain([limits(0), policies(A), mapping([A, B], [A, A])], [policies(A)]), trusted);
});

test('inhibitPolicyMapping 0 removes mapped policies', () => {
  assert.equal(
    chain([limits(0, 0), policies(A)], [policies(A), mapping([A, B])], [policies(B)]),
    refused,
  );
  assert.equal(
    chain([limits(0, 1), policies(A)], [policies(A), mapping([A, B])], [policies(B)]),
    trusted,
  );
});

test('anyPolicy is never mapped', () => {
  assert.equal(chain([policies(ANY), mapping([ANY, B])], []), refused);
  assert.equal(chain([policies(ANY), mapping([A, ANY])], []), refused);
});

test('inhibitAnyPolicy 0 makes anyPolicy invalid', () => {
  assert.equal(chain([limits(0), policies(A), inhibitAny(0)], [policies(ANY)]), refused);
  assert.equal(chain([limits(0), policies(A), inhibitAny(1)], [policies(ANY)]), trusted);
  assert.equal(chain([limits(0), policies(A), inhibitAny(0)], [policies(A)]), trusted);
});

test('limits of the anchor bind the path', () => {
  const own = createIntermediate(root, { name: 'Own', extensions: [limits(0)] });
  assert.equal(verdictOf([server(own), own]), refused);
});

// [5280-4.2.1.4-1]
test('a critical policy with an unknown qualifier is refused', () => {
  const qualified = (type: string, critical: boolean): Extension => ({
    oid: '2.5.29.32',
    critical,
    value: der.sequence(
      der.sequence(
        der.objectId(A),
        der.sequence(der.sequence(der.objectId(type), der.utf8('https://a.example'))),
      ),
    ),
  });
  const unknown = 'unknown-ca valid x509-critical-extension';
  const cps = '1.3.6.1.5.5.7.2.1';
  assert.equal(verdictVia({ extensions: [qualified('1.2.3', true)] }), unknown);
  assert.equal(verdictVia({}, { extensions: [qualified('1.2.3', true)] }), unknown);
  assert.equal(verdictVia({ extensions: [qualified('1.2.3', false)] }), trusted);
  assert.equal(verdictVia({ extensions: [qualified(cps, true)] }), trusted);
});

test('unreadable policy extensions make the CA unusable', () => {
  const malformed = 'unknown-ca valid x509-malformed';
  const raw = (oid: string, value: Uint8Array): string =>
    verdictVia({ extensions: [{ oid, critical: true, value }] });
  assert.equal(raw('2.5.29.36', der.sequence()), malformed);
  assert.equal(raw('2.5.29.32', der.sequence()), malformed);
  assert.equal(raw('2.5.29.32', policies(A, A).value), malformed);
  assert.equal(raw('2.5.29.33', der.sequence()), malformed);
  assert.equal(raw('2.5.29.54', der.tlv(0x02, Uint8Array.of(0xff))), malformed);
  assert.equal(raw('2.5.29.36', Buffer.concat([limits(5).value, der.nothing()])), malformed);
});
