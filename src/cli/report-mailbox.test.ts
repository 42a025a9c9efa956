import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { parseMailboxUrl, summaryOf } from './commands/report-mailbox.js';
import { runCli } from '../../test/support/run-cli.js';

test('the URL of a mailbox names account, server, port and folder', () => {
  assert.deepEqual(parseMailboxUrl('imaps://tlsrpt@imap.example.net'), {
    user: 'tlsrpt',
    server: 'imap.example.net',
    port: 993,
    folder: 'INBOX',
  });
  assert.deepEqual(
    parseMailboxUrl('imaps://a%2Bb@example.com@IMAP.example.net:1993/In/tls%20rpt'),
    {
      user: 'a+b@example.com',
      server: 'imap.example.net',
      port: 1993,
      folder: 'In/tls rpt',
    },
  );
});

test('an invalid mailbox URL is refused with its fault', () => {
  const refused: Readonly<Record<string, RegExp>> = {
    'imap://a@imap.example.net': /begins in plaintext/,
    'imaps://a:secret@imap.example.net': /contains a password/,
    'imaps://imap.example.net/INBOX': /not the URL/,
    'imaps://a@imap.example.net:70000': /not the URL/,
    'imaps://a@imap.example.net:0': /not the URL/,
    'imaps://a@imap..example/INBOX': /not the URL/,
    'imaps://a@imap.example.net/INBOX?x': /not the URL/,
    'imaps://%zz@imap.example.net': /invalid % encoding/,
    'https://a@imap.example.net': /not the URL/,
  };
  for (const [url, why] of Object.entries(refused)) {
    assert.throws(() => parseMailboxUrl(url), why, url);
    assert.throws(
      () => parseMailboxUrl(url),
      (error: Error) => !error.message.includes('secret'),
    );
  }
});

test('report import names the missing option of a mailbox', async () => {
  const at = ['report', 'import', '--mailbox', 'imaps://a@imap.example.net'];
  const secret = ['--password-file', '/none'];
  const domain = ['--domain', 'example.com'];
  const store = ['--store', '/none/reports.db'];
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [[...at, ...domain, ...store], /needs one secret/],
    [[...at, ...secret, '--token-command', 'x', ...domain, ...store], /needs one secret/],
    [[...at, ...secret, ...store], /needs your domains/],
    [[...at, ...secret, ...domain], /needs a database/],
    [[...at, ...secret, ...domain, ...store, '--json'], /--json/],
    [[...at, ...secret, ...domain, ...store, '--no-verify'], /--trusted/],
    [[...at, ...secret, ...domain, ...store, '--after', 'move'], /--move-to FOLDER/],
    [[...at, ...secret, ...domain, ...store, '--move-to', 'x'], /no effect/],
    [[...at, ...secret, ...domain, ...store, '--after', 'burn'], /keep, move or delete/],
    [[...at, 'file.json'], /excludes files/],
    [['report', 'import', 'file.json', '--dry-run'], /applies to a mailbox only/],
    [['report', 'import'], /nothing to read/],
  ];
  for (const [args, why] of cases) {
    const { code, err } = await runCli(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(err, why, args.join(' '));
  }
});

test('a readable password file is refused before any connection', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
  try {
    const password = join(folder, 'password');
    writeFileSync(password, 'hunter2', { mode: 0o644 });
    const args = ['--mailbox', 'imaps://a@imap.example.net', '--domain', 'example.com'];
    const ran = await runCli([
      'report',
      'import',
      ...args,
      '--password-file',
      password,
      '--dry-run',
    ]);
    assert.equal(ran.code, 2);
    assert.match(ran.err, /every user of this machine can read/);
    assert.doesNotMatch(ran.err + ran.out, /hunter2/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the summary counts the mails read, stored, moved and left', () => {
  const imported = {
    result: { ok: true, value: undefined },
    fates: new Map([
      ['taken', 3],
      ['foreign', 2],
      ['refused', 1],
    ] as const),
    pending: 1,
    fresh: 2,
    known: 1,
    uncounted: new Map([['unsigned', 1]]),
    refused: new Map([
      ['report-is-dmarc', 2],
      ['report-too-large', 1],
    ]),
  } as const;
  const choices = { after: 'move', moveTo: 'Read', store: 'r.db' } as const;
  assert.equal(
    summaryOf(imported, { ...choices, isDryRun: true }),
    [
      '6 mails read: 3 with reports, 2 other mails, 0 only partly about your domains, 1 not readable.',
      '2 reports are new in r.db, 1 were already stored.',
      'Not in the totals: 1 unsigned.',
      'Reasons of mails that cannot be read: 1 report-too-large.',
      '3 mails would be moved to Read; the others stay.',
      '1 mails are pending because of a DKIM key. Run the command again in a few minutes.',
      'This was a dry run: nothing was stored, moved or deleted.',
      '',
    ].join('\n'),
  );
  assert.match(summaryOf(imported, { ...choices, isDryRun: false }), /3 mails were moved to Read/);
});
