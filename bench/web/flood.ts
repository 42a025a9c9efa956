import { Agent, request } from 'node:http';

/**
 * Requests pages at a fixed rate, as 250 clients behind a proxy. It starts a request when
 * its time has come, whether or not earlier ones were answered.
 */
const [, , port = '0', perSecond = '0', check = ''] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const paths = ['/', check, '/about', '/', '/privacy', '/api/v1/openapi.json'];
const answered = new Map<number, number>();
const began = performance.now();
let sent = 0;

function ask(): void {
  const n = sent++;
  const headers = { host: 'check.example', 'x-forwarded-for': `11.1.${n % 250}.1` };
  const path = paths[n % paths.length] ?? '/';
  const outgoing = request({ port, host: '127.0.0.1', path, agent, headers }, (incoming) => {
    const status = incoming.statusCode ?? 0;
    answered.set(status, (answered.get(status) ?? 0) + 1);
    incoming.resume();
  });
  outgoing.on('error', () => undefined);
  outgoing.end();
}

const timer = setInterval(() => {
  const due = ((performance.now() - began) / 1000) * Number(perSecond);
  // A client that has fallen behind does not send everything at once.
  for (let n = 0; n < 50 && sent < due; n++) ask();
}, 5);
process.on('message', () => {
  clearInterval(timer);
  const seconds = (performance.now() - began) / 1000;
  process.send?.({ seconds, sent, answered: [...answered] });
  agent.destroy();
  process.disconnect();
});
