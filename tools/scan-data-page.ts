import { format } from 'prettier';
import {
  classIds,
  classRegistry,
  dataDictionary,
  statisticDefinitions,
  type MisconfigurationClass,
} from '../src/scan/index.js';

/** Returns `docs/scan-data.md`: the columns, the classes and the statistics of a scan. */
export function scanDataPage(): Promise<string> {
  const classes = classIds.map((id) => {
    const { bit, says, findings }: MisconfigurationClass = classRegistry[id];
    const from = findings.map((finding) => `\`${finding}\``).join(', ');
    return `| \`${id}\` | ${bit} | ${says} | ${from} |`;
  });
  const statistics = statisticDefinitions
    .filter(({ page }) => page !== 'classes')
    .map(({ id, page, says, of }) => `| \`${id}\` | ${page} | domains ${says} | ${of} |`);
  const text = `# Data of a scan

Generated from the definitions in the code by \`node dist/tools/generated.js\`.

## Exports

JSON lines contain one \`hermetic.scan-result/1\` each: see \`schemas/hermetic.scan-result-1.json\`. CSV and Parquet contain
the columns below. Lists are text with spaces between the items. In CSV, a cell that a spreadsheet would run as a formula
begins with an apostrophe. Columns are added, never renamed or removed.

${dataDictionary()}

## Classes of misconfiguration

A domain belongs to a class if it has one of the findings. \`hermetic explain FINDING\` describes them. A class without
findings follows from the policy, its failures or the exposure. The groups are those of published measurements of DANE and
MTA-STS.

| class | bit | domains with | findings |
|---|---|---|---|
${classes.join('\n')}

## Statistics

Each number states the units that it counts, of how many, and the share of unknown answers. Unknown answers are in neither
number. Every statistic is counted three times:

- by domain;
- by mail host: a host counts if at least half of its domains with an answer have the property;
- by operator of mail hosts, in the same way. A domain with hosts of its own counts as one operator.

| statistic | page | number | of the domains |
|---|---|---|---|
${statistics.join('\n')}

Each class is a statistic as well.
`;
  return format(text, { parser: 'markdown', printWidth: 120 });
}
