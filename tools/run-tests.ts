import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';

/** Fewer than this and something was not found, or not built. */
const LEAST = { files: 43, tests: 500 };

/**
 * Compiled test files below a folder whose source is still there; `interop` has its own
 * command.
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

/** Runs test files, prints what fails, and resolves to the counts. */
export async function runTests(
  files: readonly string[],
  concurrency = 2,
  timeoutMs = 1_200_000,
): Promise<{ passed: number; failed: number; skipped: number }> {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  const events = run({ files: [...files], concurrency, timeout: timeoutMs });
  events.on('test:fail', ({ name, details, file, line }) => {
    // A file fails with its tests: it is told only when it could not run at all.
    if (details.type === 'suite' || /subtests? failed/.test(details.error.message)) return;
    counts.failed++;
    const cause = (details.error as { cause?: unknown }).cause ?? details.error;
    console.error(`\nnot ok  ${name}\n        ${relative(process.cwd(), file ?? '')}:${line ?? 0}`);
    console.error(cause instanceof Error ? (cause.stack ?? cause.message) : cause);
  });
  events.on('test:pass', ({ name, skip, details }) => {
    if (details.type === 'suite' || files.some((f) => f.endsWith(name))) return;
    if (skip === undefined) return void counts.passed++;
    counts.skipped++;
    console.log(`skipped ${name}: ${skip === true || skip === '' ? 'without a reason' : skip}`);
    if (skip === true || skip === '') counts.failed++;
  });
  events.on('test:stderr', ({ message }) => process.stderr.write(message));
  events.resume();
  await new Promise((resolve) => events.once('end', resolve));
  return counts;
}

if (process.argv[1] === import.meta.filename) {
  const given = process.argv.slice(2);
  const files = given.length > 0 ? given : testFiles('.');
  const began = performance.now();
  const { passed, failed, skipped } = await runTests(files);
  console.log(
    `${files.length} files: ${passed} passed, ${failed} failed, ${skipped} skipped (${((performance.now() - began) / 1000).toFixed(0)} s)`,
  );
  if (given.length === 0 && (files.length < LEAST.files || passed < LEAST.tests)) {
    console.error(
      `At least ${LEAST.files} files and ${LEAST.tests} tests were expected: something was not built or not found.`,
    );
    process.exitCode = 1;
  }
  if (failed > 0) process.exitCode = 1;
}
