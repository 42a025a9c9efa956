import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

/** A file with its new content, without the way to activate it. */
export interface PlannedFile {
  readonly path: string;
  readonly text: string;
  readonly purpose: string;
}

/**
 * The JSON Schema of the configuration in this installation; editors read it. The URL
 * names the folder, because a package links the folder and does not contain the file
 * twice.
 */
const SCHEMA = join(
  fileURLToPath(new URL('../../../../schemas', import.meta.url)),
  'hermetic.yaml.json',
);

/**
 * Returns the first lines of a file that setup writes. The second line is for the YAML
 * language server of editors, which then completes and checks keys.
 */
export function fileHeader(use: string, page: string): string {
  return `# Written by hermetic setup ${use}. All keys: ${page}
# yaml-language-server: $schema=${SCHEMA}
`;
}

/** Returns the file of one use in `conf.d`, with whole sections. */
export function jobFile(use: string, purpose: string, sections: object): PlannedFile {
  return {
    path: `/etc/hermetic/conf.d/${use}.yaml`,
    purpose,
    text: fileHeader(use, pages[use] ?? 'docs/serve.md') + stringify(sections, { lineWidth: 0 }),
  };
}

const pages: Readonly<Record<string, string>> = {
  publish: 'docs/publish.md',
  report: 'docs/receive-reports.md',
  watch: 'docs/watch.md',
};
