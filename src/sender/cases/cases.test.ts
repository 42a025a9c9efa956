import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { cell, type DeliveryResult, type SenderClass } from '../../tls-policy/index.js';
import {
  caseNames,
  caseOfName,
  openableCases,
  senderCase,
  senderCases,
  senderMechanisms,
  viewOfCase,
} from '../index.js';

const delivered: readonly DeliveryResult[] = ['verified', 'unverified', 'cleartext'];

test('case ids are unique DNS labels, and each case has a clause', () => {
  assert.equal(new Set(senderCases.map(({ id }) => id)).size, senderCases.length);
  assert.ok(senderCases.length >= 35);
  for (const { id, clause, says } of senderCases) {
    assert.match(id, /^[a-z][a-z0-9-]{1,30}$/);
    assert.match(clause, /^RFC \d+ §\d/);
    assert.doesNotMatch(says, /\.$/);
  }
});

test('the clauses of a case are in the registers, and every expectation has one', () => {
  const registers = new Set(
    readdirSync('spec').flatMap((file) => {
      const { clauses } = JSON.parse(readFileSync(`spec/${file}`, 'utf8')) as {
        clauses: { id: string }[];
      };
      return clauses.map(({ id }) => id);
    }),
  );
  let cited = 0;
  for (const { id, rules = '', expect, needs } of senderCases) {
    const ids = rules.replace(/[[\]\s]/g, '').split(',');
    if (rules === '') {
      assert.ok(expect === 'inform' || needs !== undefined, id);
      continue;
    }
    for (const clause of ids) assert.ok(registers.has(clause), `${id}: ${clause}`);
    cited += ids.length;
  }
  assert.ok(cited > 40, String(cited));
});

test('MTA-STS and DANE each have cases to deliver and cases to refuse', () => {
  for (const mechanism of senderMechanisms) {
    const expectations = senderCases
      .filter(({ evidenceOf }) => evidenceOf.includes(mechanism))
      .map(({ expect }) => expect);
    if (mechanism === 'starttls' || mechanism === 'requiretls') continue;
    assert.ok(expectations.includes('deliver'), mechanism);
    assert.ok(expectations.includes('refuse'), mechanism);
  }
});

test('a sender that follows the RFCs meets the expectation of every case', () => {
  const senderOf: Partial<Record<string, SenderClass>> = {
    'mta-sts': 'mtaStsFirst',
    dane: 'bothFirst',
    dnssec: 'dane',
    starttls: 'opportunistic',
  };
  let judged = 0;
  for (const senderCase of senderCases) {
    const [mechanism = 'starttls'] = senderCase.evidenceOf;
    const senderClass = senderOf[mechanism];
    if (!senderClass || senderCase.expect === 'inform' || senderCase.withdrawn) continue;
    const outcome = cell(viewOfCase(senderCase), senderClass, 'none');
    assert.equal(delivered.includes(outcome), senderCase.expect === 'deliver', senderCase.id);
    judged++;
  }
  assert.ok(judged >= 25, String(judged));
});

test('a sender without policies delivers every case that it can reach', () => {
  for (const senderCase of senderCases) {
    const view = viewOfCase(senderCase, 2);
    if (view.route.kind === 'error') continue;
    const outcome = cell(view, 'opportunistic', 'none');
    assert.notEqual(outcome, 'deferred', senderCase.id);
  }
});

test('an old sender sends plaintext only to hosts without working STARTTLS', () => {
  const plaintext = senderCases
    .filter((one) => cell(viewOfCase(one), 'opportunistic', 'none') === 'cleartext')
    .map(({ id }) => id);
  const expected = ['clear', 'starttls-454', 'handshake-broken', 'sts-clear', 'dane-clear'];
  assert.deepEqual(plaintext, expected);
});

test('in the withdrawn case only the second message is in plaintext', () => {
  const cached = senderCase('sts-cached');
  assert.ok(cached);
  assert.equal(cell(viewOfCase(cached), 'mtaStsFirst', 'none'), 'verified');
  assert.equal(cell(viewOfCase(cached, 2), 'mtaStsFirst', 'none'), 'cleartext');
});

test('every name of a case maps to the case', () => {
  const names: readonly string[] = Object.values(caseNames('sts-mx', 'me', 'Test.example'));
  for (const name of names)
    assert.deepEqual(caseOfName(name, 'test.EXAMPLE'), { caseId: 'sts-mx', slot: 'me' }, name);
  assert.equal(caseOfName('test.example', 'test.example'), undefined);
  assert.equal(caseOfName('me.test.example', 'test.example'), undefined);
  assert.equal(caseOfName('sts.me.test.example.org', 'test.example'), undefined);
  assert.equal(caseOfName('sts.me.xtest.example', 'test.example'), undefined);
});

test('cases that need an address family are omitted without it', () => {
  const ids = (ipv4: boolean): readonly string[] =>
    openableCases(senderCases, { ipv4, ipv6: true }).map(({ id }) => id);
  assert.ok(ids(true).includes('v4'));
  assert.ok(!ids(false).includes('v4') && ids(false).includes('v6'));
  assert.ok(openableCases(senderCases, { ipv6: true }).some(({ id }) => id === 'v6'));
  assert.ok(!openableCases(senderCases, { ipv6: false }).some(({ id }) => id === 'v6'));
});
