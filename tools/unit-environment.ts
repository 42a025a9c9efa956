import { readFileSync } from 'node:fs';

/** Returns the environment that the unit of the package sets. */
export function unitEnvironment(): Readonly<Record<string, string>> {
  const [, line = ''] =
    /^Environment=(.*)$/m.exec(readFileSync('packaging/hermetic.service', 'utf8')) ?? [];
  return Object.fromEntries(line.split(' ').map((pair) => pair.split('=')) as [string, string][]);
}
