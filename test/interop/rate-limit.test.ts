import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { CheckResult, ConnectionEvidence, Evidence } from '../../src/evidence/index.js';
import { LabDns, LabNetwork } from '../../src/lab/index.js';
import { createCa, generateKey, issue } from '../../src/pki/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';
import { runProgram } from './process.js';

/** Seconds in which Postfix lets a client connect three times. */
const UNIT = 6;
const ADDRESS = '127.0.0.41';
const DOMAIN = 'limited.example';

let folder: string;
let postfix: Postfix;
const network = new LabNetwork();
let flags: readonly string[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hermetic-limit-'));
  const [smtp, resolver] = [await freePort(), await freePort()];
  const root = createCa({ name: 'Limited Root' });
  const chains = (['p256', 'rsa-2048'] as const).map((kind) => {
    const issued = issue(root, { names: [`mx.${DOMAIN}`], key: generateKey(kind) });
    const file = join(folder, `${kind}.pem`);
    writeFileSync(file, issued.keyPem + issued.chainPem, { mode: 0o600 });
    const parsed = parseCertificate(issued.der);
    assert.ok(parsed.ok);
    return { file, spki: spkiSha256(parsed.value) };
  });
  postfix = new Postfix(folder, smtp);
  await postfix.start(
    [{ address: ADDRESS, chainFile: chains.map(({ file }) => file).join(',') }],
    [
      'smtpd_client_connection_rate_limit = 3',
      `anvil_rate_time_unit = ${UNIT}s`,
      'smtpd_client_event_limit_exceptions =',
      'smtpd_tls_protocols = >=TLSv1.2',
      'smtpd_tls_ciphers = high',
      'smtpd_tls_mandatory_ciphers = high',
    ],
  );
  const records = [
    `@ MX 10 mx`,
    `mx A ${ADDRESS}`,
    ...chains.map(({ spki }) => `_25._tcp.mx TLSA 3 1 1 ${spki}`),
    `_smtp._tls TXT "v=TLSRPTv1; rua=mailto:tls@${DOMAIN}"`,
  ];
  const zones = [{ apex: '.' }, { apex: 'example' }, { apex: DOMAIN, records: records.join('\n') }];
  const dns = new LabDns(
    zones.map((zone) => ({ ...zone, signed: {} })),
    Date.now(),
  );
  await dns.serveAt(network, '192.0.2.53', { address: '127.0.0.1', port: resolver });
  const [anchor, ca] = [join(folder, 'anchors'), join(folder, 'root.pem')];
  writeFileSync(anchor, dns.anchorLine);
  writeFileSync(ca, root.certPem);
  flags = [
    '--resolver',
    `127.0.0.1:${resolver}`,
    '--trust-anchor',
    anchor,
    '--ca',
    ca,
    '--smtp-port',
    String(smtp),
    '--json',
  ];
});

after(async () => {
  await postfix.stop();
  await network.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns the command as a user runs it, after the limit has expired. */
async function run(
  file: string,
  ...more: string[]
): Promise<{ code: number; result: CheckResult; connections: readonly ConnectionEvidence[] }> {
  await pause(1000 * (UNIT + 1));
  const args = [
    'dist/src/cli/main.js',
    'check',
    DOMAIN,
    ...flags,
    '--evidence',
    join(folder, file),
    ...more,
  ];
  const { code, out, err } = await runProgram(process.execPath, args, {
    anyStatus: true,
    timeoutMs: 120_000,
  });
  assert.notEqual(out, '', err);
  const { hosts } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Evidence;
  return {
    code,
    result: JSON.parse(out) as CheckResult,
    connections: hosts[0]?.addresses[0]?.connections ?? [],
  };
}

const asked = (connections: readonly ConnectionEvidence[]): string[] =>
  connections.flatMap((c) => (c.probe && !c.earlier ? [JSON.stringify(c.probe.question)] : []));

test('Postfix with three connections: main facts at once, later runs complete the rest', async () => {
  const first = await run('first.json');
  assert.equal(first.code, 3);
  assert.equal(first.connections.length, 4, 'three, and the one that was turned away');
  assert.equal(first.connections.at(-1)?.failure?.code, 'smtp-busy');
  const [shown] = first.result.hosts[0]?.addresses ?? [];
  assert.deepEqual([shown?.starttls, shown?.tls.versions['TLSv1.3']], ['offered', 'accepted']);
  assert.ok(shown && shown.certificates.length > 0);
  for (const { chain, dane } of shown.certificates)
    assert.deepEqual([chain, dane], ['trusted', 'match']);
  assert.match(
    first.result.findings.find((f) => f.id === 'tls-unsettled')?.title ?? '',
    /smtp-busy/,
  );

  const second = await run(
    'second.json',
    '--resume',
    join(folder, 'first.json'),
    '--spacing',
    '2.5',
  );
  assert.deepEqual(
    [second.code, second.result.verdict],
    [0, 'pass'],
    JSON.stringify(second.result.findings.map((f) => f.id)),
  );
  const known = new Set(asked(first.connections));
  assert.ok(
    known.size >= 2 && asked(second.connections).every((question) => !known.has(question)),
    'nothing is asked twice',
  );
  assert.equal(second.result.hosts[0]?.addresses[0]?.certificates.length, 2, 'both certificates');

  const third = await run(
    'third.json',
    '--resume',
    join(folder, 'second.json'),
    '--intrusive',
    '--spacing',
    '2.5',
  );
  assert.equal(
    third.result.hosts[0]?.addresses[0]?.connections,
    2,
    'one to see how it is, one to intrude',
  );
  const [intruded] = third.connections.filter((c) => c.injection);
  assert.deepEqual(
    [intruded?.injection, intruded?.renegotiation],
    ['discarded', 'refused'],
    'Postfix forgets what came in plaintext',
  );
  assert.equal(third.result.verdict, 'pass');
});
