import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { previewed, type ReportedPolicy } from './previewed.js';
import { withSocket } from './with-socket.js';

const main = 'dist/src/cli/main.js';
/**
 * Waits while the socket's queue is full, so that only the reader can lose a datagram.
 */
const sender = `
import socket, sys
path, count = sys.argv[1], int(sys.argv[2])
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for n in range(count):
    detail = '"failure-details":[{"c":204,"s":"192.0.2.1","n":"mx.rcpt.example","r":"198.51.100.1","f":"expired"}],' if n % 10 == 0 else ''
    to.sendto(('{"d": "d%d.example","pr": "v=TLSRPTv1;rua=mailto:r@rcpt.example","policies":[{"policy-type":2,"policy-domain":"d%d.example",%s"t":%d,"f":%d}]}' % (n % 7, n % 7, detail, 1 if detail else 0, 1 if detail else 0)).encode(), path)
`;

test('every libtlsrpt datagram on a systemd socket counts', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-datagrams-'));
  const [path, config] = [join(folder, 'tlsrpt'), join(folder, 'hermetic.yaml')];
  writeFileSync(
    config,
    `store: {file: ${join(folder, 'hermetic.db')}}\nreporting: {organization: Sender, contact: tls@sender.example, datagrams: true}\n`,
  );
  const daemon = spawn(
    'python3',
    withSocket(path, [process.execPath, main, 'serve', '--config', config]),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  try {
    const count = 20_000;
    for (let tries = 0; ; tries++) {
      if (spawnSync('python3', ['-c', sender, path, String(count)]).status === 0) break;
      assert.ok(tries < 50, 'the socket never came');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    let counted = { ok: 0, failed: 0 };
    for (let tries = 0; tries < 100 && counted.ok + counted.failed < count; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      counted = countedIn(previewed(config));
    }
    assert.deepEqual(counted, { ok: count * 0.9, failed: count * 0.1 });
    const ended = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    assert.deepEqual(await ended, [null, 'SIGTERM']);
  } finally {
    daemon.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});

function countedIn(policies: readonly ReportedPolicy[]): { ok: number; failed: number } {
  return {
    ok: policies.reduce((sum, { summary }) => sum + summary['total-successful-session-count'], 0),
    failed: policies.reduce((sum, { summary }) => sum + summary['total-failure-session-count'], 0),
  };
}
