import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import test from 'node:test';
import { ownNetwork } from './own-network.js';
import { Postfix } from './postfix.js';
import { Daemon, runProgram, until } from './process.js';
import { at, PublishWorld } from './publish-world.js';
import { serving, writeZone, type UpdateServer } from './update-servers.js';

const domain = 'docs.example';
const [mx, mxAddress] = [`mx1.${domain}`, '127.31.0.11'];
ownNetwork([...Object.values(at), mxAddress]);

test('the commands of docs/publish.md take a domain to enforced and DANE', async (t) => {
  const page = readFileSync('docs/publish.md', 'utf8').split('## What happens')[0] ?? '';
  let root = '';
  /**
   * Replaces the page's names, addresses, folders and delays with the values of this
   * test.
   */
  const here = (text: string): string =>
    [
      ['example.com', domain],
      ['192.0.2.53', at.primary],
      ['0.0.0.0:443', `${at.web}:443`],
      ['https://acme-v02.api.letsencrypt.org/directory', 'https://ca.example:14000/dir'],
      ...[
        '/etc/bind',
        '/var/lib/bind',
        '/etc/postfix',
        '/etc/hermetic',
        '/var/lib/hermetic',
        '/etc/systemd/system',
        '/usr/local/bin',
      ].map((path) => [path, root + path] as const),
      ['-o hermetic -g hermetic ', ''],
      ['-g hermetic ', ''],
      ['chown -R hermetic:hermetic', 'chown -R root:root'],
      ['dnssec-policy default', 'dnssec-policy quick'],
      ['agreed: true', `agreed: true\n    roots: ${root}/web-root.pem`],
      [
        'publish:\n',
        'publish:\n  everyMinutes: 0.02\n  rehearsal: true\n  days: 0\n  leastReports: 0\n',
      ],
      ['certificates: acme', 'certificates: acme\n      ttl: 2'],
      ['policyHost:', 'ttl: 2\n      maxAges: [8, 16]\n      policyHost:'],
    ].reduce((changed, [from = '', to = '']) => changed.replaceAll(from, to), text);
  const blocks = (kind: string): readonly string[] =>
    [...page.matchAll(new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
      ([, block = '']) => here(block),
    );
  /** Returns the commands under each numbered heading of the page, in order. */
  const steps = (): readonly (readonly string[])[] =>
    page
      .split(/^\*\*\d\. /m)
      .slice(1)
      .map((step) =>
        [...step.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => here(block)),
      );
  const run = (block: string) =>
    runProgram('bash', ['-e', '-c', block], {
      env: {
        PATH: `${root}/usr/local/bin:${process.env['PATH'] ?? ''}`,
        MAIL_CONFIG: `${root}/etc/postfix`,
      },
    });
  const primary: UpdateServer = {
    name: 'BIND with the configuration of the page',
    async start(folder, { address, port }, { zone, records }) {
      root = join(folder, '..');
      for (const path of [
        'etc/bind',
        'etc/hermetic',
        'var/lib/bind',
        'var/lib/hermetic',
        'usr/local/bin',
      ])
        mkdirSync(join(root, path), { recursive: true });
      await run(steps()[1]?.[0] ?? '');
      writeZone(folder, zone, records, join(root, 'var/lib/bind'));
      const settings = `options { directory "${folder}"; listen-on port ${port} { ${address}; }; listen-on-v6 { none; }; recursion no; pid-file "${folder}/named.pid"; session-keyfile "${folder}/session.key"; dnssec-validation no; notify no; };
controls { };
dnssec-policy "quick" { keys { csk lifetime unlimited algorithm ecdsap256sha256; }; };
`;
      writeFileSync(join(folder, 'named.conf'), settings + (blocks('named')[0] ?? ''));
      return serving(
        new Daemon('named', ['-g', '-c', join(folder, 'named.conf')], folder),
        { address, port },
        zone,
      );
    },
  };
  const world = await PublishWorld.start({
    nameServer: primary,
    domain,
    hosts: [{ name: mx, address: mxAddress }],
    ttl: 2,
    lifetime: 600,
  });
  t.after(() => world.stop());
  const script = (name: string, body: string): string =>
    world.file(`usr/local/bin/${name}`, `#!/bin/bash\nset -e\n${body}\n`, 0o755);
  const settings = world.file('settings.yaml', world.settings.replace(/^store:.*\n/m, ''));
  script('apt-get', 'test "$2 $3" = "-y ./hermetic_0.1.0-1_amd64.deb"');
  // The file that `hermetic setup` writes equals that of the page:
  // test/publish-guides.test.ts compares them.
  const written = world.file(
    'page.yaml',
    `${blocks('yaml')[0] ?? ''}web: {listen: "${at.web}:443"}\n`,
  );
  script(
    'hermetic',
    `own=()
case "$1 $2" in
  'setup publish')
    case "$*" in *--yes) mkdir -p ${root}/etc/hermetic; cat ${written} ${settings} > ${root}/etc/hermetic/hermetic.yaml; echo "store: {file: ${root}/var/lib/hermetic/hermetic.db}" >> ${root}/etc/hermetic/hermetic.yaml ;; esac
    exit ;;
  'check '*) own=(--resolver ${at.resolver} --trust-anchor ${root}/anchor --ca ${root}/roots.pem) ;;
  *) own=(--config ${root}/etc/hermetic/hermetic.yaml) ;;
esac
exec ${process.execPath} ${resolve('dist/src/cli/main.js')} "$@" "\${own[@]}"`,
  );
  script(
    'systemctl',
    `case "$*" in
  'reload postfix') exec postfix reload ;;
  'enable --now hermetic-reload@postfix.path')
    # As the unit: reload Postfix when the folder changes.
    ( before=$(readlink ${root}/etc/postfix/tls/ecdsa)
      while kill -0 ${process.pid} 2> /dev/null; do
        sleep 0.2; now=$(readlink ${root}/etc/postfix/tls/ecdsa)
        [ "$now" = "$before" ] || { before=$now; postfix reload; }
      done ) > /dev/null 2>&1 < /dev/null & ;;
  'restart hermetic') setsid hermetic serve > ${root}/hermetic.log 2>&1 < /dev/null & echo $! > ${root}/hermetic.pid ;;
  *) echo "systemctl $*: not foreseen"; exit 1 ;;
esac`,
  );
  const postfix = world.with(new Postfix(join(root, 'etc'), 25));
  await postfix.start(
    [{ address: mxAddress, options: ['smtpd_tls_security_level=may'] }],
    [`inet_interfaces = ${mxAddress}`],
  );
  const [install, keys, tls, configure, service, look = [], ...others] = steps();
  assert.deepEqual([keys?.length, look.length, others.length], [3, 2, 0]);
  world.with({
    stop: async () => void process.kill(Number(readFileSync(join(root, 'hermetic.pid'), 'utf8'))),
  });
  let printed = '';
  for (const step of [install, keys?.slice(1), tls, configure, service])
    printed += (await run((step ?? []).join(''))).out;
  assert.match(printed, /do {4}/, 'the plan shows the next steps');
  let seen = '';
  const log = (): string =>
    `${printed}\n${seen}\n${readFileSync(join(root, 'hermetic.log'), 'utf8')}`;
  await until(
    'enforced, with both records',
    async () => {
      seen = (await run(look.join(''))).out;
      return (
        /enforce, max_age 16/.test(seen) &&
        (await world.records(`_25._tcp.${mx}`, 'TLSA')).length === 2
      );
    },
    log,
    120_000,
  );
  assert.match(
    seen.replace(/\s+/g, ' '),
    /Attacks on mail from senders with DANE or MTA-STS are defeated/,
    seen,
  );
  assert.doesNotMatch(seen, /FAIL/);
});
