import assert from 'node:assert/strict';
import test from 'node:test';
import type { CheckResult } from '../../src/evidence/index.js';
import { runCli } from '../support/run-cli.js';

const hermetic = (...args: string[]) => runCli(args);

const flat = (text: string): string => text.replace(/\s+/g, ' ');

test('a mangled keyword fails as mangled, qualified as seen from here', async () => {
  const { code, out } = await hermetic('check', '--lab', 'stripped.example');
  assert.equal(code, 1);
  assert.match(flat(out), /keyword is overwritten, seen from here/);
  assert.match(flat(out), /--control HOST/);
  assert.doesNotMatch(out, /STARTTLS is not offered/);
});

test('a removed keyword fails as absent, qualified as seen from here', async () => {
  const { code, out } = await hermetic('check', '--lab', 'stripped-by-removal.example');
  assert.equal(code, 1);
  assert.match(flat(out), /STARTTLS is not offered, seen from here/);
  assert.match(flat(out), /--control HOST/);
});

for (const domain of [
  'rate-limited.example',
  'blocked-25.example',
  'greylisting.example',
  'tarpit.example',
]) {
  test(`${domain} is inconclusive (exit 3) and never "no STARTTLS"`, async () => {
    const { code, out } = await hermetic('check', '--lab', domain, '--json');
    assert.equal(code, 3);
    const result = JSON.parse(out) as { verdict: string; findings: { id: string }[] };
    assert.equal(result.verdict, 'inconclusive');
    assert.deepEqual(
      result.findings.filter(({ id }) => id.startsWith('starttls-') || id.startsWith('tls-')),
      [],
    );
  });
}

test('a network that blocks port 25 is one line, and DNS facts are still graded', async () => {
  const { out } = await hermetic('check', '--lab', 'blocked-25.example');
  assert.match(flat(out), /This network seems to block port 25/);
  assert.match(flat(out), /Neither DANE nor MTA-STS makes senders require TLS/);
});

test('the control host shows which network removes STARTTLS', async () => {
  const whole = await hermetic(
    'check',
    '--lab',
    'stripped.example',
    '--control',
    'mx.good.example',
  );
  assert.match(flat(whole.out), /mx\.good\.example/);
  const both = await hermetic(
    'check',
    '--lab',
    'stripped.example',
    '--control',
    'mx.stripped-by-removal.example',
  );
  assert.notEqual(
    both.out.split('\n').slice(-8).join('\n'),
    whole.out.split('\n').slice(-8).join('\n'),
  );
});

test('[3207-4.2-2] the transcript shows the session before and after the handshake', async () => {
  const { out } = await hermetic('check', '--lab', 'good.example', '--transcript');
  assert.match(out, /EHLO/);
  assert.match(out, /STARTTLS/);
  assert.match(out, /QUIT/);
});

test('a monitoring plugin gets one line and the exit status', async () => {
  for (const [domain, status] of [
    ['good.example', 0],
    ['opportunistic.example', 1],
    ['stripped.example', 2],
    ['rate-limited.example', 3],
    ['blocked-25.example', 3],
    ['mispelt.example', 3],
  ] as const) {
    const { code, out } = await hermetic('check', '--lab', '--nagios', domain);
    assert.equal(code, status, domain);
    assert.match(out, /^[^\n]+\n$/);
    if (status === 3)
      assert.match(out, /could not be determined|seems to block port 25|does not exist/);
  }
});

test('an aborted check ends with 130 and one line, and claims nothing', async () => {
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('interrupted')), 300);
  const { code, out, err } = await runCli(['check', '--lab', 'tarpit.example'], 80, stop.signal);
  assert.equal(code, 130);
  assert.equal(out, '');
  assert.match(err, /^hermetic: interrupted[^\n]*\n$/);
});

test('only records, settings and commands exceed the terminal width', async () => {
  for (const domain of [
    'good.example',
    'stripped.example',
    'opportunistic.example',
    'sts-enforce-self-signed-dane.example',
  ]) {
    const { out } = await hermetic('check', '--lab', domain, '--steps');
    const json = await hermetic('check', '--lab', domain, '--json');
    // Keys differ between labs, so only the first words of a code line are compared.
    const code = (JSON.parse(json.out) as CheckResult).findings.flatMap((f) =>
      f.steps.flatMap((step) => (step.code ?? '').split('\n').map((line) => line.slice(0, 20))),
    );
    for (const line of out.split('\n'))
      assert.ok([...line].length <= 80 || code.includes(line.slice(0, 20)), line);
  }
});
