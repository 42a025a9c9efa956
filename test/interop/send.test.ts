import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { createLab, type Lab } from '../../src/lab/index.js';
import { createSender } from '../../src/send/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { ended, inLab, mailTo } from '../conformance/testing-senders.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { until } from './process.js';

const domain = 'real.example';
let folder: string;
let lab: Lab;
let postfix: Postfix;
const received = (): string => readFileSync(join(folder, 'received'), 'utf8');

/**
 * A domain of the lab with DANE and MTA-STS. A Postfix replaces the server of the domain,
 * and has the certificate that matches the TLSA records and the CA.
 */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-send-'));
  lab = await createLab({
    scenarios: [
      {
        ...unjudged(domain),
        zone: { signed: {} },
        hosts: [{ tlsa: ['ee'] }],
        sts: { mode: 'enforce' },
      },
    ],
  });
  const [certificate] = lab.certificatesOf(`mx.${domain}`);
  assert.ok(certificate);
  const chainFile = join(folder, 'chain.pem');
  writeFileSync(chainFile, certificate.keyPem + certificate.chainPem);
  writeFileSync(join(folder, 'received'), '');
  chmodSync(join(folder, 'received'), 0o666);
  const port = await freePort();
  postfix = new Postfix(folder, port);
  await postfix.start(
    [
      {
        address: '127.0.0.1',
        chainFile,
        options: ['smtpd_relay_restrictions=reject_unauth_destination'],
      },
    ],
    [
      `virtual_mailbox_domains = ${domain}`,
      'virtual_transport = keep',
      'smtpd_tls_loglevel = 1',
      'smtputf8_enable = yes',
    ],
    [`keep unix - n n - 1 pipe user=nobody argv=/usr/bin/tee -a ${join(folder, 'received')}`],
  );
  for (const { ip } of lab.hostsOf(domain)) lab.attach(ip, 25, { address: '127.0.0.1', port });
});

after(async () => {
  await postfix.stop();
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a real Postfix receives the unchanged message under authenticated TLS', async () => {
  const body = ['.', '..two', 'a line', '', '.last'].join('\r\n');
  const sender = createSender(inLab(lab));
  const delivery = await sender.deliver({
    from: 'me@sender.example',
    to: [`you@${domain}`, `they@${domain}`],
    message: Buffer.from(`From: me@sender.example\r\nSubject: grüße\r\n\r\n${body}\r\n`),
  });
  assert.deepEqual(
    delivery.recipients.map(({ status }) => status),
    ['delivered', 'delivered'],
    postfix.log,
  );
  assert.deepEqual(
    delivery.outcomes[0]?.attempts[0]?.results.map(({ policy, failure }) => [policy, failure]),
    [
      [0, undefined],
      [1, undefined],
    ],
  );
  await until(
    'delivery to the mailbox',
    async () => received().includes('.last'),
    () => postfix.log,
  );
  assert.match(received(), /\n\.\n\.\.two\na line\n\n\.last\n/);
  assert.match(received(), /Subject: grüße/);
  assert.match(postfix.maillog, /TLS connection established from .*TLSv1\.3/);
});

test("with another host's certificate only EHLO and STARTTLS reach Postfix", async () => {
  const end = lab.fault(`_25._tcp.mx.${domain} TLSA`, 'nxdomain');
  const before = postfix.maillog.length;
  assert.match(ended(await mailTo(createSender(inLab(lab)), domain)), /^deferred/);
  end();
  const swapped = await lab.attack(domain, 'swap-certificate');
  assert.match(ended(await mailTo(createSender(inLab(lab)), domain)), /^deferred/);
  swapped();
  assert.doesNotMatch(postfix.maillog.slice(before), /client=/, 'no transaction was begun');
});

test('a recipient that Postfix refuses is rejected, the other one is delivered', async () => {
  const delivery = await createSender(inLab(lab)).deliver({
    from: 'me@sender.example',
    to: [`you@${domain}`, 'somebody@elsewhere.example'],
    message: Buffer.from('Subject: x\r\n\r\nhello\r\n'),
    via: `[mx.${domain}]`,
  });
  assert.equal(delivery.outcomes.length, 1);
  assert.deepEqual(
    delivery.recipients.map(({ status, failure }) => [status, failure?.code]),
    [
      ['delivered', undefined],
      ['rejected', 'smtp-mail-rejected'],
    ],
    postfix.log,
  );
});
