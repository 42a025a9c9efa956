import { causeRules, type FaultParty } from '../src/tls-rpt-receive/index.js';

const words: Readonly<Record<FaultParty, string>> = {
  yours: 'your side',
  theirs: 'the reporter',
  path: 'the network between',
  unclear: 'unclear',
};

/**
 * Returns docs/receive-reports.md with the rules for judging a cause between their marks.
 */
export function withRules(page: string): string {
  const rows = causeRules.map(
    ({ condition, cause }, index) => `| ${index + 1} | ${condition} | ${words[cause]} |`,
  );
  const lines = [
    '<!-- rules -->',
    '',
    '| | condition | cause |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '<!-- /rules -->',
  ];
  return page.replace(/<!-- rules -->[\s\S]*<!-- \/rules -->/, lines.join('\n'));
}
