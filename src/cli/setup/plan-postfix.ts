import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HermeticError } from '../../base/index.js';
import { fileHeader, type PlannedFile } from './job-file.js';
import { programError, type Machine } from './machine.js';
import {
  MAP_ADDRESS,
  NEEDED_SETTINGS,
  POLICY_MAP,
  POSTFIX_FOLDER,
  readPostfixFacts,
} from './postfix-facts.js';

const MAIN_CF = `${POSTFIX_FOLDER}/main.cf`;

/**
 * Plans the files that make Postfix enforce policies. The daemon's file is first: Postfix
 * defers all mail while a map of its configuration does not answer.
 */
export function planPostfix(machine: Machine): readonly PlannedFile[] {
  const { version, resolvConf, policyMaps } = readPostfixFacts(machine);
  const others = policyMaps.filter((map) => map !== POLICY_MAP);
  return [
    {
      path: '/etc/hermetic/conf.d/postfix.yaml',
      purpose: 'answers the policy lookups of Postfix',
      text: `${fileHeader('postfix', 'docs/serve.md')}postfix:
  listen: ${MAP_ADDRESS}
  # Keep the quotes. An answer must not contain attributes that this version does not know.
  version: "${version}"
  # The resolv.conf that the SMTP client of Postfix reads.
  resolver: {file: ${resolvConf}}
`,
    },
    {
      path: MAIN_CF,
      purpose: 'asks the daemon for the TLS policy of each destination',
      // Maps of the operator come first, so their exceptions stay in force.
      text: editMainCf(machine, {
        ...NEEDED_SETTINGS,
        smtp_tls_policy_maps: [...others, POLICY_MAP].join(', '),
      }),
    },
  ];
}

/** Returns the content of main.cf with these settings, edited by `postconf` in a copy. */
function editMainCf(machine: Machine, settings: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hermetic-setup-'));
  try {
    cpSync(machine.path(MAIN_CF), join(folder, 'main.cf'));
    const edits = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
    const { status, err } = machine.run(['postconf', '-c', folder, '-e', ...edits]);
    if (status !== 0)
      throw new HermeticError('postfix-unreadable', programError('postconf', err), {
        fix: 'Correct main.cf.',
      });
    return readFileSync(join(folder, 'main.cf'), 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
