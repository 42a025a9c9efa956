import { connect } from 'node:net';
import { setPriority } from 'node:os';

/**
 * Requests pages at a fixed rate, as visitors of 250 networks. Each request has its own
 * connection and is sent on schedule, even if earlier requests have no answer yet. A
 * visitor leaves after five seconds.
 */
const [, , port = '0', perSecond = '0', check = ''] = process.argv;
const PATIENCE_MS = 5000;
const NETWORKS = 250;
const paths = ['/', check, '/about', '/', '/privacy', '/api/v1/openapi.json'];
const answered = new Map<number, number>();
const began = performance.now();
let sent = 0;

// On a machine with few cores, the server and the measuring client have priority.
setPriority(10);

function ask(): void {
  const n = sent++;
  const path = paths[n % paths.length] ?? '/';
  const socket = connect({
    port: Number(port),
    host: '127.0.0.1',
    localAddress: `127.1.${n % NETWORKS}.1`,
  });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.on('error', () => socket.destroy());
  socket.once('data', (octets) => {
    const status = Number(octets.toString('latin1', 9, 12));
    answered.set(status, (answered.get(status) ?? 0) + 1);
  });
  socket.resume();
  socket.write(`GET ${path} HTTP/1.1\r\nHost: check.example\r\nConnection: close\r\n\r\n`);
}

const timer = setInterval(() => {
  const due = ((performance.now() - began) / 1000) * Number(perSecond);
  // A delayed client does not send all overdue requests at once.
  for (let n = 0; n < 50 && sent < due; n++) ask();
}, 1);
process.on('message', () => {
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  process.send?.({ seconds, sent, answered: [...answered] }, () => process.exit());
});
