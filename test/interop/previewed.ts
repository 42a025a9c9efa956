import { spawnSync } from 'node:child_process';

/**
 * One policy of a report that would be sent, with the members that tests compare (RFC
 * 8460 §4.4).
 */
export interface ReportedPolicy {
  readonly policy: {
    readonly 'policy-type': string;
    readonly 'policy-domain': string;
    readonly 'policy-string'?: readonly string[];
  };
  readonly summary: {
    readonly 'total-successful-session-count': number;
    readonly 'total-failure-session-count': number;
  };
  readonly 'failure-details'?: readonly {
    readonly 'result-type': string;
    readonly 'receiving-mx-hostname'?: string;
    readonly 'receiving-mx-helo'?: string;
  }[];
}

/** Returns the policies in the output of `hermetic report preview`. */
export function previewed(config: string): readonly ReportedPolicy[] {
  const { stdout } = spawnSync(
    process.execPath,
    ['dist/src/cli/main.js', 'report', 'preview', '--json', '--config', config],
    {
      encoding: 'utf8',
    },
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .flatMap(
      (line) =>
        (JSON.parse(line) as { report: { policies: readonly ReportedPolicy[] } }).report.policies,
    );
}
