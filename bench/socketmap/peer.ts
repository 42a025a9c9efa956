import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMessage, encodeMessage, parseRecord, RRType } from '../../src/dns/index.js';
import { PolicyHost } from '../../src/lab/index.js';
import { createCa, issue } from '../../src/pki/index.js';
import { until } from '../../test/interop/process.js';
import { freePort } from '../../test/support/free-port.js';
import { askAll, requestFor } from './load.js';
import { usageOf, type Server } from './servers.js';

const resolverAt = '127.0.77.53';
const policyHostAt = '127.0.77.80';

/**
 * Starts Debian's postfix-mta-sts-resolver with its memory cache, a resolver, and a
 * policy host for `d0.example` and so on. The program reads /etc/resolv.conf, so it runs
 * in a mount namespace with a separate resolv.conf, which needs root.
 */
export async function startPeer(domains: number): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-bench-'));
  const port = await freePort();
  const root = createCa({ name: 'Bench Root' });
  const policyHost = new PolicyHost();
  for (let i = 0; i < domains; i++) {
    policyHost.add(`mta-sts.d${i}.example`, {
      certificate: issue(root, { names: [`mta-sts.d${i}.example`] }),
      policy: `version: STSv1\r\nmode: enforce\r\nmx: mx.d${i}.example\r\nmax_age: 604800\r\n`,
    });
  }
  const web = createServer(policyHost.serve);
  await new Promise<void>((resolve, reject) =>
    web.once('error', reject).listen(443, policyHostAt, resolve),
  );
  const dns = await answerDns();
  writeFileSync(join(folder, 'ca.pem'), root.certPem);
  writeFileSync(join(folder, 'resolv.conf'), `nameserver ${resolverAt}\n`);
  writeFileSync(
    join(folder, 'daemon.yml'),
    `host: 127.0.0.1\nport: ${port}\nreuse_port: true\nshutdown_timeout: 1\ncache:\n  type: internal\n  options:\n    cache_size: 10000\ndefault_zone:\n  strict_testing: false\n  timeout: 4\n`,
  );
  const script = `mount --bind ${folder}/resolv.conf /etc/resolv.conf && exec mta-sts-daemon -c ${folder}/daemon.yml -v error`;
  const child = spawn('unshare', ['-m', 'sh', '-c', script], {
    // The resolver logs every connection that a client closes.
    stdio: 'ignore',
    env: { ...process.env, SSL_CERT_FILE: join(folder, 'ca.pem') },
  });
  const stop = (): void => {
    child.kill();
    dns.close();
    web.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    let first = '';
    await until(
      'postfix-mta-sts-resolver',
      async () => {
        [first = ''] = await askAll(port, [requestFor('postfix', 'd0.example')]);
        return first.startsWith('OK secure');
      },
      () => first,
    );
  } catch (error) {
    stop();
    throw error;
  }
  return {
    name: 'postfix-mta-sts-resolver',
    port,
    map: 'postfix',
    usage: () => Promise.resolve(usageOf(child.pid ?? 0)),
    stop,
  };
}

async function answerDns(): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (bytes, from) => {
    const query = decodeMessage(bytes);
    const question = query.ok ? query.value.questions[0] : undefined;
    if (!query.ok || !question) return;
    const name = question.name.toLower();
    const line =
      question.type === RRType.TXT && /^_mta-sts\.d\d+\.example$/.test(name)
        ? 'TXT "v=STSv1; id=20261125"'
        : question.type === RRType.A && /^mta-sts\.d\d+\.example$/.test(name)
          ? `A ${policyHostAt}`
          : undefined;
    const record = line === undefined ? undefined : parseRecord(`${name}. 3600 IN ${line}`);
    const { edns: _edns, ...rest } = query.value;
    socket.send(
      encodeMessage({ ...rest, response: true, answers: record?.ok ? [record.value] : [] }),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((resolve, reject) =>
    socket.once('error', reject).bind(53, resolverAt, () => resolve()),
  );
  return socket;
}
