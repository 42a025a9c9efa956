import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { pathToFileURL } from 'node:url';

/**
 * The minimum numbers of files and tests: with fewer, some were not found or not built.
 */
const LEAST = { files: 180, tests: 1500 };

/** The number of concurrent test processes, some of which wait most of the time. */
const PROCESSES = 3;

/**
 * Returns the compiled test files below a folder whose source still exists; `interop` has
 * its own command.
 */
export function testFiles(root: string, skip: readonly string[] = ['interop']): readonly string[] {
  return readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter(
      (file) => file.endsWith('.test.js') && !file.split('/').some((part) => skip.includes(part)),
    )
    .filter((file) => existsSync(join(root, file.replace(/\.js$/, '.ts'))))
    .map((file) => join(root, 'dist', file))
    .sort();
}

/**
 * The slowest processes, the slowest first: a slow process that starts last would run
 * alone at the end. `runTests` prints the slowest processes.
 */
const START_FIRST: readonly string[] = [
  'test/scenarios/store-life.test.js',
  'test/scenarios/acme-daemon.test.js',
  'test/scenarios/help-examples.test.js',
  'test/scenarios/item-reader.test.js',
  'test/scenarios/send.test.js',
  'test/scenarios/reported-outcomes.test.js',
  'src/tls-rpt-receive',
  'src/server',
  'src/cli',
  'src/publish',
  'test/packaging/package.test.js',
  'test/scenarios/attacks.test.js',
  'src/check',
  'test/dnssec-mutation.test.js',
  'test/scenarios/every-scenario.test.js',
];

/** Test files that run in one process. */
export interface TestProcess {
  readonly name: string;
  readonly files: readonly string[];
}

/** The number of files of one folder below `test` that share a process. */
const SHARED_FILES = 7;

/**
 * Plans the processes, the longest first. The start of a process takes half a second, so
 * files share processes: the unit tests of one part of `src`, and groups of files of one
 * folder below `test`. Files in START_FIRST have a process each.
 */
export function testProcesses(files: readonly string[]): readonly TestProcess[] {
  const folders = new Map<string, string[]>();
  const all: TestProcess[] = [];
  for (const file of files) {
    const name = relative('dist', file);
    const folder = /^src\/[^/]+/.exec(name)?.[0] ?? dirname(name);
    if (START_FIRST.includes(name)) all.push({ name, files: [file] });
    else folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  for (const [folder, members] of folders) {
    const most = folder.startsWith('src/') ? members.length : SHARED_FILES;
    for (let from = 0; from < members.length; from += most) {
      const name = most === members.length ? folder : `${folder}-${from / most + 1}`;
      all.push({ name, files: members.slice(from, from + most) });
    }
  }
  const rank = ({ name }: TestProcess): number => {
    const place = START_FIRST.indexOf(name);
    return place < 0 ? START_FIRST.length : place;
  };
  return all.sort((a, b) => rank(a) - rank(b));
}

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Formats counts as one line. CI reads this line when it stands alone. */
export function formatCounts({ passed, failed, skipped }: TestCounts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * Runs test files, prints each failure and the slowest processes, and returns the counts.
 */
export async function runTests(
  files: readonly string[],
  processes = PROCESSES,
  timeoutMs = 1_200_000,
): Promise<TestCounts> {
  const waiting = [...testProcesses(files)];
  const done: { name: string; seconds: number; counts: TestCounts }[] = [];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const began = performance.now();
      const counts = await runProcess(next, timeoutMs);
      done.push({ name: next.name, seconds: (performance.now() - began) / 1000, counts });
    }
  };
  await Promise.all(Array.from({ length: processes }, worker));
  if (done.length > 1) {
    const slowest = done.sort((a, b) => b.seconds - a.seconds).slice(0, 10);
    console.log('\nslowest, in seconds:');
    for (const { name, seconds } of slowest)
      console.log(`${seconds.toFixed(0).padStart(5)}  ${name}`);
  }
  const sum = (key: keyof TestCounts): number =>
    done.reduce((total, { counts }) => total + counts[key], 0);
  return { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
}

async function runProcess({ name, files }: TestProcess, timeout: number): Promise<TestCounts> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const [first = ''] = files;
  const entry = files.length === 1 ? first : groupFile(name, files);
  const events = run({ files: [entry], concurrency: 1, timeout });
  events.on('test:fail', ({ name: test, details, file, line }) => {
    // A file or suite fails together with its tests, so its failure is counted only if it
    // could not run at all.
    if ((details.error as { failureType?: string }).failureType === 'subtestsFailed') return;
    counts.failed++;
    const cause = (details.error as { cause?: unknown }).cause ?? details.error;
    const where = file === undefined ? name : relative(process.cwd(), file);
    console.error(`\nnot ok  ${test}\n        ${where}:${line ?? 0}`);
    console.error(cause instanceof Error ? (cause.stack ?? cause.message) : cause);
  });
  events.on('test:pass', ({ name: test, skip, details }) => {
    if (details.type === 'suite' || test.endsWith(entry)) return;
    if (skip === undefined) return void counts.passed++;
    counts.skipped++;
    console.log(`skipped ${test}: ${skip === true || skip === '' ? 'without a reason' : skip}`);
    if (skip === true || skip === '') counts.failed++;
  });
  events.on('test:stderr', ({ message }) => process.stderr.write(message));
  events.resume();
  await new Promise((ended) => events.once('end', ended));
  return counts;
}

/** Writes the file that imports others, each inside a separate suite. */
function groupFile(name: string, files: readonly string[]): string {
  const folder = resolve('dist', 'test-groups');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name.replaceAll('/', '-')}.mjs`);
  const suites = files.map((one) => {
    const [title, url] = [relative('dist', one), pathToFileURL(resolve(one)).href];
    return `describe(${JSON.stringify(title)}, () => import(${JSON.stringify(url)}));\n`;
  });
  writeFileSync(file, `import { describe } from 'node:test';\n${suites.join('')}`);
  return file;
}

/** Selects the files of `--unit`, of `--part NAME` and the files that were named. */
function selected(args: readonly string[]): readonly string[] {
  const all = testFiles('.');
  if (args[0] === '--unit') return all.filter((file) => file.startsWith('dist/src/'));
  if (args[0] === '--part')
    return all.filter((file) =>
      args.slice(1).some((part) => file.startsWith(join('dist', 'src', part, '/'))),
    );
  return args.length > 0 ? args : all;
}

/**
 * Puts temporary files into memory if the system has such a file system, because the
 * tests would sync thousands of files to disk.
 */
function useMemoryForFiles(): void {
  if (process.env['TMPDIR'] !== undefined || !existsSync('/dev/shm')) return;
  const folder = mkdtempSync('/dev/shm/hermetic-tests-');
  // Some tests give up root privileges and still access their own files.
  chmodSync(folder, 0o755);
  process.env['TMPDIR'] = folder;
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
}

if (process.argv[1] === import.meta.filename) {
  useMemoryForFiles();
  const given = process.argv.slice(2);
  const files = selected(given);
  const began = performance.now();
  const counts = await runTests(files);
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  console.log(`\n${files.length} files in ${seconds} s\n${formatCounts(counts)}`);
  const { passed, failed } = counts;
  if (given.length === 0 && (files.length < LEAST.files || passed < LEAST.tests)) {
    console.error(
      `At least ${LEAST.files} files and ${LEAST.tests} tests were expected: something was not built or not found.`,
    );
    process.exitCode = 1;
  }
  if (failed > 0 || passed === 0) process.exitCode = 1;
}
