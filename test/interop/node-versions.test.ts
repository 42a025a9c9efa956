import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { checkDomains } from '../../src/cli/check-domains.js';
import { createLab } from '../../src/lab/index.js';
import { createCa, createIntermediate, issue, selfSigned } from '../../src/pki/index.js';
import type { RootRow } from '../../src/x509/index.js';
import type { Answers, SameInput, SentSession } from './node-versions/answers.js';
import { nodeBinaries, type NodeBinary } from './node-versions/node-binaries.js';
import { runProgram } from './process.js';

const DAY = 86_400_000;
const validationTime = Date.UTC(2026, 10, 1);
/** The distrust dates of the roots in the test's root store. */
const dates = [Date.UTC(2026, 3, 15), Date.UTC(2026, 6, 1), Date.UTC(2026, 9, 15)];
const program = 'dist/test/interop/node-versions/answers.js';
const [own, ...others] = nodeBinaries();

const folder = mkdtempSync(join(tmpdir(), 'hermetic-nodes-'));
const inputFile = join(folder, 'input.json');
let input: SameInput;
let judged: Answers;
let collected: Readonly<Record<string, string>>;

before(async () => {
  const lab = await createLab();
  try {
    const domains = lab.scenarios.map(({ domain }) => domain);
    input = { ...toyChains(), evidence: await Promise.all(checkDomains(lab, domains)) };
  } finally {
    await lab.close();
  }
  writeFileSync(inputFile, JSON.stringify(input));
  assert.ok(own);
  judged = (await answersOf(own, ['judge', inputFile])) as Answers;
  collected = (await answersOf(own, ['collect'])) as typeof collected;
});

after(() => rmSync(folder, { recursive: true, force: true }));

/**
 * Returns roots and chains: chains with leaf certificates from the days around three
 * distrust dates, and chains with other faults.
 */
function toyChains(): Omit<SameInput, 'evidence'> {
  const names = ['mx.example.com'];
  const notAfter = validationTime + 90 * DAY;
  const roots: RootRow[] = [];
  const chains: { name: string; chain: readonly string[] }[] = [];
  const add = (name: string, chain: readonly Uint8Array[]): void =>
    void chains.push({ name, chain: chain.map((der) => Buffer.from(der).toString('base64')) });
  for (const [index, date] of dates.entries()) {
    const root = createCa({ name: `Dated Root ${index}`, notBefore: 0 });
    const middle = createIntermediate(root, { name: `Dated CA ${index}`, notBefore: 0 });
    roots.push([
      `Dated Root ${index}`,
      Buffer.from(root.der).toString('base64'),
      new Date(date).toISOString(),
    ]);
    for (const [name, notBefore] of [
      ['before', date - DAY],
      ['after', date + DAY],
    ] as const) {
      add(`${name} ${index}`, issue(middle, { names, notBefore, notAfter }).chain);
      add(`${name} ${index} without intermediate`, [
        issue(middle, { names, notBefore, notAfter }).der,
      ]);
    }
    add(`expired ${index}`, issue(root, { names, notBefore: 0, notAfter: date - DAY }).chain);
    add(`SHA-1 ${index}`, issue(root, { names, notBefore: 0, notAfter, hash: 'sha1' }).chain);
  }
  add('self-signed', selfSigned({ names, notBefore: 0, notAfter }).chain);
  add('unknown root', issue(createCa({ name: 'Other' }), { names, notBefore: 0, notAfter }).chain);
  return { roots, chains, validationTime };
}

async function answersOf({ path }: NodeBinary, args: readonly string[]): Promise<unknown> {
  const { out } = await runProgram(path, [program, ...args], { timeoutMs: 240_000 });
  return JSON.parse(out);
}

test('a leaf from before a distrust date is trusted, one from after is not', () => {
  for (const index of dates.keys()) {
    assert.equal(judged.chains[`before ${index}`], 'trusted valid');
    assert.equal(judged.chains[`after ${index}`], 'unknown-ca valid x509-root-distrusted');
  }
});

test('the lab provides evidence of every domain', () => {
  assert.ok(input.evidence.length >= 50, `${input.evidence.length} domains`);
  assert.equal(Object.keys(collected).length, input.evidence.length);
  assert.ok(Object.keys(judged.results).length >= 5 * input.evidence.length);
});

for (const binary of others) {
  const skip = binary.missing;
  test(`Node ${binary.name}: the same chains get the same verdicts`, { skip }, async () => {
    const theirs = (await answersOf(binary, ['judge', inputFile])) as Answers;
    assert.deepEqual(theirs.chains, judged.chains);
    assert.deepEqual(theirs.builtin, judged.builtin);
    sameTexts(theirs.results, judged.results);
    sameTexts(theirs.pages, judged.pages);
  });

  test(
    `Node ${binary.name}: a check of every domain of the lab is the same`,
    { skip },
    async () => {
      sameTexts((await answersOf(binary, ['collect'])) as typeof collected, collected);
    },
  );
}

for (const binary of [own, ...others]) {
  const { name, path, missing: skip } = binary as NodeBinary;
  test(`Node ${name}: mail passes a middlebox that loses large hellos`, { skip }, async () => {
    const { out } = await runProgram(path, ['-p', 'process.versions.openssl']);
    const [major = 0, minor = 0] = out.trim().split('.').map(Number);
    const isHybrid = major > 3 || (major === 3 && minor >= 5);
    const session = (await answersOf(binary as NodeBinary, ['send'])) as SentSession;
    assert.deepEqual(session, {
      status: 'delivered',
      group: isHybrid ? 'X25519MLKEM768' : 'x25519',
      postQuantum: isHybrid,
      attempts: 1,
    });
  });
}

/** Compares octet by octet. The message shows the first difference of each text. */
function sameTexts(
  actual: Readonly<Record<string, string>>,
  expected: Readonly<Record<string, string>>,
): void {
  assert.deepEqual(Object.keys(actual), Object.keys(expected));
  const differences = Object.entries(expected).flatMap(([name, text]) => {
    const other = actual[name] ?? '';
    if (other === text) return [];
    const at = [...text].findIndex((character, index) => other[index] !== character);
    const from = Math.max(0, at - 120);
    return [`${name}: ${text.slice(from, at + 120)}\n   not ${other.slice(from, at + 120)}`];
  });
  assert.deepEqual(differences, []);
}
