import type { Comparison, Direction } from '../../evidence/index.js';
import { wrap } from '../../base/index.js';

/** The heading of each direction. The order of the keys is the order of the report. */
export const directionNames: Readonly<Record<Direction, string>> = {
  worse: 'Worse',
  unclear: 'Can no longer be determined',
  better: 'Better',
  changed: 'Changed, neither better nor worse',
};

/**
 * Renders the differences of two results, worse ones first, subject by subject, in lines
 * of 60 to 120 columns. Foreign text is neutralised. Ends with a line feed.
 */
export function renderChanges(
  { domain, before, after, changes }: Comparison,
  lineWidth = 80,
): string {
  const columns = Math.min(120, Math.max(60, lineWidth));
  const head = wrap(`${domain}  ${before} -> ${after}`, columns);
  if (changes.length === 0) return `${head.join('\n')}\n\nNo differences.\n`;
  const blocks = (Object.keys(directionNames) as Direction[]).flatMap((direction) => {
    const those = changes.filter((factChange) => factChange.direction === direction);
    if (those.length === 0) return [];
    const subjects = [...new Set(those.map((factChange) => factChange.subject))];
    const outputLines = subjects.flatMap((subject) => [
      ...wrap(subject, columns, '  '),
      ...those
        .filter((factChange) => factChange.subject === subject)
        .flatMap((factChange) =>
          wrap(
            `${factChange.what}: ${factChange.before} -> ${factChange.after}`,
            columns,
            '    ',
            '      ',
          ),
        ),
    ]);
    return [[directionNames[direction], ...outputLines].join('\n')];
  });
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}
