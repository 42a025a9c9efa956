import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { createTransport } from 'nodemailer';
import { isHermeticError } from '../../src/base/index.js';
import { createLab, type Lab } from '../../src/lab/index.js';
import { directTransport } from '../../src/send/adapters/nodemailer/index.js';
import type { Delivery } from '../../src/send/index.js';

let lab: Lab;
before(async () => {
  lab = await createLab();
});
after(() => lab.close());

const transport = () =>
  createTransport(directTransport({ ...lab, helo: 'mail.sender.example', timeoutMs: 30_000 }));

test('nodemailer composes, and each server gets the message as its policy requires', async () => {
  const info = await transport().sendMail({
    from: 'Me <me@sender.example>',
    to: ['you@good.example', 'they@sts-only.example'],
    bcc: 'nobody@null-mx.example',
    subject: 'Hello',
    text: 'Sealed.\n.\nStill inside.',
  });
  assert.deepEqual(info.accepted, ['you@good.example', 'they@sts-only.example']);
  assert.deepEqual([info.rejected, info.pending], [['nobody@null-mx.example'], []]);
  const [mail] = lab.mail.filter(({ to }) => to.includes('you@good.example'));
  assert.deepEqual([mail?.sealed, mail?.from], [true, 'me@sender.example']);
  assert.match(mail?.data ?? '', /^Subject: Hello$/m);
  assert.match(
    mail?.data ?? '',
    /Sealed\.\r\n\.\r\nStill inside\./,
    'a line with one dot is text, not the end',
  );
  assert.doesNotMatch(mail?.data ?? '', /null-mx/);
});

test('deferred mail rejects with the fix and the full history', async () => {
  await assert.rejects(
    transport().sendMail({ from: 'me@sender.example', to: 'you@stripped.example', text: 'x' }),
    (error) => {
      assert.ok(isHermeticError(error));
      assert.equal(error.code, 'send-failed');
      assert.match(
        error.message,
        /you@stripped\.example: send-no-server mx\.stripped\.example: server-no-starttls/,
      );
      assert.match(error.fix ?? '', /later/);
      assert.equal((error.cause as Delivery).outcomes[0]?.result, 'deferred');
      return true;
    },
  );
  assert.equal(lab.mail.filter(({ to }) => to.includes('you@stripped.example')).length, 0);
});

test('the reason of a deferral names the lookup that decided', async () => {
  const undo = lab.fault('_25._tcp.mx.good.example TLSA', 'servfail');
  try {
    await assert.rejects(
      transport().sendMail({ from: 'me@sender.example', to: 'you@good.example', text: 'x' }),
      /mx\.good\.example: send-host-refused The TLSA lookup failed.*SERVFAIL/,
    );
  } finally {
    undo();
  }
});
