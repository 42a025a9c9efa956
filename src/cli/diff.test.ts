import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { runCli } from '../../test/support/run-cli.js';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-'));
});
after(() => rmSync(folder, { recursive: true }));

const cli = (...args: string[]) => runCli(args);

test('evidence and result of one check are equal; a worse one exits with 1', async () => {
  const file = (name: string): string => join(folder, name);
  const reports = ['--html', file('r.html'), '--junit', file('r.xml'), '--sarif', file('r.sarif')];
  const { out } = await cli(
    'check',
    '--lab',
    'opportunistic.example',
    '--depth',
    'triage',
    '--json',
    '--evidence',
    file('e.json'),
    ...reports,
  );
  writeFileSync(file('r.json'), out);
  const same = await cli('diff', file('e.json'), file('r.json'));
  assert.equal(same.code, 0, same.out + same.err);
  assert.match(same.out, /No differences/);
  writeFileSync(file('worse.json'), out.replace('"starttls": "offered"', '"starttls": "absent"'));
  assert.equal((await cli('diff', file('r.json'), file('worse.json'))).code, 1);
  const back = await cli('diff', file('worse.json'), file('r.json'), '--json');
  assert.equal(back.code, 0);
  assert.equal((JSON.parse(back.out) as { schema: string }).schema, 'hermetic.diff/1');
  const graded = await cli('grade', file('e.json'), ...reports);
  assert.equal(graded.err, '');
  const both = await cli(
    'grade',
    file('e.json'),
    file('e.json'),
    '--html',
    file('two.html'),
    '--fail-on',
    'warn',
  );
  assert.equal(both.code, 1);
  assert.match(
    readFileSync(file('two.html'), 'utf8'),
    /Mail TLS of 2 domains[\s\S]*2 with warnings/,
  );
});

test('two domains or no result: bad input with a fix', async () => {
  const { out } = await cli(
    'check',
    '--lab',
    'opportunistic.example',
    '--depth',
    'triage',
    '--json',
  );
  writeFileSync(join(folder, 'a.json'), out);
  writeFileSync(join(folder, 'b.json'), out.replace('"opportunistic.example"', '"other.example"'));
  writeFileSync(join(folder, 'c.json'), '{"schema":"hermetic.check/1"}');
  for (const other of ['b.json', 'c.json', 'nothing.json']) {
    const { code, err } = await cli('diff', join(folder, 'a.json'), join(folder, other));
    assert.equal(code, 2);
    assert.match(err, /^hermetic: .+ \([a-z-]+\)\n {2}\S/);
  }
});
