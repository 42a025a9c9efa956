import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { hookWriter } from '../src/publish/dns/hook-writer.js';
import { planPublish, planWeb } from '../src/cli/setup/plan-jobs.js';
import { parseConfigFiles } from '../src/server/index.js';

const pages = ['docs/postfix.md', 'docs/publish.md'] as const;

test('no page writes a file of another page, or a unit', () => {
  for (const page of pages) {
    const text = readFileSync(page, 'utf8');
    assert.doesNotMatch(text, /cat >+ \/etc\/(hermetic|systemd)/, page);
    assert.doesNotMatch(text, /npm install --global/, page);
  }
});

test('setup publish writes the file that docs/publish.md shows', () => {
  const page = readFileSync('docs/publish.md', 'utf8');
  const shown = /```yaml\n(publish:[\s\S]*?)```/.exec(page)?.[1] ?? '';
  const planned = planPublish({
    domain: ['example.com'],
    host: ['mx1.example.com'],
    policyHost: 'policy.example.com',
    dnsServer: '192.0.2.53',
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    agree: true,
    mailServer: '127.0.0.1',
  });
  assert.equal(planned.text.replace(/^(#.*\n)+/, ''), shown);
  const parsed = parseConfigFiles([
    { file: 'hermetic.yaml', text: readFileSync('packaging/hermetic.yaml', 'utf8') },
    { file: 'postfix.yaml', text: 'postfix: {version: "3.7"}\n' },
    { file: 'publish.yaml', text: planned.text },
    { file: 'web.yaml', text: planWeb({ directory: '', mailServer: '' }).text },
  ]);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.ok(parsed.value.jobs['postfix'] && parsed.value.jobs['publish'] && parsed.value.web);
});

test('the page of the hook shows the JSON of a hook', async () => {
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

test('docs/postfix.md describes the failure of the daemon and its signs', () => {
  const page = readFileSync('docs/postfix.md', 'utf8');
  assert.match(page, /defers mail to every domain while the socketmap does not answer/);
  assert.match(page, /hermetic_uptime_seconds/);
});

// RFC 6376 §3.6.1
test('key records for report mail omit the service type', () => {
  const files = [
    ...readdirSync('docs', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => `docs/${file}`),
    ...readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => `src/${file}`),
  ];
  const records = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/v=DKIM1[^"'`\n]*/g)].map(([record]) => record),
  );
  assert.ok(records.length > 0);
  for (const record of records) assert.doesNotMatch(record, /;\s*s\s*=\s*(?!\*)/, record);
  const page = readFileSync('docs/send-reports.md', 'utf8');
  assert.match(page, /Omit the `s=` tag/);
});

test('docs/postfix.md describes delivery while the daemon is down', () => {
  const page = readFileSync('docs/postfix.md', 'utf8');
  const [, section = ''] = /\n## When the daemon is down\n([^]*?)\n## /.exec(page) ?? [];
  for (const part of [
    /bounces nothing before `maximal_queue_lifetime`/,
    /client TLS configuration problem/,
    /postconf -X smtp_tls_policy_maps/,
    /postqueue -f/,
    /hermetic serve --check/,
  ])
    assert.match(section, part);
});
