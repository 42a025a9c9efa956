import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';
import { grade, profiles } from '../src/check/index.js';
import { evidenceSchema, type Evidence } from '../src/evidence/index.js';
import { createLab } from '../src/lab/index.js';
import { checkDomains } from '../src/cli/check-domains.js';

const FOLDER = 'test/vectors/evidence';

/**
 * The result of every profile, by name and date, for each domain: its verdict, and the
 * rules at fail and warn.
 */
export type Grades = Readonly<Record<string, Readonly<Record<string, string>>>>;

export function gradesOf(kept: readonly Evidence[]): Grades {
  return Object.fromEntries(
    profiles.map((profile) => [
      `${profile.name} of ${profile.date}`,
      Object.fromEntries(
        kept.map((evidence) => {
          const { verdict, findings } = grade(evidence, profile);
          const at = (severity: string): string => {
            const ids = [
              ...new Set(findings.filter((f) => f.severity === severity).map((f) => f.id)),
            ].sort();
            return ids.length > 0 ? `; ${severity} ${ids.join(' ')}` : '';
          };
          return [evidence.domain, `${verdict}${at('fail')}${at('warn')}`];
        }),
      ),
    ]),
  );
}

/**
 * Returns the saved sets of evidence, each with its grades at the time of the save.
 * Throws if a set no longer satisfies the schema.
 */
export function keptEvidence(): readonly {
  readonly name: string;
  readonly evidence: readonly Evidence[];
  readonly grades: Grades;
}[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.jsonl.br'))
    .map((file) => {
      const name = file.replace('.jsonl.br', '');
      const lines = brotliDecompressSync(readFileSync(join(FOLDER, file)))
        .toString()
        .split('\n');
      const evidence = lines
        .filter((line) => line !== '')
        .map((line) => evidenceSchema.parse(JSON.parse(line)) as Evidence);
      return {
        name,
        evidence,
        grades: JSON.parse(readFileSync(join(FOLDER, `${name}.grades.json`), 'utf8')) as Grades,
      };
    });
}

/** Saves a new set. */
export function keep(name: string, evidence: readonly Evidence[]): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(
    join(FOLDER, `${name}.jsonl.br`),
    brotliCompressSync(evidence.map((e) => `${JSON.stringify(e)}\n`).join('')),
  );
  writeGrades(name, gradesOf(evidence));
}

function writeGrades(name: string, grades: Grades): void {
  writeFileSync(join(FOLDER, `${name}.grades.json`), `${JSON.stringify(grades, null, 2)}\n`);
}

/** Returns the inventory of every domain of the lab, with its attackers. */
async function labEvidence(): Promise<readonly Evidence[]> {
  const lab = await createLab();
  try {
    return await Promise.all(
      checkDomains(
        lab,
        lab.scenarios.map(({ domain }) => domain),
        { depth: 'inventory', intrusive: true },
      ),
    );
  } finally {
    await lab.close();
  }
}

// `node dist/tools/kept-evidence.js` saves the current lab; with `--grades` it writes the
// grades of the current profiles for the saved evidence.
if (process.argv[1] === import.meta.filename) {
  if (process.argv.includes('--grades'))
    for (const { name, evidence, grades } of keptEvidence())
      writeGrades(name, { ...grades, ...gradesOf(evidence) });
  else keep(`lab-${new Date().toISOString().slice(0, 10)}`, await labEvidence());
}
