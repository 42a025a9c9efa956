import assert from 'node:assert/strict';
import { check, scorecard, type CheckOptions } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab, type DnsFault, type Scenario } from '../../src/lab/index.js';
import { unjudged } from '../../tools/attacks/unjudged.js';
import { scriptedServer, type Replies } from './scripted-smtp.js';

/** The domain that {@link look} checks. */
export const domain = 'one.example';

/** A scenario of the domain, with DNS faults, a scripted server and further domains. */
export interface World extends Partial<Scenario> {
  readonly faults?: Readonly<Record<string, DnsFault>>;
  readonly replies?: (connection: number) => Replies;
  readonly beside?: readonly (Partial<Scenario> & Pick<Scenario, 'domain'>)[];
}

/** Checks the domain in a separate lab. */
export async function look(
  { faults = {}, replies, beside = [], ...parts }: World,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const others = beside.map((other) => ({ ...unjudged(other.domain), ...other }));
  const lab = await createLab({ scenarios: [{ ...unjudged(domain), ...parts }, ...others] });
  const end = replies === undefined ? undefined : await scriptedServer(lab, replies);
  try {
    for (const [question, fault] of Object.entries(faults)) lab.fault(question, fault);
    return await check(domain, { ...labOptions(lab), ...options });
  } finally {
    end?.();
    await lab.close();
  }
}

/** Returns the ids of the findings of some severities. */
export const ids = ({ findings }: CheckResult, ...severities: readonly string[]): string[] =>
  findings.filter((f) => severities.includes(f.severity)).map((f) => f.id);

/** Returns the finding with this id, which must be among the findings. */
export const found = ({ findings }: CheckResult, id: string): CheckResult['findings'][number] => {
  const finding = findings.find((f) => f.id === id);
  assert.ok(finding, `${id} among ${findings.map((f) => f.id).join()}`);
  return finding;
};

/** Returns mark and value of one row of the scorecard. */
export const scored = (result: CheckResult, topic: string): string => {
  const row = scorecard(result).find((score) => score.topic === topic);
  return `${row?.mark} ${row?.value}`;
};

/** Returns the steps of all findings as one text. */
export const steps = ({ findings }: CheckResult): string =>
  findings.flatMap((f) => f.steps.map((s) => s.text)).join('\n');
