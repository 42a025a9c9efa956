import type { ScanNumbers } from '../../src/web/index.js';

const pages = ['overview', 'starttls', 'mta-sts', 'dane', 'classes'];

/** A finished scan whose names need escaping. */
export const finishedScan = {
  id: 7,
  list: 'Tranco <top>',
  citedAs: 'ABCD',
  domains: 1000,
  startedAt: new Date('2026-11-01T08:00:00Z'),
  finishedAt: new Date('2026-11-01T09:00:00Z'),
};

/**
 * Numbers of a scan: on each page two shares are 75 %, and one in five answers is
 * unknown.
 */
export const sampleNumbers = {
  scan: finishedScan,
  pages: pages.map((name) => ({
    name,
    numbers: [`with a property of ${name}`, `with another property of ${name}`].map(
      (says, index) => ({
        id: `${name}-${index}`,
        says,
        of: `base of ${name}`,
        domains: { n: 3, of: 4, unknown: 1 },
        mailHosts: { n: 1, of: 2, unknown: 0 },
        operators: { n: 0, of: 0, unknown: 1 },
      }),
    ),
  })),
  operators: [{ name: 'outlook.com', domains: 400 }],
  method: {
    ...{ visited: 148_002, inferred: 71_204, unreached: 12, optedOut: 3 },
    ...{ checked: 712, wrong: 1, errorAtMost: 0.0079 },
  },
} satisfies ScanNumbers;
