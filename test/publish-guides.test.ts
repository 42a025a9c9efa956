import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { hookWriter } from '../src/publish/dns/hook-writer.js';
import { parseConfig } from '../src/server/index.js';

const pages = ['docs/postfix.md', 'docs/publish.md'] as const;

/** Runs the commands of a page that write files, in a folder in place of `/etc`. */
function follow(page: string, etc: string): void {
  const written = readFileSync(page, 'utf8')
    .split(/^```(.*)$/m)
    .filter((_, i, parts) => i % 4 === 2 && parts[i - 1] === 'sh')
    .flatMap(
      (block) => block.match(/^(?:cat >.*<<'?([A-Z]+)'?\n[\s\S]*?\n\1|mkdir -p .*)$/gm) ?? [],
    )
    .filter((command) => /hermetic\.(yaml|service)/.test(command.split('\n')[0] ?? ''))
    .map((command) =>
      command.replaceAll('/etc/', `${etc}/`).replace('$(postconf -h mail_version)', '3.7'),
    );
  assert.ok(written.length >= 2, page);
  execFileSync('sh', [
    '-euc',
    `mkdir -p ${etc}/systemd/system ${etc}/hermetic\n${written.join('\n')}`,
  ]);
}

function etc(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-etc-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

for (const order of [pages, [...pages].reverse()])
  test(`one configuration and one unit serve both: ${order.join(', then ')}`, (t) => {
    const folder = etc(t);
    for (const page of order) follow(page, folder);
    const parsed = parseConfig(readFileSync(join(folder, 'hermetic', 'hermetic.yaml'), 'utf8'));
    assert.ok(parsed.ok, JSON.stringify(parsed));
    assert.ok(parsed.value.jobs['postfix'] && parsed.value.jobs['publish']);
    assert.ok(parsed.value.metrics && parsed.value.web);
    assert.deepEqual(
      readdirSync(join(folder, 'systemd', 'system')).filter((name) => name.endsWith('.service')),
      ['hermetic.service'],
    );
    const dropIn = join(folder, 'systemd', 'system', 'hermetic.service.d', 'publish.conf');
    assert.match(readFileSync(dropIn, 'utf8'), /DynamicUser=no/);
  });

test('both pages write the same unit, and neither overwrites the configuration', () => {
  const unit = /cat > \/etc\/systemd\/system\/hermetic\.service <<'END'\n([\s\S]*?)\nEND/;
  const units = pages.map((page) => unit.exec(readFileSync(page, 'utf8'))?.[1]);
  assert.ok(units[0]);
  assert.equal(units[0], units[1]);
  for (const page of pages)
    assert.doesNotMatch(readFileSync(page, 'utf8'), /cat > \/etc\/hermetic\/hermetic\.yaml/);
});

test('the page of the hook shows the JSON that a hook is given', async () => {
  const page = readFileSync('docs/dns-hook.md', 'utf8');
  const example = JSON.parse(/```json\n(.*)\n```/.exec(page)?.[1] ?? '') as Record<string, unknown>;
  const check = `let t='';process.stdin.on('data',d=>t+=d).on('end',()=>{process.exitCode=t===process.argv[1]+'\\n'?0:9})`;
  const given = await hookWriter([process.execPath, '-e', check, JSON.stringify(example)])({
    kind: 'set-rrset',
    ...(example as { name: string; type: 'TXT'; from: string[]; to: string[]; ttl: number }),
  });
  assert.deepEqual(given, { status: 'done' });
  for (const member of Object.keys(example)) assert.ok(page.includes(`| \`${member}\``), member);
});

test('the page of Postfix says what happens while the daemon is down, and how to notice', () => {
  const page = readFileSync('docs/postfix.md', 'utf8');
  assert.match(page, /defers mail to every domain while the socketmap does not answer/);
  assert.match(page, /hermetic_uptime_seconds/);
});
