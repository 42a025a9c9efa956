import {
  baseline,
  gradedAsks,
  profiles,
  undatedNames,
  type FindingId,
  type Profile,
  type Rule,
} from '../src/check/index.js';

/**
 * Returns `docs/profiles.md`: the source of each profile, and its grade of each finding.
 */
export function profilesPage(): string {
  const names = profiles.map((p) => p.name);
  const ids = Object.keys(baseline.rules) as FindingId[];
  return `${[
    '# Profiles',
    '',
    'Generated from the profiles in the code by `node dist/tools/generated.js`.',
    '',
    'A profile is data. It has a severity and a clause for every finding, and a source with its date. It',
    'also lists the suites, groups, versions and keys that it grades.',
    '',
    '`hermetic check --profile NAME` asks a server for the facts that the profile grades.',
    '`hermetic grade FILE --profile NAME` grades saved evidence offline. Evidence of depth `inventory`',
    'supports all profiles. If the evidence lacks a fact that could worsen the verdict, the verdict is',
    'inconclusive. Grading never guesses a fact.',
    '',
    table(
      ['profile', 'source', 'date'],
      profiles.map((p) => [`\`${p.name}\``, p.source, p.date]),
    ),
    '',
    'Each edition has a name with its date. A name without a date stands for one edition. Results name that edition:',
    '',
    table(
      ['name', 'stands for'],
      [...undatedNames].map(([name, profile]) => [`\`${name}\``, `\`${profile.name}\``]),
    ),
    '',
    'Your own profile is a JSON file, `--profile FILE.json`. Its values replace those of the profile that it extends:',
    '',
    '```json',
    JSON.stringify(
      {
        name: 'example-com',
        source: 'Mail policy of example.com',
        date: '2026-11',
        extends: 'baseline',
        rules: { 'no-enforcement': { severity: 'fail', clause: 'mail policy 4' } },
        tls: {
          required: ['TLSv1.3'],
          dheBits: 3072,
          sets: [{ finding: 'tls-weak-suite', suites: ['TLS_RSA_WITH_RC4_128_SHA'] }],
        },
      },
      null,
      2,
    ),
    '```',
    '',
    '## Limits',
    '',
    table(
      ['', ...names],
      [
        [
          'versions that cause a finding',
          ...profiles.map((p) => Object.keys(p.tls.versions).join(', ')),
        ],
        ['required versions', ...profiles.map((p) => p.tls.required.join(', '))],
        [
          'RSA keys, bits below',
          ...profiles.map((p) => p.keys.map((k) => `${k.rsaBelow} (\`${k.finding}\`)`).join(', ')),
        ],
        ['finite-field groups, bits below', ...profiles.map((p) => String(p.tls.dheBits ?? ''))],
        [
          'near expiry',
          ...profiles.map(
            (p) =>
              `1/${Math.round(1 / p.nearExpiry.share)} of the lifetime, ${p.nearExpiry.days} days`,
          ),
        ],
        ['DANE', ...profiles.map((p) => (p.requiresDane ? 'required of every domain' : ''))],
      ],
    ),
    '',
    '## Severities',
    '',
    'A cell with several severities lists them in this order: no policy, MTA-STS testing, MTA-STS enforce,',
    'DANE-TA, DANE-EE. The severity of the mechanism in force counts. If several mechanisms are in force,',
    'the worst severity counts. A profile does not grade an empty cell. Depth is the lowest depth that',
    'observes the finding.',
    '',
    table(
      ['finding', 'depth', ...names],
      ids.map((id) => [`\`${id}\``, depthOf(id), ...profiles.map((p) => cell(p, id))]),
    ),
    '',
    '## Clauses',
    '',
    'The table shows the clauses of `baseline`. Other profiles have an entry only where they differ.',
    '',
    table(
      ['finding', ...names],
      ids.map((id) => [`\`${id}\``, ...profiles.map((p) => clause(p, id))]),
    ),
  ].join('\n')}\n`;
}

function depthOf(id: FindingId): string {
  return profiles.map((p) => p.rules[id].depth).find((depth) => depth !== undefined) ?? 'triage';
}

function cell(profile: Profile, id: FindingId): string {
  const { severity, whenAll } = profile.rules[id];
  if (!asked(profile, id)) return '';
  if (typeof severity !== 'string') return Object.values(severity).join(', ');
  return whenAll ? `${severity}, ${whenAll} when all` : severity;
}

function clause(profile: Profile, id: FindingId): string {
  const rule: Rule = profile.rules[id];
  return asked(profile, id) && (profile === baseline || rule !== baseline.rules[id])
    ? rule.clause
    : '';
}

/** Checks raise TLS findings only for the questions of a profile. */
function asked({ tls, keys, requiresDane }: Profile, id: FindingId): boolean {
  const optional = [
    ...profiles.flatMap((p) => [
      ...findingsOfAsks(p),
      ...features(p),
      ...p.keys.map((k) => k.finding),
    ]),
    'tls-missing-version',
    'dane-required',
  ];
  if (!optional.includes(id)) return true;
  return (
    findingsOfAsks({ tls }).includes(id) ||
    features({ tls }).includes(id) ||
    keys.some((k) => k.finding === id) ||
    (id === 'tls-missing-version' && tls.required.length > 0) ||
    (id === 'dane-required' && requiresDane === true)
  );
}

function findingsOfAsks({ tls }: Pick<Profile, 'tls'>): readonly FindingId[] {
  return gradedAsks(tls).flatMap(({ finding, apart }) =>
    apart ? [finding, apart.finding] : [finding],
  );
}

function features({ tls }: Pick<Profile, 'tls'>): readonly FindingId[] {
  return [tls.compression, tls.extendedMasterSecret, tls.secureRenegotiation].flatMap(
    (id) => id ?? [],
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
}
