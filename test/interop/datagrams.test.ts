import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

const main = 'dist/src/cli/main.js';
/** What systemd does with `ListenDatagram=`: opens the socket, and becomes the daemon with it as descriptor 3. */
const opener = `
import os, socket, sys
path, *command = sys.argv[1:]
opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
opened.bind(path)
os.dup2(opened.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')
os.execvp(command[0], command)
`;
/** A sender that waits for room, so that what is lost would be lost by the reader. */
const sender = `
import socket, sys
path, count = sys.argv[1], int(sys.argv[2])
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for n in range(count):
    detail = '"failure-details":[{"c":204,"s":"192.0.2.1","n":"mx.rcpt.example","r":"198.51.100.1","f":"expired"}],' if n % 10 == 0 else ''
    to.sendto(('{"d": "d%d.example","pr": "v=TLSRPTv1;rua=mailto:r@rcpt.example","policies":[{"policy-type":2,"policy-domain":"d%d.example",%s"t":%d,"f":%d}]}' % (n % 7, n % 7, detail, 1 if detail else 0, 1 if detail else 0)).encode(), path)
`;

test('datagrams in the form of libtlsrpt, over a socket handed over as systemd does: every one is counted, and the daemon ends when told to', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-datagrams-'));
  const [path, config] = [join(folder, 'tlsrpt'), join(folder, 'hermetic.yaml')];
  writeFileSync(
    config,
    `store: {file: ${join(folder, 'hermetic.db')}}\nreporting: {organization: Sender, contact: tls@sender.example, datagrams: true}\n`,
  );
  const daemon = spawn('python3', ['-c', opener, path, process.execPath, main, 'serve', '--config', config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
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
      counted = previewed(config);
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

interface Summary {
  readonly 'total-successful-session-count': number;
  readonly 'total-failure-session-count': number;
}

function previewed(config: string): { ok: number; failed: number } {
  const { stdout } = spawnSync(process.execPath, [main, 'report', 'preview', '--json', '--config', config], { encoding: 'utf8' });
  const summaries = stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => (JSON.parse(line) as { report: { policies: { summary: Summary }[] } }).report.policies.map((p) => p.summary));
  return {
    ok: summaries.reduce((sum, s) => sum + s['total-successful-session-count'], 0),
    failed: summaries.reduce((sum, s) => sum + s['total-failure-session-count'], 0),
  };
}
