/**
 * Connects the standards to the code: every clause of `spec/*.json` in scope is cited, as
 * `[8461-4.1-1]`, where it is implemented and where it is tested.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const clause = z.strictObject({
  /**
   * RFC (four or five digits), section, number in the section: `8461-4.1-3`. Never
   * reused.
   */
  id: z.string(),
  /** A label of another source for the clause. */
  alias: z.string().optional(),
  section: z.string().regex(/^[\dA-Z]+(\.\d+)*$/),
  /** A `rule` is grammar or a plain statement, which is as binding as MUST. */
  level: z.enum(['MUST', 'MUST NOT', 'SHOULD', 'SHOULD NOT', 'MAY', 'rule']),
  /**
   * The party that the clause binds: the sender of mail, the domain, the reporter, or the
   * report receiver.
   */
  side: z.enum(['sender', 'publisher', 'reporter', 'receiver']),
  /** The clause in the words of this project. */
  says: z.string().min(10),
  state: z.enum(['done', 'todo', 'exception', 'out-of-scope', 'not-applicable']),
  reason: z.string().min(10).optional(),
});

const register = z.strictObject({
  rfc: z.int(),
  title: z.string(),
  /** The source of the wording. */
  text: z.string(),
  clauses: z.array(clause).min(1),
});

export type Clause = z.infer<typeof clause>;
export type Register = z.infer<typeof register>;

/**
 * The role of a file for the clauses: the file implements them, tests them, or neither
 * (tools, and the lab, which breaks clauses on purpose).
 */
type Role = 'code' | 'test' | 'other';

/**
 * Returns the faults of the registers and of the files that cite them. A pure function;
 * `files` maps paths to texts.
 */
export function judgeClauses(
  registers: readonly Register[],
  files: ReadonlyMap<string, string>,
): readonly string[] {
  const clauses = registers.flatMap((r) => r.clauses);
  const cited: Record<Role, Set<string>> = { code: new Set(), test: new Set(), other: new Set() };
  const known = new Set(clauses.map((c) => c.id));
  const faults: string[] = [];
  for (const [file, text] of files)
    for (const { id, line } of citations(text)) {
      cited[roleOf(file)].add(id);
      if (!known.has(id)) faults.push(`${file}:${line} cites [${id}], which no register has`);
    }
  if (known.size < clauses.length)
    faults.push(`repeated ids: ${repeated(clauses.map((c) => c.id)).join(', ')}`);
  for (const { rfc, clauses: own } of registers)
    for (const one of own) {
      if (!new RegExp(`^${rfc}-${one.section.replaceAll('.', '\\.')}-\\d+$`).test(one.id))
        faults.push(`${one.id}: an id is RFC, section and number, here ${rfc}-${one.section}-N`);
      faults.push(
        ...judgeState(one, cited.code.has(one.id), cited.test.has(one.id)).map(
          (says) => `${one.id} ${says}`,
        ),
      );
    }
  return faults;
}

function judgeState(
  { state, reason }: Clause,
  inCode: boolean,
  inTest: boolean,
): readonly string[] {
  switch (state) {
    case 'done':
      return [
        ...(inCode ? [] : ['is done, but no code cites it']),
        ...(inTest ? [] : ['is done, but no test cites it']),
      ];
    case 'todo':
      return inCode && inTest ? ['is to do, but code and test cite it: make it done'] : [];
    default:
      return reason === undefined ? [`is ${state} without a reason`] : [];
  }
}

/**
 * Returns one row for each RFC, as Markdown. The column MUST counts MUST, MUST NOT and
 * rules in scope. The other columns count every level.
 */
export function clauseTable(registers: readonly Register[]): string {
  const columns = [
    'RFC',
    'what',
    'clauses',
    'done',
    'of them MUST',
    'to do',
    'exception',
    'out of scope',
    'not applicable',
  ];
  const rows = registers.map(({ rfc, title, clauses }) => {
    const count = (state: Clause['state']): number =>
      clauses.filter((c) => c.state === state).length;
    const musts = clauses.filter(
      (c) =>
        ['MUST', 'MUST NOT', 'rule'].includes(c.level) &&
        ['done', 'todo', 'exception'].includes(c.state),
    );
    const met = `${musts.filter((c) => c.state === 'done').length} of ${musts.length}`;
    const cells = [rfc, title, clauses.length, count('done'), met, count('todo')];
    return [...cells, count('exception'), count('out-of-scope'), count('not-applicable')];
  });
  return [columns, columns.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function citations(text: string): readonly { readonly id: string; readonly line: number }[] {
  return text
    .split('\n')
    .flatMap((content, index) =>
      [...content.matchAll(/\[(\d{4,5}-[\dA-Z.]+-\d+(?:, \d{4,5}-[\dA-Z.]+-\d+)*)\]/g)].flatMap(
        ([, ids]) => (ids ?? '').split(', ').map((id) => ({ id, line: index + 1 })),
      ),
    );
}

function roleOf(file: string): Role {
  if (file.endsWith('.test.ts')) return 'test';
  return file.startsWith('src/') && !file.startsWith('src/lab/') && !/\/testing[/-]/.test(file)
    ? 'code'
    : 'other';
}

function repeated(ids: readonly string[]): readonly string[] {
  return ids.filter((id, index) => ids.indexOf(id) < index);
}

/** Returns the registers and the sources that cite them. */
export function readClauses(root = '.'): {
  readonly registers: readonly Register[];
  readonly files: ReadonlyMap<string, string>;
} {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const registers = readdirSync(join(root, 'spec'))
    .filter((file) => file.endsWith('.json'))
    .map((file) => register.parse(JSON.parse(read(`spec/${file}`))))
    .sort((a, b) => a.rfc - b.rfc);
  const sources = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  return {
    registers,
    files: new Map(sources.filter((f) => f.endsWith('.ts')).map((f) => [f, read(f)])),
  };
}

const openStates = {
  exception: 'Hermetic departs from these clauses on purpose.',
  'out-of-scope': 'These clauses concern a task that Hermetic does not have.',
  'not-applicable': 'These clauses have a condition that does not occur.',
  todo: 'These clauses have no code yet.',
} as const;

/**
 * Returns `docs/standards.md`: the counts, and every clause that is not done, with its
 * reason.
 */
export function standardsPage(registers: readonly Register[]): string {
  const clauses = registers.flatMap((one) => one.clauses);
  const sections = Object.entries(openStates).flatMap(([state, says]) => {
    const own = clauses.filter((one) => one.state === state);
    if (own.length === 0) return [];
    const rows = own.map(({ id, level, says: text, reason = '' }) =>
      [`\`${id}\``, level, text, reason].map((cell) => cell.replaceAll('|', '\\|')).join(' | '),
    );
    const head = `## ${state[0]?.toUpperCase() ?? ''}${state.slice(1).replaceAll('-', ' ')}`;
    return [
      `${head}\n\n${says}`,
      ['clause | level | text | reason', '--- | --- | --- | ---', ...rows]
        .map((row) => `| ${row} |`)
        .join('\n'),
    ];
  });
  const text = [
    '# Standards',
    'Generated from `spec` by `node dist/tools/generated.js`.',
    'Every clause in scope has an id and an entry in `spec`. Code and a test cite it. `npm run spec` lists the\nclauses that lack a citation. The column of MUST counts MUST, MUST NOT and rules.',
    clauseTable(registers),
    ...sections,
  ].join('\n\n');
  return `${text}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const { registers, files } = readClauses();
  const faults = judgeClauses(registers, files);
  console.log(clauseTable(registers));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
