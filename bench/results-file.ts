import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'bench/results.md';

/**
 * Replaces the section that begins with the same word, or appends a new one. A `title`
 * has the form `connections: ...`.
 */
export function writeResults(title: string, text: string): void {
  const sections = readFileSync(FILE, 'utf8')
    .trimEnd()
    .split(/\n(?=## )/);
  const section = `## ${title}\n\n${text.trim()}\n`;
  const word = (heading: string): string => /^## (\S+)/.exec(heading)?.[1] ?? '';
  const at = sections.findIndex((old) => word(old) === word(section));
  if (at < 0) sections.push(section);
  else sections[at] = section;
  writeFileSync(FILE, `${sections.map((old) => old.trimEnd()).join('\n\n')}\n`);
}
