import assert from 'node:assert/strict';
import test from 'node:test';
import { keyResolver, keyText, reportJson, reportMail } from '../../../test/support/report/mail.js';
import type { DkimVerdict } from '../types.js';
import { parseTags, refuseKey, refuseSignature } from './dkim-tags.js';
import { verifyDkim } from './verify-dkim.js';

const at = Date.parse('2026-05-05T12:00:00Z');
const mail = await reportMail({ report: reportJson(1, 0), signer: 'sender.example' });

function verifiedBy(keyRecord: string): Promise<DkimVerdict> {
  return verifyDkim(mail, keyResolver(['sender.example'], 'nxdomain', keyRecord), at);
}

const complete = 'v=1; a=rsa-sha256; b=AA==; bh=AA==; d=sender.example; h=from; s=s1';

function refusalOf(signature: string): string | undefined {
  return refuseSignature(parseTags(signature))?.[0];
}

// [6376-3.6.1-1]
test('RFC 6376 §3.6.1: a key in testing mode makes a message unsigned', async () => {
  for (const flags of ['y', 's:y', 'y : s']) {
    const { result, reason } = await verifiedBy(`${keyText}; t=${flags}`);
    assert.deepEqual([result, reason], ['none', 'key-testing'], flags);
  }
  assert.equal((await verifiedBy(`${keyText}; t=s`)).result, 'pass');
  assert.equal((await verifiedBy(`${keyText}; t=yes; n=t`)).result, 'pass');
});

test('RFC 6376 §3.6.1: a key counts for its hashes and its services', async () => {
  assert.equal((await verifiedBy(`${keyText}; h=sha1`)).reason, 'key-unusable');
  assert.equal((await verifiedBy(`${keyText}; h=sha1:sha256`)).result, 'pass');
  assert.equal((await verifiedBy(`${keyText}; s=other`)).reason, 'key-for-other-service');
  assert.equal((await verifiedBy(`${keyText}; s=other:tlsrpt`)).result, 'pass');
  assert.equal((await verifiedBy(`${keyText}; s=email; s=other`)).reason, 'key-unusable');
});

// [6376-3.6.1-2]
test('RFC 6376 §3.6.1: a key with t=s is not for an identity below its domain', () => {
  const signature = (identity: string): ReadonlyMap<string, string> =>
    parseTags(`${complete}; i=${identity}`) ?? new Map();
  assert.equal(refuseKey('p=AA==;t=s', signature('@sender.example')), undefined);
  assert.equal(refuseKey('p=AA==;t=s', signature('a@Sender.Example')), undefined);
  assert.equal(refuseKey('p=AA==;t=s', signature('a@mail.sender.example'))?.[0], 'key-unusable');
  assert.equal(refuseKey('p=AA==', signature('a@mail.sender.example')), undefined);
});

// [6376-3.2-1, 6376-3.5-1, 6376-6.1.1-1]
test('RFC 6376 §6.1.1: a signature needs its tags once, and an identity in its domain', () => {
  assert.equal(refusalOf(complete), undefined);
  assert.equal(refusalOf(`${complete}; i=@mail.sender.example; x=99; unknown=1;`), undefined);
  for (const tag of ['v', 'a', 'b', 'bh', 'd', 'h', 's'])
    assert.equal(
      refusalOf(complete.replace(new RegExp(`(^|; )${tag}=[^;]*`), '')),
      'signature-malformed',
      tag,
    );
  for (const wrong of [
    complete.replace('v=1', 'v=2'),
    `${complete}; d=other.example`,
    `${complete}; i=a@other.example`,
    `${complete}; i=a@evilsender.example`,
    `${complete}; i=a@example`,
    `${complete}; word`,
  ])
    assert.equal(refusalOf(wrong), 'signature-malformed', wrong);
  assert.equal(refusalOf(`${complete}; l=0`), 'signature-partial');
  assert.equal(refusalOf(complete.replace('sha256', 'sha1')), 'signature-weak');
});
