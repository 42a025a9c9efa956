import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import test from 'node:test';
import { readItem } from '../read/read-item.js';
import { keyResolver, keyText, reportJson, reportMail } from '../../../test/support/report/mail.js';
import type { DkimVerdict, ReportItem } from '../types.js';
import { verifyDkim } from './verify-dkim.js';

const now = Date.parse('2026-05-05T12:00:00Z');
const good = await reportMail({ report: reportJson(1, 0), signer: 'sender.example' });
const signature =
  /DKIM-Signature: (?:.*\r\n)(?:[ \t].*\r\n)*/.exec(good.toString('latin1'))?.[0] ?? '';

async function verify(mail: Uint8Array | string): Promise<DkimVerdict> {
  return verifyDkim(
    typeof mail === 'string' ? Buffer.from(mail, 'latin1') : mail,
    keyResolver(['sender.example']),
    now,
  );
}

function change(from: RegExp, to: string): Buffer {
  return Buffer.from(good.toString('latin1').replace(from, to), 'latin1');
}

test('a signed message verifies with CR LF and with LF line ends', async () => {
  assert.deepEqual(await verify(good), {
    result: 'pass',
    signer: 'sender.example',
    detail: '',
    coversStructure: true,
  });
  assert.equal((await verify(change(/\r\n/g, '\n'))).result, 'pass');
  assert.equal(
    (await verify(change(/rsa-sha256; c=relaxed\/relaxed/, '$&; x=1700000000'))).result,
    'fail',
  );
  assert.equal(
    (await verify(Buffer.concat([good, Buffer.from('more')]))).detail,
    'body hash did not verify',
  );
});

test('signatures that cannot count are not verified', async () => {
  assert.match((await verify(change(/rsa-sha256/, 'rsa-sha1'))).detail, /SHA-1/);
  assert.match((await verify(change(/v=1;/, 'v=1; l=10;'))).detail, /a part of the body/);
  // The valid signature is the fifth one and counts. A sixth signature is not verified.
  const weak = signature.replace('v=1;', 'v=1; l=10;');
  assert.equal((await verify(weak.repeat(4) + good.toString('latin1'))).result, 'pass');
  assert.match(
    (await verify(weak.repeat(5) + good.toString('latin1'))).detail,
    /a part of the body/,
  );
});

test('an ARC chain of a forwarder does not authenticate a report', async () => {
  const arc = `ARC-Seal: i=1; a=rsa-sha256; cv=none; d=sender.example; s=s1; b=AA==\r\n${signature.replace('DKIM-Signature: v=1;', 'ARC-Message-Signature: i=1;')}ARC-Authentication-Results: i=1; x\r\n`;
  assert.equal((await verify(`${arc}From: a@sender.example\r\n\r\nbody\r\n`)).result, 'none');
  assert.equal((await verify(arc + good.toString('latin1'))).result, 'pass');
});

test('each verification uses the key that is published at its time', async () => {
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
  const der = other.export({ type: 'spki', format: 'der' }).toString('base64');
  const verdictBy = async (text: string): Promise<string> => {
    const resolver = keyResolver(['sender.example'], 'nxdomain', text);
    const { result, reason = '' } = await verifyDkim(good, resolver, now);
    return `${result} ${reason}`.trim();
  };
  assert.equal(await verdictBy(keyText), 'pass');
  assert.equal(await verdictBy(`v=DKIM1; k=rsa; p=${der}`), 'fail header-changed');
  // RFC 6376 §3.6.1: an empty p= revokes the key.
  assert.equal(await verdictBy('v=DKIM1; k=rsa; p='), 'fail key-absent');
  assert.equal(await verdictBy(keyText.replace('k=rsa', 'k=ed25519')), 'fail key-unusable');
  assert.equal(await verdictBy(keyText.replace('v=DKIM1', 'v=DKIM2')), 'fail key-unusable');
  assert.equal(await verdictBy(`${keyText}; s=web`), 'fail key-for-other-service');
  assert.equal(await verdictBy(keyText), 'pass');
});

const multipart = `From: a@sender.example\r\nContent-Type: multipart/mixed; boundary=b\r\n${signature}\r\n`;
const bombs: Readonly<Record<string, string>> = {
  'a header of folded lines': `From: a@sender.example\r\n${' a\r\n'.repeat(80_000)}${signature}\r\nbody\r\n`,
  'a signature of blanks':
    signature.replace('v=1;', `v=1;${' '.repeat(120_000)}`) +
    'From: a@sender.example\r\n\r\nbody\r\n',
  'a body of lines that are nothing but a tab': `From: a@sender.example\r\n${signature}\r\n${'\t\r\n'.repeat(3_000_000)}`,
  'parts without end': multipart + '--b\r\n\r\n'.repeat(1_000_000),
  'attached mails without end':
    multipart +
    '--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: a@b\r\n\r\n{}\r\n'.repeat(100_000),
};

for (const [name, mail] of Object.entries(bombs))
  test(`refused early: ${name}`, async () => {
    const began = process.cpuUsage();
    const [reading] = await readItem(Buffer.from(mail), { name: 'mail', via: 'mail', verify });
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 1_500_000, `${(user + system) / 1000} ms`);
    const { parsed } = reading as ReportItem;
    assert.match(parsed.ok ? 'read' : parsed.failure.code, /report-(missing|too-complex)/);
    assert.match(reading?.mail?.dkim.result ?? '', /fail|none/);
  });
