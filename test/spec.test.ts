import assert from 'node:assert/strict';
import test from 'node:test';
import {
  clauseTable,
  judgeClauses,
  readClauses,
  standardsPage,
  type Clause,
  type Register,
} from '../tools/spec.js';

const { registers, files } = readClauses();

test('every clause in scope has code and a test', () => {
  assert.deepEqual(judgeClauses(registers, files), []);
  assert.ok(
    registers.length >= 5 && registers.flatMap((r) => r.clauses).length >= 120 && files.size >= 250,
  );
});

test('every listed duty of a publisher is an implemented clause', () => {
  const many = (label: string, last: number): string[] =>
    Array.from({ length: last }, (_, i) => `P-${label}-${String(i + 1).padStart(2, '0')}`);
  const wanted = [
    ...[many('STS', 16), many('DANE', 13), many('ACME', 6), many('ARI', 2)].flat(),
    ...[many('TSIG', 1), many('UPD', 1), many('TLS', 5)].flat(),
  ];
  const done = new Set(
    registers.flatMap(({ clauses }) =>
      clauses.filter((c) => c.state === 'done').map((c) => c.alias),
    ),
  );
  assert.deepEqual(
    wanted.filter((label) => !done.has(label)),
    [],
  );
});

/**
 * An id that the real registers do not contain, concatenated so that this file does not
 * cite it.
 */
const id = ['9999', '1', '1'].join('-');
const clause: Clause = {
  id,
  section: '1',
  level: 'MUST',
  side: 'sender',
  says: 'Something has to hold.',
  state: 'done',
};

function judge(changes: Partial<Clause>, code = `[${id}]`, tested = `[${id}]`): readonly string[] {
  const made: Register = {
    rfc: 9999,
    title: 'Made up',
    text: 'Nowhere.',
    clauses: [{ ...clause, ...changes }],
  };
  return judgeClauses(
    [made],
    new Map([
      ['src/dane/a.ts', `// because ${code}`],
      ['src/dane/a.test.ts', `test('${tested} holds')`],
    ]),
  );
}

test('citations of RFCs with five digits are read, and six digits are not an RFC', () => {
  const made: Register = { rfc: 99999, title: 'Made up', text: 'Nowhere.', clauses: [] };
  const cited = (...ids: string[]): readonly string[] =>
    judgeClauses([made], new Map([['src/dane/a.ts', `// because [${ids.join(', ')}]`]]));
  const five = ['99999', '1', '1'].join('-');
  const six = ['999999', '1', '1'].join('-');
  assert.deepEqual(cited(five), [`src/dane/a.ts:1 cites [${five}], which no register has`]);
  assert.equal(cited(five, id).length, 2);
  assert.equal(cited(id, five).length, 2);
  assert.deepEqual(cited(six), []);
});

test('planted faults are found', () => {
  assert.deepEqual(judge({}), []);
  assert.deepEqual(judge({}, ''), [`${id} is done, but no code cites it`]);
  assert.deepEqual(judge({}, undefined, ''), [`${id} is done, but no test cites it`]);
  assert.deepEqual(judge({ state: 'todo' }), [
    `${id} is to do, but code and test cite it: make it done`,
  ]);
  assert.deepEqual(judge({ state: 'todo' }, ''), []);
  assert.deepEqual(judge({ state: 'exception' }), [`${id} is exception without a reason`]);
  assert.deepEqual(judge({ state: 'exception', reason: 'It would do harm.' }, '', ''), []);
  assert.deepEqual(judge({ state: 'out-of-scope' }, '', ''), [
    `${id} is out-of-scope without a reason`,
  ]);
  const unknown = ['9999', '1', '2'].join('-');
  assert.deepEqual(judge({}, `[${id}, ${unknown}]`), [
    `src/dane/a.ts:1 cites [${unknown}], which no register has`,
  ]);
  assert.deepEqual(judge({ section: '1.1' }), [
    `${id}: an id is RFC, section and number, here 9999-1.1-N`,
  ]);
  const twice: Register = {
    rfc: 9999,
    title: 'Made up',
    text: 'Nowhere.',
    clauses: [clause, clause],
  };
  assert.ok(judgeClauses([twice], new Map()).includes(`repeated ids: ${id}`));
});

test('the lab, which violates clauses deliberately, implements none', () => {
  const made: Register = { rfc: 9999, title: 'Made up', text: 'Nowhere.', clauses: [clause] };
  const lab = new Map([
    ['src/lab/a.ts', `[${id}]`],
    ['src/lab/a.test.ts', `[${id}]`],
  ]);
  assert.deepEqual(judgeClauses([made], lab), [`${id} is done, but no code cites it`]);
});

test('the table counts equal the registers', () => {
  const todo: Clause = {
    ...clause,
    id: ['9999', '1', '2'].join('-'),
    level: 'SHOULD',
    state: 'todo',
  };
  const table = clauseTable([
    { rfc: 9999, title: 'Made up', text: 'Nowhere.', clauses: [clause, todo] },
  ]);
  assert.equal(table.split('\n')[2], '| 9999 | Made up | 2 | 1 | 1 of 1 | 1 | 0 | 0 | 0 |');
});

test('the page of standards lists each omitted clause with its reason', () => {
  const exception: Clause = {
    ...clause,
    id: ['9999', '1', '2'].join('-'),
    state: 'exception',
    reason: 'Senders differ | here.',
  };
  const page = standardsPage([
    { rfc: 9999, title: 'Made up', text: 'Nowhere.', clauses: [clause, exception] },
  ]);
  assert.match(page, /## Exception\n/);
  assert.match(page, /`9999-1-2` .*Senders differ \\\| here\./);
  assert.doesNotMatch(page, /`9999-1-1`|## Todo/);
});
