import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type SecureContext } from 'node:tls';
import { parseArgs } from 'node:util';
import { Random } from '../fuzz/random.js';
import { createCa, createIntermediate, issue } from '../src/pki/index.js';
import { KeyRing, LazyContexts, openLedger, ringContexts } from '../src/publish/index.js';
import { openStore } from '../src/store/index.js';
import { unpackPackage } from '../test/interop/debian.js';
import { accepts, Daemon, until } from '../test/interop/process.js';
import { freePort } from '../test/support/free-port.js';
import { median } from './median.js';
import { writeResults } from './results-file.js';

/**
 * Limits: seconds until the server is ready, MiB above a bare server, share of the
 * handshakes per CPU-second of nginx, wrong certificates.
 */
const LIMITS = { seconds: 2, mebibytes: 250, share: 0.6 };
const CONTEXTS = 9500;
/** Handshakes before the measured rounds. */
const WARM = 60_000;
const ROUNDS = 5;
const path = '/.well-known/mta-sts.txt';

interface Server {
  readonly name: string;
  readonly port: number;
  /** The process that is measured. */
  readonly pid: number;
}

/**
 * Serves the policies of 10,000 domains from one process, and compares it with nginx and
 * the same certificates.
 */
export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      names: { type: 'string' },
      connections: { type: 'string' },
      lookups: { type: 'string' },
    },
  });
  const [names, connections, lookups] = [
    Number(values.names ?? 10_000),
    Number(values.connections ?? 6000),
    Number(values.lookups ?? 1_000_000),
  ];
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-policy-host-'));
  const daemons: Daemon[] = [];
  try {
    const hosts = Array.from({ length: names }, (_, i) => `mta-sts.d${i}.example`);
    const digests = makeCertificates(hosts, folder);
    const [ours, seconds] = await startOurs(hosts, folder, daemons);
    const bare = residentOf(ours.pid);
    const nginx = await startNginx(
      'nginx, every certificate loaded',
      hosts,
      folder,
      daemons,
      false,
    );
    const bareNode = await startBare(hosts[0] ?? '', folder, daemons);
    const dynamic = await startNginx('nginx, certificate by name', hosts, folder, daemons, true);
    const rows: Row[] = [];
    for (const [draw, pick] of [
      ['Zipf(1)', zipf(names)],
      ['uniform', (random: Random) => random.below(names)],
    ] as const) {
      // First fills the cache with the contexts that this draw requests. Then the servers
      // run alternately, so that a slow period of the machine affects all of them. The
      // result of each server is the median.
      const cold = (await drive(ours, hosts, digests, pick, connections, 1)).rate;
      await drive(ours, hosts, digests, pick, WARM, 2);
      for (const server of [nginx, dynamic, bareNode])
        await drive(server, hosts, digests, pick, connections, 1);
      const rates = new Map<string, number[]>(
        [ours, nginx, dynamic, bareNode].map(({ name }) => [name, []]),
      );
      let wrong = 0;
      for (let round = 0; round < ROUNDS; round++) {
        for (const server of [ours, nginx, dynamic, bareNode]) {
          const result = await drive(server, hosts, digests, pick, connections, 10 + round);
          wrong += server === ours ? result.wrong : 0;
          rates.get(server.name)?.push(result.rate);
        }
      }
      rows.push({
        draw,
        rates: new Map([...rates].map(([name, all]) => [name, median(all)])),
        wrong,
        cold,
      });
    }
    const grown = (residentOf(ours.pid) - bare) / 1024;
    const found = lookUp(hosts, folder, lookups);
    const share = (rows[0]?.rates.get(ours.name) ?? 0) / (rows[0]?.rates.get(nginx.name) ?? 1);
    const wrong = found.wrong + rows.reduce((n, row) => n + row.wrong, 0);
    if (seconds > LIMITS.seconds || grown > LIMITS.mebibytes || share < LIMITS.share || wrong > 0)
      process.exitCode = 1;
    const text = report(
      names,
      seconds,
      grown,
      rows,
      [ours, nginx, dynamic, bareNode],
      { ...found, lookups },
      connections,
    );
    console.log(text);
    if (names === 10_000) writeResults('policy-host: `npm run bench -- policy-host`', text);
  } finally {
    for (const daemon of daemons) await daemon.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Row {
  readonly draw: string;
  readonly rates: ReadonlyMap<string, number>;
  readonly wrong: number;
  /** The result of Hermetic in the first round, before most contexts exist. */
  readonly cold: number;
}

/**
 * Makes a key and a chain of two certificates for each host, in the form of the key ring.
 * Returns the digest of each leaf.
 */
function makeCertificates(hosts: readonly string[], folder: string): ReadonlyMap<string, string> {
  const root = createCa({ name: 'bench root' });
  const authority = createIntermediate(root, { name: 'bench intermediate' });
  writeFileSync(join(folder, 'root.pem'), root.certPem);
  const ring = new KeyRing(join(folder, 'keys'));
  const digests = new Map<string, string>();
  for (const host of hosts) {
    mkdirSync(join(ring.folder, host), { recursive: true });
    const made = issue(authority, { names: [host] });
    writeFileSync(ring.keyFile(host, 'ecdsa-1'), made.keyPem);
    writeFileSync(ring.chainFile(host, 'ecdsa-1'), made.chainPem);
    digests.set(host, digestOf(made.der));
  }
  return digests;
}

const digestOf = (der: Uint8Array): string => createHash('sha256').update(der).digest('base64');

async function startOurs(
  hosts: readonly string[],
  folder: string,
  daemons: Daemon[],
): Promise<readonly [Server, number]> {
  const store = await openStore(join(folder, 'hermetic.db'));
  const ledger = openLedger(store);
  await Promise.all(
    hosts.map((host) =>
      ledger.serve(
        host.slice(8),
        'version: STSv1\r\nmode: enforce\r\nmx: mx.example.com\r\nmax_age: 604800\r\n',
      ),
    ),
  );
  store.close();
  const port = await freePort();
  const config = join(folder, 'hermetic.yaml');
  writeFileSync(
    config,
    `store: {file: ${join(folder, 'hermetic.db')}}\nweb: {listen: "127.0.0.1:${port}"}\npublish: {keys: ${join(folder, 'keys')}, everyMinutes: 0, contexts: ${CONTEXTS}}\n`,
  );
  const began = performance.now();
  const daemon = new Daemon(
    process.execPath,
    ['dist/src/cli/main.js', 'serve', '--config', config],
    process.cwd(),
  );
  daemons.push(daemon);
  await until(
    'hermetic serves',
    () => accepts('127.0.0.1', port),
    () => daemon.log,
  );
  return [{ name: 'hermetic serve', port, pid: daemon.pid }, (performance.now() - began) / 1000];
}

/**
 * Returns the upper limit in Node: one certificate for every name, and a prepared
 * response.
 */
async function startBare(host: string, folder: string, daemons: Daemon[]): Promise<Server> {
  const port = await freePort();
  const ring = new KeyRing(join(folder, 'keys'));
  const code = `const { readFileSync } = require('node:fs');
    const files = { cert: readFileSync('${ring.chainFile(host, 'ecdsa-1')}'), key: readFileSync('${ring.keyFile(host, 'ecdsa-1')}') };
    const answer = (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).end('version: STSv1\\r\\nmode: enforce\\r\\n');
    require('node:https').createServer({ ...files, ALPNProtocols: ['http/1.1'] }, answer).listen(${port}, '127.0.0.1');`;
  const daemon = new Daemon(process.execPath, ['-e', code], process.cwd());
  daemons.push(daemon);
  await until(
    'node:https serves',
    () => accepts('127.0.0.1', port),
    () => daemon.log,
  );
  return { name: 'node:https, one certificate', port, pid: daemon.pid };
}

async function startNginx(
  name: string,
  hosts: readonly string[],
  folder: string,
  daemons: Daemon[],
  dynamic: boolean,
): Promise<Server> {
  const root = join(folder, 'nginx');
  mkdirSync(root, { recursive: true });
  const binary = join(root, 'usr/sbin/nginx');
  try {
    execFileSync(binary, ['-v'], { stdio: 'ignore' });
  } catch {
    unpackPackage('nginx', root);
  }
  const port = await freePort();
  const home = join(folder, dynamic ? 'nginx-dynamic' : 'nginx-static');
  mkdirSync(home);
  const file = join(home, 'nginx.conf');
  const keys = join(folder, 'keys');
  const policy = `location = ${path} { default_type text/plain; return 200 "version: STSv1\\r\\nmode: enforce\\r\\nmx: mx.example.com\\r\\nmax_age: 604800\\r\\n"; }`;
  // Both servers send two session tickets after a handshake by default; no client resumes
  // a session.
  const tls = 'ssl_protocols TLSv1.2 TLSv1.3;';
  const server = (host: string, folderName: string): string =>
    `server { listen 127.0.0.1:${port} ssl; server_name ${host}; ssl_certificate ${keys}/${folderName}/ecdsa-1.pem; ssl_certificate_key ${keys}/${folderName}/ecdsa-1.key; ${policy} }\n`;
  writeFileSync(
    file,
    `daemon off; user root; worker_processes 1; pid ${home}/pid; error_log stderr error;\nevents { worker_connections 1024; }\nhttp { access_log off; server_names_hash_max_size 65536; server_names_hash_bucket_size 128; client_body_temp_path ${home}/a; proxy_temp_path ${home}/b; fastcgi_temp_path ${home}/c; uwsgi_temp_path ${home}/d; scgi_temp_path ${home}/e; ${tls}\n`,
  );
  appendFileSync(
    file,
    dynamic ? server('_', '$ssl_server_name') : hosts.map((host) => server(host, host)).join(''),
  );
  appendFileSync(file, '}\n');
  const daemon = new Daemon(binary, ['-c', file, '-p', home], home);
  daemons.push(daemon);
  await until(
    'nginx serves',
    () => accepts('127.0.0.1', port),
    () => daemon.log,
    120_000,
  );
  // The master process listens before its worker is ready.
  const worker = (): number =>
    Number(
      readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'latin1')
        .trim()
        .split(' ')[0],
    );
  await until(
    'nginx has its worker',
    async () => worker() > 0,
    () => daemon.log,
    120_000,
  );
  return { name, port, pid: worker() };
}

/**
 * Measures full handshakes, each with a request, sixteen at a time. The CPU time is that
 * of the server alone.
 */
async function drive(
  server: Server,
  hosts: readonly string[],
  digests: ReadonlyMap<string, string>,
  pick: (random: Random) => number,
  connections: number,
  seed: number,
): Promise<{ rate: number; wrong: number }> {
  const random = new Random(seed);
  const before = cpuSeconds(server.pid);
  let [left, wrong] = [connections, 0];
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      const host = hosts[pick(random)] ?? '';
      if ((await fetchOnce(server.port, host)) !== digests.get(host)) wrong++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return { rate: connections / (cpuSeconds(server.pid) - before), wrong };
}

/** Returns the digest of the server's certificate after the policy has arrived. */
function fetchOnce(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      servername: host,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ALPNProtocols: ['http/1.1'],
    });
    let [text, digest] = ['', ''];
    socket.once('secureConnect', () => {
      digest = digestOf(socket.getPeerCertificate().raw);
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    });
    socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
    socket.once('error', () => resolve('error'));
    socket.once('close', () =>
      resolve(
        text.startsWith('HTTP/1.1 200') && text.includes('version: STSv1') ? digest : 'no policy',
      ),
    );
  });
}

/**
 * Draws names by Zipf(1), a tenth of them unknown, and verifies the owner of the
 * certificate in each returned context.
 */
function lookUp(
  hosts: readonly string[],
  folder: string,
  lookups: number,
): { wrong: number; loads: number } {
  const ring = new KeyRing(join(folder, 'keys'));
  const source = ringContexts(ring);
  let [wrong, loads] = [0, 0];
  const contexts = new LazyContexts({
    source: { ...source, load: (host) => (loads++, source.load(host)) },
    capacity: CONTEXTS,
    monotonic: () => performance.now(),
  });
  const [random, pick] = [new Random(7), zipf(hosts.length)];
  const known = new Map<SecureContext, string>();
  const served = new Set(hosts);
  const keyOf = (host: string): string => readFileSync(ring.keyFile(host, 'ecdsa-1'), 'utf8');
  const strange = issue(createCa({ name: 'stranger' }), { names: ['stranger.example'] }).keyPem;
  for (let i = 0; i < lookups; i++) {
    const host = random.once(10)
      ? `mta-sts.unknown${random.below(1000)}.example`
      : (hosts[pick(random)] ?? '');
    const context = contexts.contextFor(host);
    if (context && !known.has(context) && hasCertificateFor(context, keyOf(host), strange))
      known.set(context, host);
    if ((context ? known.get(context) : undefined) !== (served.has(host) ? host : undefined))
      wrong++;
    if (known.size > 3 * CONTEXTS) known.clear();
  }
  return { wrong, loads };
}

/**
 * Returns whether a context contains the certificate of a key. OpenSSL accepts only the
 * key that belongs to the certificate.
 */
function hasCertificateFor({ context }: SecureContext, key: string, strange: string): boolean {
  const takes = (pem: string): boolean => {
    try {
      (context as { setKey(pem: string): void }).setKey(pem);
      return true;
    } catch {
      return false;
    }
  };
  return !takes(strange) && takes(key);
}

/** Draws ranks by Zipf's law with exponent 1, by inverting the cumulative sums. */
function zipf(n: number): (random: Random) => number {
  const sums = new Float64Array(n);
  let sum = 0;
  for (let i = 0; i < n; i++) sums[i] = sum += 1 / (i + 1);
  return (random) => {
    const at = (random.below(0x40000000) / 0x40000000) * sum;
    let [low, high] = [0, n - 1];
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((sums[mid] ?? 0) > at) high = mid;
      else low = mid + 1;
    }
    return low;
  };
}

/**
 * Returns the CPU time of all threads to the nanosecond, because a tick of /proc/PID/stat
 * is 1 % of a round.
 */
function cpuSeconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return (
    readdirSync(tasks).reduce(
      (sum, id) => sum + Number(readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ')[0]),
      0,
    ) / 1e9
  );
}

/** Returns the resident memory of a process, KiB. */
function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

function report(
  names: number,
  seconds: number,
  grown: number,
  rows: readonly Row[],
  servers: readonly Server[],
  found: { wrong: number; loads: number; lookups: number },
  connections: number,
): string {
  const lead = rows[0]?.rates.get(servers[0]?.name ?? '') ?? 0;
  const share = (row: Row, server: Server): string =>
    ((row.rates.get(servers[0]?.name ?? '') ?? 0) / (row.rates.get(server.name) ?? 1)).toFixed(2);
  return [
    `${names} domains in one process, P-256 certificates with one intermediate, TLS 1.3. Each full handshake has one request,`,
    `${connections} in a round. The figures are the median of ${ROUNDS} alternating rounds after ${WARM} handshakes. CPU time is that of the`,
    'server process alone.',
    '',
    `| | names by ${rows.map((r) => `${r.draw} | Hermetic’s ratio`).join(' | ')} |`,
    `| --- | ${rows.map(() => '---: | ---:').join(' | ')} |`,
    ...servers.map(
      (s) =>
        `| ${s.name} | ${rows.map((r) => `${(r.rates.get(s.name) ?? 0).toFixed(0)} a CPU-second | ${share(r, s)}`).join(' | ')} |`,
    ),
    '',
    `- hermetic serve in its first round, when most contexts are yet to be made: ${rows.map((r) => `${r.cold.toFixed(0)} by ${r.draw}`).join(', ')}`,
    `- serving ${seconds.toFixed(1)} s after the start (at most ${LIMITS.seconds})`,
    `- ${grown.toFixed(0)} MiB above bare after all rounds, with at most ${CONTEXTS} contexts (at most ${LIMITS.mebibytes})`,
    `- ${(lead / (rows[0]?.rates.get(servers[1]?.name ?? '') ?? 1)).toFixed(2)} of nginx's handshakes per CPU-second by Zipf(1) (at least ${LIMITS.share})${process.exitCode === 1 ? '; **not all is reached**' : ''}`,
    `- ${found.wrong} wrong certificates in ${found.lookups} lookups (${found.loads} loads), ${rows.reduce((n, r) => n + r.wrong, 0)} in ${rows.length * ROUNDS * connections} handshakes (0 wanted)`,
  ].join('\n');
}
