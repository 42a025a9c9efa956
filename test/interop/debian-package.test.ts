import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { runInDebian } from './debian-root.js';
import { runProgram } from './process.js';

let folder: string;
let packages: readonly string[];

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-packages-'));
  const build = (...args: readonly string[]): void => {
    const tool = ['--no-warnings', '--experimental-import-meta-resolve', 'dist/tools/package.js'];
    execFileSync(process.execPath, [...tool, ...args, '--output', folder], { stdio: 'ignore' });
  };
  build('release', '--revision', '1');
  build('deb', '--revision', '2');
  packages = readdirSync(folder)
    .filter((name) => /\.(deb|tar\.gz)$/.test(name))
    .map((name) => join(folder, name));
  assert.equal(packages.length, 3);
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the daemon as its unit does, because systemd cannot run in the jail. */
const start = `
start() {
  install -d -o hermetic -g hermetic /run/hermetic
  RUNTIME_DIRECTORY=/run/hermetic setsid setpriv --reuid hermetic --regid hermetic --clear-groups \\
    --no-new-privs --inh-caps +net_bind_service --ambient-caps +net_bind_service \\
    --bounding-set -all,+net_bind_service \\
    $(sed -n 's/^ExecStart=//p' /usr/lib/systemd/system/hermetic.service) >> /var/log/daemon.log 2>&1 < /dev/null &
  daemon=$!
  hermetic status --wait 60 || { cat /var/log/daemon.log; exit 1; }
}
stop() { kill $daemon; wait $daemon || true; }
trap 'status=$?; [ $status = 0 ] || cat /var/log/daemon.log; kill $daemon 2>/dev/null || true' EXIT
`;

test('a release has checksums of all files and a software bill of materials', async () => {
  const files = readdirSync(folder);
  const bills = files.filter((name) => name.endsWith('.cdx.json'));
  // The npm package contains no dependencies. The second revision has a separate bill of
  // materials.
  assert.equal(bills.length, 3);
  for (const name of bills) {
    const bill = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      readonly bomFormat: string;
      readonly components: readonly { readonly name: string; readonly hashes: readonly object[] }[];
    };
    assert.equal(bill.bomFormat, 'CycloneDX');
    assert.ok(
      bill.components.some((component) => component.name === 'zod'),
      name,
    );
    assert.ok(
      bill.components.every(({ hashes }) => hashes.length > 0),
      name,
    );
    assert.ok(files.includes(name.replace('.cdx.json', '')), name);
  }
  const checked = await runProgram('sha256sum', ['--check', '--strict', 'SHA256SUMS'], {
    cwd: folder,
  });
  assert.equal(checked.out.match(/: OK$/gm)?.length, 5, checked.out);
});

/** Returns the commands of a page between two of its headings. */
function commandsOf(page: string, from: string, to: string): string {
  const text = readFileSync(page, 'utf8');
  const part = text.slice(text.indexOf(from), text.indexOf(to));
  return [...part.matchAll(/```sh\n([\s\S]*?)```/g)].map(([, block = '']) => block).join('');
}

test('the package installs, starts, follows both guides, upgrades and purges', async () => {
  const report = JSON.stringify(
    JSON.parse(readFileSync('test/vectors/tls-rpt/additional-info-uri.json', 'utf8')),
  );
  const { code, out, err } = await runInDebian(
    'trixie',
    packages,
    `${start}
find / -xdev -not -path '/packages*' | sort > /before
cp -a /etc/postfix/main.cf /main.cf.before
cd /packages
printf 'APT::Install-Recommends "false"; APT::Sandbox::User "root";' > /etc/apt/apt.conf.d/99test
${commandsOf('docs/install.md', '## Debian', '## Other')}
rm /etc/apt/apt.conf.d/99test
echo "== version $(hermetic --version)"
getent passwd hermetic
systemd-analyze verify /usr/lib/systemd/system/hermetic.service 2>&1 | grep -v 'man hermetic' | sed 's/^/verify: /'
systemd-analyze security --offline=yes --threshold=25 /usr/lib/systemd/system/hermetic.service | tail -n 1
start
echo "== size $(dpkg-query -W -f '\${Installed-Size}' hermetic)"
awk '{print "== cpu " ($14 + $15) / 100}' /proc/$daemon/stat
hermetic status
${commandsOf('docs/postfix.md', '**3. ', '**4. ')}
test -S /run/hermetic/control.sock
postconf smtp_tls_policy_maps
hermetic status | grep -c '^listening: postfix'
openssl rand -base64 32 > /etc/hermetic/dns.key
printf 'key "hermetic" { algorithm hmac-sha256; secret "%s"; };\\n' "$(cat /etc/hermetic/dns.key)" > /etc/hermetic/dns.key
chgrp hermetic /etc/hermetic/dns.key; chmod 640 /etc/hermetic/dns.key
${commandsOf('docs/publish.md', '**3. ', '**4. ').replaceAll(/^systemctl .*$/gm, '')}
${commandsOf('docs/publish.md', '**4. ', '**5. ').replaceAll(/^systemctl .*$/gm, '')}
stop; start
hermetic status | sed 's/^/both: /'
echo '${report}' > /report.json
setpriv --reuid hermetic --regid hermetic --clear-groups hermetic report import --store /var/lib/hermetic/hermetic.db - < /report.json
{ ${commandsOf('docs/install.md', '## Verify', '## Back up')}} | sed 's/^/doctor: /' || true
${commandsOf('docs/install.md', '## Back up', 'To return to a backup')}
stat -c '== backup %a' /var/backups/hermetic.db
{ ${commandsOf('docs/troubleshooting.md', '# Troubleshooting', '## The daemon does not start')}} | sed 's/^/trouble: /'
hermetic setup watch --domain example.com --alarm-to postmaster@example.com --yes
hermetic status | sed 's/^/watched: /'
hermetic setup watch --undo
hermetic report show --store /var/lib/hermetic/hermetic.db --json > /shown.before || true
grep VmRSS /proc/$daemon/status | awk '{print "== rss " $2}'
echo '# mine' >> /etc/hermetic/hermetic.yaml
stop
dpkg -i /packages/hermetic_*-2_*.deb
start
{ ${commandsOf('docs/upgrade.md', 'After an upgrade', '## What stays')}} > /examined 2>&1 || true
grep -c '# mine' /etc/hermetic/hermetic.yaml
hermetic report show --store /var/lib/hermetic/hermetic.db --json > /shown.after || true
test -s /shown.before
cmp /shown.before /shown.after && echo '== data kept'
${commandsOf('docs/install.md', 'To return to a backup', '## Upgrade')}
rm /var/backups/hermetic.db
hermetic status | sed 's/^/restored: /'
hermetic setup publish --undo
${commandsOf('docs/postfix.md', 'To restore the former state', '## The answers')}
hermetic status | sed 's/^/undone: /'
# These two lines are of step 3 of docs/publish.md.
postconf -X smtpd_tls_chain_files smtpd_tls_security_level
cmp /etc/postfix/main.cf /main.cf.before && echo '== main.cf restored'
ls /etc/hermetic/conf.d | sed 's/^/left: /'
stop
dpkg --purge hermetic
getent passwd hermetic || echo '== no user'
find / -xdev -not -path '/packages*' | sort > /after
comm -13 /before /after | grep -i hermetic | grep -v '^/var/cache/man/' | sed 's/^/left: /' || true
`,
  );
  const all = `${out}\n${err}`;
  assert.equal(code, 0, all);
  assert.match(out, /== version \d+\.\d+\.\d+/);
  assert.doesNotMatch(out, /^verify: /m, all);
  assert.match(out, /Overall exposure level for hermetic\.service: [012]\.\d/);
  assert.ok(Number(/== size (\d+)/.exec(out)?.[1]) <= 25 * 1024, all);
  assert.match(out, /smtp_tls_policy_maps = socketmap:inet:127\.0\.0\.1:8461:hermetic/);
  assert.match(out, /both: jobs: postfix, publish/, all);
  assert.match(out, /== backup 600/);
  assert.match(out, /trouble: the new configuration is active/, all);
  assert.match(out, /watched: jobs: postfix, publish, watch/, all);
  assert.match(out, /== data kept/, all);
  assert.match(out, /restored: last reload: \S+, succeeded/, all);
  assert.match(out, /undone: jobs: none/, all);
  assert.match(out, /== main\.cf restored/);
  assert.match(out, /== no user/);
  assert.doesNotMatch(out, /^left: /m, all);
  const [, kilobytes] = /== rss (\d+)/.exec(out) ?? [];
  const [, seconds] = /== cpu (\S+)/.exec(out) ?? [];
  console.log(`resident ${kilobytes} kB, ${seconds} s of CPU until ready`);
});

test('on Node 18 the package is refused, and the program prints one message', async () => {
  const { out, err } = await runInDebian(
    'bookworm',
    packages,
    `dpkg -i /packages/hermetic_*-1_*.deb 2>&1 | sed 's/^/dpkg: /' || true
mkdir /opt/h && tar -C /opt/h --strip-components=1 -xzf /packages/*.tar.gz
status=0; /opt/h/bin/hermetic check example.com > /said 2>&1 || status=$?
echo "== $status"
sed 's/^/said: /' /said
`,
  );
  const all = `${out}\n${err}`;
  assert.match(out, /dpkg: .*depends on nodejs \(>= 20\.19\)/, all);
  assert.match(out, /== 2\n/, all);
  const said = out.match(/^said: .*$/gm) ?? [];
  assert.match(said[0] ?? '', /Node\.js 18\S* is too old/);
  assert.equal(said.length, 2, all);
});

test('the archive runs as a daemon by the commands of docs/install.md', async () => {
  const archive = commandsOf('docs/install.md', '## Other distributions', '## Verify');
  const { code, out, err } = await runInDebian(
    'trixie',
    packages,
    `${start}
cd /packages
${archive.replace(/^systemctl .*$/m, '')}
systemd-analyze verify /etc/systemd/system/hermetic.service 2>&1 | grep -v 'man hermetic' | sed 's/^/verify: /'
install -d -o hermetic -g hermetic /var/lib/hermetic
ln -s /etc/systemd/system/hermetic.service /usr/lib/systemd/system/hermetic.service
start
hermetic status
test -f /opt/hermetic-0.1.0-linux-x64/examples/hooks/change-record.mjs
`,
  );
  const all = `${out}\n${err}`;
  assert.equal(code, 0, all);
  assert.doesNotMatch(out, /^verify: /m, all);
  assert.match(out, /^jobs: none/m, all);
});
