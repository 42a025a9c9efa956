import { createLab, type Lab, type LabAttack, type Scenario } from '../../src/lab/index.js';
import type { DeliveryResult } from '../../src/tls-policy/index.js';
import { observe, tapOn } from './observe.js';
import { freshResolvers, primed, senderOf } from './sender-classes.js';
import { unjudged } from './unjudged.js';

/**
 * The records of a domain, and the earlier contact of a sender with it. The sender
 * supports DANE and MTA-STS.
 */
export const columns = [
  'DANE',
  'MTA-STS cached',
  'MTA-STS first',
  'both',
  'testing',
  'none',
] as const;
type Column = (typeof columns)[number];

/**
 * Attacks and their expected outcomes, one letter for each column: V verified, U
 * unverified under TLS, C in plaintext, A to the attacker, W deferred.
 */
export interface Row {
  readonly says: string;
  readonly attacks: readonly LabAttack[];
  readonly expect: string;
}

const letters: Readonly<Partial<Record<DeliveryResult, string>>> = {
  verified: 'V',
  unverified: 'U',
  cleartext: 'C',
  'to-attacker': 'A',
  deferred: 'W',
};

/**
 * Returns the rows of an attack on the lookup of a policy, alone and with STARTTLS
 * stripped. The attack succeeds only at a first contact.
 */
const onPolicy = (says: string, attack: LabAttack): readonly Row[] => [
  { says, attacks: [attack], expect: 'VVUVUU' },
  { says: `${says}, and strip`, attacks: [attack, 'strip'], expect: 'WWCWCC' },
];

export const rows: readonly Row[] = [
  { says: 'no attacker', attacks: [], expect: 'VVVVUU' },
  { says: 'STARTTLS removed', attacks: ['strip'], expect: 'WWWWCC' },
  { says: 'STARTTLS mangled', attacks: ['mangle'], expect: 'WWWWCC' },
  { says: 'certificate swapped', attacks: ['swap-certificate'], expect: 'WWWWAA' },
  { says: 'MX forged', attacks: ['spoof-mx'], expect: 'WWWWAA' },
  { says: 'MX forged, policy denied', attacks: ['spoof-mx', 'sts-nxdomain'], expect: 'WWAWAA' },
  { says: 'addresses forged', attacks: ['spoof-address'], expect: 'WWWWAA' },
  { says: 'TLSA dropped', attacks: ['drop-tlsa'], expect: 'WVVWUU' },
  { says: 'TLSA dropped, and strip', attacks: ['drop-tlsa', 'strip'], expect: 'WWWWCC' },
  { says: 'TLSA denied', attacks: ['deny-tlsa'], expect: 'WVVWUU' },
  { says: 'TLSA denied, and strip', attacks: ['deny-tlsa', 'strip'], expect: 'WWWWCC' },
  {
    says: 'TLSA forged, certificate swapped',
    attacks: ['forge-tlsa', 'swap-certificate'],
    expect: 'WWWWAA',
  },
  ...onPolicy('_mta-sts denied', 'sts-nxdomain'),
  ...onPolicy('_mta-sts fails', 'sts-servfail'),
  ...onPolicy('policy host down', 'policy-down'),
  ...onPolicy('policy host hangs', 'policy-hangs'),
  ...onPolicy('policy 404', 'policy-not-found'),
  ...onPolicy('policy redirected', 'policy-redirects'),
  ...onPolicy('policy host, wrong certificate', 'policy-wrong-certificate'),
  { says: 'new id, old policy', attacks: ['sts-new-id'], expect: 'VVVVUU' },
  { says: 'new id, old policy, and strip', attacks: ['sts-new-id', 'strip'], expect: 'WWWWCC' },
  { says: 'new policy, stale id', attacks: ['sts-stale-id'], expect: 'VVVVUU' },
  { says: 'new policy, stale id, and strip', attacks: ['sts-stale-id', 'strip'], expect: 'WWWWCC' },
  { says: 'no more than TLS 1.0', attacks: ['tls10'], expect: 'WWWWUU' },
  { says: 'plaintext behind STARTTLS', attacks: ['inject'], expect: 'WWWWCC' },
  { says: 'protected MX blocked', attacks: ['block-first-mx'], expect: 'UWWWUU' },
  {
    says: 'protected MX blocked, and strip',
    attacks: ['block-first-mx', 'strip'],
    expect: 'CWWWCC',
  },
  {
    says: 'everything at once',
    attacks: ['strip', 'sts-servfail', 'policy-down', 'drop-tlsa'],
    expect: 'WWCWCC',
  },
];

export interface Wrong {
  readonly row: string;
  readonly column: Column;
  readonly what: string;
}

export interface MatrixResult {
  /** The observed letters of each row. */
  readonly seen: readonly (readonly [says: string, letters: string])[];
  readonly cells: number;
  readonly wrong: readonly Wrong[];
}

/**
 * Returns the domain of a cell. Every cell has a separate domain, so that the attacks do
 * not affect each other.
 */
const domainOf = (row: number, column: number): string => `r${row}-c${column}.example`;

/**
 * Sends a message to a domain of each kind under each attack, and judges its destination
 * and its plaintext.
 */
export async function runMatrix(chosen: readonly Row[] = rows): Promise<MatrixResult> {
  const cells = chosen.flatMap((row, r) =>
    columns.map((column, c) => ({ row, column, c, domain: domainOf(r, c) })),
  );
  const lab = await createLab({
    scenarios: cells.map(({ column, domain, row }) =>
      scenarioOf(column, domain, row.attacks.includes('block-first-mx')),
    ),
  });
  const letter = new Map<string, string>();
  const wrong: Wrong[] = [];
  try {
    const waiting = [...cells];
    const work = async (): Promise<void> => {
      for (let cell = waiting.shift(); cell; cell = waiting.shift()) {
        const expected = cell.row.expect[cell.c] ?? '?';
        const { seen, faults } = await runCell(
          cell.domain,
          cell.column,
          cell.row.attacks,
          expected,
          lab,
        );
        letter.set(cell.domain, seen);
        for (const what of faults) wrong.push({ row: cell.row.says, column: cell.column, what });
      }
    };
    await Promise.all(Array.from({ length: MAX_CONCURRENT }, work));
  } finally {
    await lab.close();
  }
  const seen = chosen.map(
    ({ says }, r) =>
      [says, columns.map((_, c) => letter.get(domainOf(r, c)) ?? '?').join('')] as const,
  );
  return { seen, cells: cells.length, wrong };
}

const MAX_CONCURRENT = 6;

async function runCell(
  domain: string,
  column: Column,
  attacks: readonly LabAttack[],
  expected: string,
  lab: Lab,
): Promise<{ seen: string; faults: readonly string[] }> {
  const known = await primed(domain, lab);
  const sender = column === 'MTA-STS cached' || column === 'both' ? 'bothCached' : 'bothFirst';
  const undo: (() => void)[] = [];
  for (const attack of attacks) undo.push(await lab.attack(domain, attack));
  const tap = tapOn(lab.network);
  const { outcome, inClear, heard } = await observe(
    domain,
    senderOf(sender, lab, freshResolvers(lab), known, tap.network),
    lab,
    tap,
  );
  undo.reverse().forEach((end) => end());
  const seen = letters[outcome] ?? '?';
  const carried = heard.length + inClear.length;
  const faults = [
    ...(seen === expected ? [] : [`${expected} expected, ${seen} seen`]),
    ...(inClear.length > 0 && expected !== 'C' ? [`in plaintext: ${inClear.join(' | ')}`] : []),
    ...(heard.length > 0 && expected !== 'A' && expected !== 'C'
      ? [`the attacker heard: ${heard.join(' | ')}`]
      : []),
    // The tap must have recorded the mail; otherwise the absence of plaintext in its
    // record proves nothing.
    ...((expected === 'C' || expected === 'A') && carried === 0
      ? ['mail went, but nothing was seen of it']
      : []),
  ];
  return { seen, faults };
}

/** Returns one host, or two hosts of which the policy or TLSA names only the first. */
function scenarioOf(column: Column, domain: string, two: boolean): Scenario {
  const common = unjudged(domain, column);
  const second = two ? [{ name: 'mx2' }] : [];
  const mx = [`mx.${domain}`];
  switch (column) {
    case 'DANE':
      return {
        ...common,
        zone: { signed: {} },
        hosts: [{ certificate: 'self-signed', tlsa: ['ee'] }, ...second],
      };
    case 'MTA-STS cached':
    case 'MTA-STS first':
      return { ...common, hosts: [{}, ...second], sts: { mode: 'enforce', mx } };
    case 'both':
      return {
        ...common,
        zone: { signed: {} },
        hosts: [{ tlsa: ['ee'] }, ...second],
        sts: { mode: 'enforce', mx },
      };
    case 'testing':
      return { ...common, hosts: [{}, ...second], sts: { mode: 'testing', mx } };
    case 'none':
      return { ...common, hosts: [{}, ...second] };
  }
}
