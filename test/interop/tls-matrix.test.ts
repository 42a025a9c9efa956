import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { grade } from '../../src/check/index.js';
import { Matrix } from './matrix/matrix.js';

let matrix: Matrix;
before(async () => void (matrix = await Matrix.start()));
after(() => matrix.stop());

test('one connection tells what a sender would find: STARTTLS, certificate, DANE', async () => {
  for (const server of matrix.servers) {
    const result = grade(await matrix.collect(server, { depth: 'triage' }));
    assert.equal(server.proxy.take().connections, 1, server.name);
    // Debian's OpenSMTPD cannot complete a handshake, and that is what is said of it.
    const broken = server.name.startsWith('opensmtpd');
    const found = result.findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id);
    assert.deepEqual([result.verdict, found], broken ? ['fail', ['tls-handshake-failed']] : ['pass', []], server.name);
  }
});
