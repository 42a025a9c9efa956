import type { Comparison, Direction } from '../../evidence/index.js';
import { wrap } from '../../base/index.js';

const titles: Readonly<Record<Direction, string>> = {
  worse: 'Worse',
  unclear: 'Can no longer be determined',
  better: 'Better',
  changed: 'Changed, neither better nor worse',
};

/** The differences, worse first, subject by subject. Ends with a line feed. */
export function renderChanges({ domain, before, after, changes }: Comparison, width = 80): string {
  const columns = Math.min(120, Math.max(60, width));
  const head = wrap(`${domain}  ${before} -> ${after}`, columns);
  if (changes.length === 0) return `${head.join('\n')}\n\nNothing is different.\n`;
  const blocks = (Object.keys(titles) as Direction[]).flatMap((direction) => {
    const those = changes.filter((c) => c.direction === direction);
    if (those.length === 0) return [];
    const subjects = [...new Set(those.map((c) => c.subject))];
    const lines = subjects.flatMap((subject) => [
      ...wrap(subject, columns, '  '),
      ...those
        .filter((c) => c.subject === subject)
        .flatMap((c) => wrap(`${c.what}: ${c.before} -> ${c.after}`, columns, '    ', '      ')),
    ]);
    return [[titles[direction], ...lines].join('\n')];
  });
  return `${[head.join('\n'), ...blocks].join('\n\n')}\n`;
}
