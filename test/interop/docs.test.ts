import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test, { after, before } from 'node:test';
import { allScenarios, createLab, type Lab } from '../../src/lab/index.js';
import { runProgram } from './process.js';

/**
 * In the lab, the domain `inside` replaces `outside`, the real domain in docs/postfix.md.
 */
const outside = 'gmail.com';
const inside = 'sts-only.example';

let lab: Lab;
let folder: string;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-docs-'));
  chmodSync(folder, 0o755);
  lab = await createLab({ scenarios: allScenarios.filter(({ domain }) => domain === inside) });
});

after(async () => {
  await lab.close();
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, text: string, mode = 0o644): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text, { mode });
}

/**
 * Replaces the programs that a test cannot run: packages are already installed, and
 * services start inside the lab, as their unit describes. All other programs are real.
 */
function standIns(
  anchorLine: string,
  resolver: { readonly address: string; readonly port: number },
): void {
  write('anchor', anchorLine);
  write('roots.pem', lab.rootPem);
  write(
    'unbound.conf',
    `server:
  interface: 127.0.0.1@53
  directory: "${folder}"
  chroot: ""
  username: ""
  pidfile: "${folder}/unbound.pid"
  use-syslog: no
  do-not-query-localhost: no
  do-ip6: no
  trust-anchor-file: "${folder}/anchor"
  module-config: "validator iterator"
remote-control: {control-enable: no}
forward-zone:
  name: "."
  forward-addr: ${resolver.address}@${resolver.port}
`.replace('remote-control: {control-enable: no}', 'remote-control:\n  control-enable: no'),
  );
  const script = (name: string, body: string): void =>
    write(`bin/${name}`, `#!/bin/bash\nset -e\n${body}\n`, 0o755);
  script('apt-get', '[ "$1" = install ]');
  // The package is installed by test/interop/debian-package.test.ts.
  script('hermetic', `exec ${process.execPath} ${resolve('dist/src/cli/main.js')} "$@"`);
  script(
    'systemctl',
    `case "$*" in
  daemon-reload) ;;
  'enable --now unbound') unbound -c ${folder}/unbound.conf; for i in $(seq 300); do dig +tries=1 +time=1 @127.0.0.1 . SOA | grep -q 'flags:.* ad' && exit; sleep 0.2; done; exit 1 ;;
  'enable --now hermetic')
    RUNTIME_DIRECTORY=/run/hermetic setsid hermetic serve > ${folder}/hermetic.log 2>&1 < /dev/null &
    echo $! > ${folder}/hermetic.pid
    for i in $(seq 300); do grep -q 'listening what=postfix' ${folder}/hermetic.log && exit; sleep 0.2; done; cat ${folder}/hermetic.log; exit 1 ;;
  'restart postfix')
    # As Debian's unit does: the chroot has its own copy.
    mkdir -p /var/spool/postfix/etc && cp /etc/resolv.conf /var/spool/postfix/etc/
    postfix stop > /dev/null 2>&1 || true
    postfix start > /dev/null 2>&1 ;;
  *) echo "systemctl $*: not foreseen"; exit 1 ;;
esac`,
  );
}

test('the commands of docs/postfix.md take Postfix from nothing to enforced', async () => {
  const page = readFileSync('docs/postfix.md', 'utf8');
  const delivered = `for i in $(seq 60); do grep -q 'Verified TLS' /var/log/mail.log && break; sleep 1; done`;
  const steps = page
    .split(/^\*\*\d\. |^## The answers/m)
    .slice(1, -1)
    .map((step) =>
      [...step.matchAll(/```sh\n([\s\S]*?)```/g)]
        .map(([, block = '']) => block.replaceAll(outside, inside))
        .map((block) => (block.startsWith('grep ') ? `${delivered}\n${block}` : block))
        .join(''),
    );
  assert.equal(steps.length, 5);
  const { resolver, anchorLine } = await lab.expose();
  standIns(anchorLine, resolver);
  for (const path of ['spool', 'lib', 'log', 'run', 'state']) mkdirSync(join(folder, path));
  cpSync('/etc', join(folder, 'etc'), { recursive: true, verbatimSymlinks: true });
  write(
    'etc/postfix/main.cf',
    `compatibility_level = 3.6
maillog_file = /var/log/mail.log
maillog_file_prefixes = /var/log
myhostname = mail.interop.example
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_relay_restrictions = permit_mynetworks, reject
`,
  );
  write(
    'etc/hermetic/hermetic.yaml',
    `resolver: {addresses: [127.0.0.1], trustAnchor: ${folder}/anchor}
roots: {replace: ${folder}/roots.pem}
network: {privateAddresses: allow}
store: {file: ${folder}/hermetic.db}
`,
  );
  // Debian's master.cf without its chroot and without port 25, which may be in use.
  const master = readFileSync('/usr/share/postfix/master.cf.dist', 'utf8');
  write(
    'etc/postfix/master.cf',
    `${master.replace(/^smtp +inet.*$/m, '').replace(/^(\S+\s+unix\s+\S+\s+\S+\s+)y/gm, '$1n')}\npostlog unix-dgram n - n - 1 postlogd\n`,
  );
  // The commands run in a mount namespace: the end of the namespace discards their
  // changes to /etc, the spool and the log.
  const script = `set -e
mount --bind ${folder}/etc /etc
mount --bind ${folder}/spool /var/spool/postfix
mount --bind ${folder}/lib /var/lib/postfix
mount --bind ${folder}/log /var/log
mkdir -p /run/hermetic /var/lib/hermetic
mount --bind ${folder}/run /run/hermetic
mount --bind ${folder}/state /var/lib/hermetic
mount --bind ${folder}/roots.pem /etc/ssl/certs/ca-certificates.crt
chown postfix /var/lib/postfix
export PATH=${folder}/bin:$PATH
finish() { postfix stop > /dev/null 2>&1; kill $(cat ${folder}/hermetic.pid ${folder}/unbound.pid); }
trap finish EXIT
${steps.map((step, i) => `echo "== ${i + 1}"\n${step}`).join('\n')}`;
  write('script', script);
  const { code, out, err } = await runProgram('unshare', ['-m', 'bash', join(folder, 'script')], {
    anyStatus: true,
    timeoutMs: 120_000,
  });
  const logs = `${out}\n${err}\n${await runProgram('sh', ['-c', `cat ${folder}/hermetic.log ${folder}/log/mail.log`], { anyStatus: true }).then((r) => r.out)}`;
  assert.equal(code, 0, logs);
  const printed = out.split(/== \d+\n/).slice(1);
  assert.match(printed[2] ?? '', /create \/etc\/hermetic\/conf\.d\/postfix\.yaml/, logs);
  assert.match(printed[2] ?? '', /setup postfix is complete/, logs);
  assert.match(
    printed[3] ?? '',
    new RegExp(`^secure match=mx\\.${inside.replace('.', '\\.')} servername=hostname`),
    logs,
  );
  assert.match(
    printed[4] ?? '',
    /Verified TLS connection established to mx\.sts-only\.example/,
    logs,
  );
  assert.deepEqual(
    lab.mail.map(({ server, sealed, to }) => [server, sealed, ...to]),
    [[`mx.${inside}`, true, `you@${inside}`]],
  );
});
