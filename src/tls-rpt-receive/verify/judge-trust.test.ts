import assert from 'node:assert/strict';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { readItem } from '../read/read-item.js';
import {
  keyResolver,
  reportJson,
  reportMail,
  signMail,
} from '../../../test/support/report/mail.js';
import type { VerifiedItem } from '../types.js';
import { judgeTrust, type TrustJudgeOptions } from './judge-trust.js';
import { verifyDkim } from './verify-dkim.js';

const at = Date.parse('2026-05-05T12:00:00Z');
const json = reportJson(10, 2);

async function judged(
  mail: Buffer | string,
  domains: readonly string[] = ['sender.example', 'provider.example', 'forwarder.example'],
  options: Partial<TrustJudgeOptions> = {},
): Promise<VerifiedItem> {
  const verify = (bytes: Uint8Array): ReturnType<typeof verifyDkim> =>
    verifyDkim(bytes, keyResolver(domains), at);
  const readings = await readItem(Buffer.from(mail), { name: 'mail', via: 'mail', verify });
  return judgeTrust(readings[0] as (typeof readings)[0], { at, ...options });
}

async function verdictOf(mail: Buffer | string, domains?: readonly string[]): Promise<string> {
  const { trust, reason, parsed } = await judged(mail, domains);
  assert.ok(parsed.ok);
  return reason === undefined ? trust : `${trust} ${reason}`;
}

const head = (from: string, type: string): string =>
  `From: ${from}\r\nTo: tlsrpt@rcpt.example\r\nSubject: Invitation\r\nMIME-Version: 1.0\r\nContent-Type: ${type}\r\n`;
const multipart = (
  parts: readonly (readonly [string, string])[],
  from = 'calendar@provider.example',
): string =>
  `${head(from, 'multipart/mixed; boundary="b"')}\r\n${parts
    .map(([type, body]) => `--b\r\nContent-Type: ${type}\r\n\r\n${body}\r\n`)
    .join('')}--b--\r\n`;
/** A report in the name of the provider that an attacker has written. */
const claim = reportJson(0, 900, '9', '2026-05-04', 'rcpt.example', 'tlsrpt@provider.example');

const reflected: Readonly<Record<string, string>> = {
  'the description of an invitation': multipart([
    ['text/plain', 'You are invited'],
    ['text/calendar', `BEGIN:VEVENT\r\nDESCRIPTION:${claim}\r\nEND:VEVENT`],
  ]),
  'the text of a mail': `${head('calendar@provider.example', 'text/plain')}\r\n${claim}\r\n`,
  'the HTML of a comment': `${head('comments@provider.example', 'text/html')}\r\n<p>${claim.replaceAll('"', '&quot;')}</p>\r\n`,
  'a quotation': `${head('a@provider.example', 'text/plain')}\r\n> ${claim}\r\n`,
  'a shared document': multipart([['application/json; name="document.json"', claim]]),
  'a message that is attached': multipart([
    [
      'message/rfc822',
      multipart([['application/tlsrpt+json', claim]])
        .replaceAll('b"', 'c"')
        .replaceAll('--b', '--c'),
    ],
  ]),
  'a file named like one of many': multipart([['text/plain; name="report.json"', claim]]),
};

for (const [name, mail] of Object.entries(reflected))
  test(`text that a provider signs is not its report: ${name}`, async () => {
    const signed = await signMail(mail, 'provider.example');
    assert.equal(await verdictOf(signed), 'unsigned no-report-part');
  });

// [8460-5.3-4]
test('a report is one by its media type or by its file name', async () => {
  const name = 'provider.example!rcpt.example!1777852800!1777939199';
  for (const type of [
    'application/tlsrpt+json',
    'application/octet-stream; name="' + name + '.json"',
    'application/json; name="' + name + '!001.json"',
  ])
    assert.equal(
      await verdictOf(await signMail(multipart([[type, claim]]), 'provider.example')),
      'signed',
      type,
    );
});

test('a report in the name of another domain than that in From is misaligned', async () => {
  const mail = multipart([['application/tlsrpt+json', claim]], 'a@sender.example');
  assert.equal(await verdictOf(await signMail(mail, 'sender.example')), 'misaligned other-signer');
});

test('a Content-Type field that is not signed does not make text a report', async () => {
  const fields = 'from:to:subject';
  // The provider signs a text that contains a boundary. An attacker then replaces the
  // first field of the mail.
  const text = `Hello\r\n\r\n--b\r\nContent-Type: application/tlsrpt+json\r\n\r\n${claim}\r\n--b--\r\n`;
  const signed = await signMail(
    `${head('calendar@provider.example', 'text/plain')}\r\n${text}`,
    'provider.example',
    fields,
  );
  const changed = signed.toString('latin1').replace('text/plain', 'multipart/mixed; boundary="b"');
  assert.equal(await verdictOf(changed), 'unsigned structure-unsigned');
  const whole = await signMail(
    `${head('calendar@provider.example', 'text/plain')}\r\n${claim}\r\n`,
    'provider.example',
    fields,
  );
  const retyped = whole.toString('latin1').replace('text/plain', 'application/tlsrpt+json');
  assert.equal(await verdictOf(retyped), 'unsigned structure-unsigned');
  // Large reporters do not sign the Content-Type field, but the bodies of their mails
  // begin with a boundary.
  const plain = await signMail(
    multipart([['application/tlsrpt+json', claim]]),
    'provider.example',
    fields,
  );
  assert.equal(await verdictOf(plain), 'signed');
});

test('a second field next to the signed one makes a message unsigned', async () => {
  const signed = await signMail(
    multipart([['application/tlsrpt+json', claim]]),
    'provider.example',
  );
  for (const field of [
    'From: tlsrpt@sender.example',
    'Content-Type: multipart/mixed; boundary="c"',
  ]) {
    const { trust, reason } = await judged(`${field}\r\n${signed.toString('latin1')}`);
    assert.ok(trust === 'broken' ? reason === 'header-ambiguous' : trust === 'unsigned', field);
  }
});

test('a report without a reporter is not evidence', async () => {
  const nameless = JSON.stringify({ ...JSON.parse(claim), 'contact-info': null });
  const mail = multipart([['application/tlsrpt+json', nameless]]);
  assert.equal(await verdictOf(await signMail(mail, 'provider.example')), 'unsigned no-reporter');
  const named = mail.replace('Subject:', 'TLS-Report-Submitter: provider.example\r\nSubject:');
  assert.equal(await verdictOf(await signMail(named, 'provider.example')), 'signed');
});

test('RFC 6376 §6.1: the aligned signature counts in any position', async () => {
  const own = await reportMail({ report: json, signer: 'sender.example' });
  assert.equal(await verdictOf(await signMail(own, 'forwarder.example')), 'signed');
  const foreign = await reportMail({ report: json, signer: 'forwarder.example' });
  assert.equal(await verdictOf(await signMail(foreign, 'sender.example')), 'signed');
  let many = own;
  for (let n = 0; n < 6; n++) many = await signMail(many, 'forwarder.example');
  assert.equal(await verdictOf(many), 'signed');
  assert.equal(await verdictOf(foreign), 'misaligned other-signer');
});

test('a broken aligned signature does not invalidate a valid one', async () => {
  const own = await reportMail({ report: json, signer: 'sender.example' });
  const broken = own.toString('latin1').replace(/ b=[^;]{8}/, ' b=AAAAAAAA');
  assert.equal(await verdictOf(await signMail(broken, 'sender.example')), 'signed');
  assert.match(await verdictOf(await signMail(broken, 'forwarder.example')), /misaligned/);
});

test('a failed key lookup matters only for the aligned signature', async () => {
  const own = await reportMail({ report: json, signer: 'sender.example' });
  const both = await signMail(own, 'forwarder.example');
  const verify = (bytes: Uint8Array, domains: readonly string[]): ReturnType<typeof verifyDkim> =>
    verifyDkim(bytes, keyResolver(domains, 'failed'), at);
  for (const [domains, expected] of [
    [['sender.example'], 'signed'],
    [['forwarder.example'], 'unverifiable'],
  ] as const) {
    const [reading] = await readItem(both, {
      name: 'mail',
      via: 'mail',
      verify: (m) => verify(m, domains),
    });
    assert.ok(reading);
    assert.equal(judgeTrust(reading, { at }).trust, expected);
  }
});

test('a Submitter that is not a domain is noted and not used', async () => {
  for (const submitter of [
    'Example Inc.',
    'Example',
    'mail',
    'example.local',
    'Example.Networks',
    'mx-1',
    'tlsrpt@sender.example',
    '192.0.2.1',
  ]) {
    const mail = await reportMail({ report: json, signer: 'sender.example', submitter });
    const { trust, parsed } = await judged(mail);
    assert.equal(trust, 'signed', submitter);
    assert.ok(parsed.ok && parsed.value.notes.some(({ code }) => code === 'submitter-not-domain'));
  }
  for (const submitter of ['provider.example', 'example.com', 'mail.example.co.uk']) {
    const mail = await reportMail({ report: json, signer: 'sender.example', submitter });
    assert.equal(await verdictOf(mail), 'misaligned other-signer', submitter);
  }
});

test('a Submitter that is a name of a company is judged by From, d= and contact', async () => {
  const submitter = 'Sender Networks GmbH';
  const of = async (contact: string, from = 'noreply@sender.example'): Promise<string> =>
    verdictOf(
      await reportMail({
        report: reportJson(3, 0, '4', '2026-05-04', 'rcpt.example', contact),
        signer: 'sender.example',
        from,
        submitter,
      }),
    );
  assert.equal(await of('tls@reports.sender.example'), 'signed');
  assert.equal(await of('mailto:tls@sender.example'), 'signed');
  assert.equal(await of('Sender Networks GmbH <tls@sender.example>'), 'signed');
  // A report whose contact is not a domain may be a document that a third party attached.
  assert.equal(await of('Postmaster team'), 'unsigned no-reporter');
  // A name instead of a domain does not make the report one of another organisation.
  assert.equal(await of('tls@provider.example'), 'misaligned other-signer');
  assert.equal(await of('tls@sender.example', 'a@provider.example'), 'misaligned other-signer');
});

test('the reason says why a message does not count', async () => {
  const good = await reportMail({ report: json, signer: 'sender.example' });
  const text = good.toString('latin1');
  const cases: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    'broken key-absent': [text, []],
    'broken body-changed': [text.replace('This is an', 'This is no'), ['sender.example']],
    'broken header-changed': [
      text.replace('Subject: Report', 'Subject: report of'),
      ['sender.example'],
    ],
    'broken signature-partial': [text.replace('v=1;', 'v=1; l=10;'), ['sender.example']],
    'broken signature-weak': [text.replace('rsa-sha256', 'rsa-sha1'), ['sender.example']],
    'unsigned no-signature': [(await reportMail({ report: json })).toString('latin1'), []],
  };
  for (const [expected, [mail, domains]] of Object.entries(cases))
    assert.equal(await verdictOf(mail, domains), expected);
});

const own = { domains: ['rcpt.example'] };

function policyOf(type: string, domain: string | undefined, mx: readonly string[] = []): object {
  return {
    policy: { 'policy-type': type, 'policy-domain': domain, 'mx-host': mx, 'policy-string': [] },
    summary: { 'total-successful-session-count': 1, 'total-failure-session-count': 9 },
  };
}

async function kept(
  policies: readonly object[],
  options: Partial<TrustJudgeOptions>,
): Promise<unknown> {
  const text = JSON.stringify({ ...(JSON.parse(json) as object), policies });
  const mail = await reportMail({ report: text, signer: 'sender.example' });
  const { trust, policies: left = [] } = await judged(mail, undefined, options);
  return [trust, ...left.map((p) => `${p.policyType} ${p.policyDomain}`)];
}

test('RFC 8460 §4.4: DANE policies of own hosts count, foreign policies do not', async () => {
  const sts = policyOf('sts', 'rcpt.example', ['*.mx.rcpt-mail.example', 'in.other.example']);
  const dane = policyOf('tlsa', 'mx1.mx.rcpt-mail.example');
  const foreign = policyOf('sts', 'stranger.example');
  assert.deepEqual(await kept([sts, dane, foreign], own), [
    'signed',
    'sts rcpt.example',
    'tlsa mx1.mx.rcpt-mail.example',
  ]);
  assert.deepEqual(await kept([foreign, policyOf('sts', 'sub.rcpt.example')], own), [
    'signed',
    'sts sub.rcpt.example',
  ]);
  assert.deepEqual(await kept([foreign], own), ['other-domain']);
  const hosts = new Set(['in.other.example']);
  assert.deepEqual(await kept([policyOf('tlsa', 'in.other.example')], { ...own, hosts }), [
    'signed',
    'tlsa in.other.example',
  ]);
});

test('a message about an own domain adds the DANE policies of its hosts', async () => {
  assert.deepEqual(await kept([policyOf('tlsa', 'mx.hoster.example')], own), [
    'signed',
    'tlsa mx.hoster.example',
  ]);
  const mail = (
    await reportMail({
      report: JSON.stringify({
        ...(JSON.parse(json) as object),
        policies: [policyOf('tlsa', 'mx.hoster.example')],
      }),
    })
  ).toString('latin1');
  const elsewhere = mail.replace(/^(tls-report-domain): .*$/im, '$1: stranger.example');
  const reading = await judged(await signMail(elsewhere, 'sender.example'), undefined, own);
  assert.equal(reading.trust, 'other-domain');
});

test('a report about one own domain adds the DANE policies of its hosts', async () => {
  const host = policyOf('tlsa', 'mx.hoster.example');
  for (const [policies, isOwn] of [
    [[policyOf('no-policy-found', 'rcpt.example'), host], true],
    [[policyOf('sts', 'sub.rcpt.example'), host], true],
    [[policyOf('sts', 'rcpt.example'), policyOf('sts', 'stranger.example'), host], false],
    [[policyOf('no-policy-found', undefined), host], false],
    [[host], false],
  ] as const) {
    const text = JSON.stringify({ ...(JSON.parse(json) as object), policies });
    const [item] = await readItem(Buffer.from(text), { name: 'r.json', via: 'file' });
    assert.ok(item);
    const { policies: left = [] } = judgeTrust(item, { at, ...own });
    const isKept = left.some(({ policyDomain }) => policyDomain === 'mx.hoster.example');
    assert.equal(isKept, isOwn, JSON.stringify(policies));
  }
});

test('a report without a domain is about the domain of the mail', async () => {
  const nameless = JSON.stringify({
    ...(JSON.parse(json) as object),
    policies: [policyOf('no-policy-found', undefined)],
  });
  const domainIn = async (mail: string): Promise<string | undefined> => {
    const { parsed } = await judged(mail);
    return parsed.ok ? parsed.value.report.policies[0]?.policyDomain : 'refused';
  };
  const part = (name: string): string =>
    multipart([[`application/tlsrpt+json; name="${name}"`, nameless]]);
  const bare = part('report.json');
  assert.equal(await domainIn(part('a.example!File.example!1!2.json')), 'file.example');
  assert.equal(
    await domainIn(bare.replace('Subject:', 'TLS-Report-Domain: field.example\r\nSubject:')),
    'field.example',
  );
  assert.equal(
    await domainIn(
      bare.replace(
        'Invitation',
        'Report Domain: subject.example Submitter: a.example Report-ID: <1@a>',
      ),
    ),
    'subject.example',
  );
  assert.equal(await domainIn(bare), undefined);
});

// Only a message can be signed, so any other item that arrived by SMTP has no
// signature.
test('SMTP data that is not a message is not authenticated', async () => {
  const archive = `[${claim},${json}]`;
  const oddHeader = `Content-Type : text/plain\r\n\r\n${claim}`;
  const oddName = `X.Odd: 1\r\n\r\n${claim}`;
  for (const body of [
    claim,
    gzipSync(claim),
    archive,
    `${claim}\n${json}\n`,
    oddHeader,
    oddName,
    `: \r\n\r\n${claim}`,
    `\0${claim}`,
  ])
    assert.equal(await verdictOf(body), 'unsigned no-signature', String(body).slice(0, 20));
});

test('a mailbox entry that is not a message is not authenticated', async () => {
  const line = 'From a@attacker.example Mon May  4 00:00:00 2026\n';
  const mail = `From: a@attacker.example\nSubject: x\n\nHello\n\n`;
  for (const mailbox of [`${line}${claim}\n`, `${line}${mail}${line}${claim}\n`]) {
    const readings = await readItem(Buffer.from(mailbox), { name: 'mbox', via: 'file' });
    const found = readings.filter(({ parsed }) => parsed.ok);
    assert.equal(found.length, 1);
    for (const reading of found) assert.equal(judgeTrust(reading, { at }).trust, 'unsigned');
  }
  const [bare] = await readItem(Buffer.from(claim), { name: 'report.json', via: 'file' });
  assert.equal(bare && judgeTrust(bare, { at }).trust, 'given');
});

// [8460-5.1-1]
test('a text or an invitation does not become a report by its name', async () => {
  const name = 'provider.example!rcpt.example!1777852800!1777939199.json';
  for (const type of ['text/calendar; method=REQUEST', 'text/plain', 'text/html', 'text/json']) {
    const mail = multipart([[`${type}; name="${name}"`, claim]]);
    const signed = await signMail(mail, 'provider.example');
    assert.equal(await verdictOf(signed), 'unsigned no-report-part', type);
  }
});

// A recipient of signed mail can add fields and forward it.
test('no field added to a signed mail turns its text into a report', async () => {
  const inner = `--b\r\nContent-Type: application/tlsrpt+json\r\n\r\n${claim}\r\n--b--\r\n`;
  const bodies = [`Hello\r\n\r\n${inner}`, `${inner}\r\nGoodbye\r\n`, `${claim}\r\n`];
  const types = ['multipart/mixed; boundary="b"', 'application/tlsrpt+json'];
  const added = (type: string): readonly string[] => [
    `Content-Type: ${type}\r\n`,
    `Content-Type : ${type}\r\n`,
    `Content-Type:\r\n\t${type}\r\n`,
    `X: a\nContent-Type: ${type}\r\n`,
    `X: a\nContent-Type: ${type}\n`,
    `X: a\rContent-Type: ${type}\r\n`,
    `X: a\r\r\nContent-Type: ${type}\r\n`,
    `\xef\xbb\xbfContent-Type: ${type}\r\n`,
    `Content-Type: ${type}\r\nContent-Transfer-Encoding: 8bit\r\n`,
    `Content-Type: ${type}\n\n`,
    `Content-Type: ${type}\r\n \r\n`,
  ];
  for (const body of bodies)
    for (const type of ['', 'Content-Type: text/plain\r\n']) {
      const mail = `From: a@provider.example\r\nTo: b@rcpt.example\r\nSubject: x\r\n${type}\r\n${body}`;
      const signed = (await signMail(mail, 'provider.example', 'from:to:subject')).toString(
        'latin1',
      );
      const end = signed.indexOf('\r\n\r\n') + 2;
      for (const field of types.flatMap(added))
        for (const changed of [field + signed, signed.slice(0, end) + field + signed.slice(end)]) {
          const { trust } = await judged(Buffer.from(changed, 'latin1'));
          assert.notEqual(trust, 'signed', JSON.stringify([type, field, body.slice(0, 20)]));
        }
    }
});

// A provider returns the mail of an attacker, and signs the bounce.
test('a report inside a returned message is not one of the returning server', async () => {
  const original = multipart([['application/tlsrpt+json', claim]])
    .replaceAll('b"', 'c"')
    .replaceAll('--b', '--c');
  for (const type of ['message/rfc822', 'message/global', 'text/rfc822-headers']) {
    const bounce = multipart([
      ['text/plain', 'Your message was not delivered'],
      ['message/delivery-status', 'Action: failed'],
      [type, original],
    ]).replace('multipart/mixed', 'multipart/report; report-type=delivery-status');
    const { trust } = await judged(await signMail(bounce, 'provider.example'));
    assert.notEqual(trust, 'signed', type);
  }
});
