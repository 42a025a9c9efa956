import type { Action, SubjectPlan } from '../../publish/index.js';

/**
 * A line of a record set or a policy file, and whether a change removes, keeps or adds
 * it.
 */
export interface ChangedLine {
  readonly change: 'remove' | 'keep' | 'add';
  readonly text: string;
}

/** One step of a plan, as the page and the API show it. */
export interface PlannedStep {
  readonly says: string;
  readonly because: string;
  readonly clause: string;
  /** The changed lines; empty for a step that changes no record and no policy file. */
  readonly changes: readonly ChangedLine[];
}

/** The plan of a domain or a mail host. Times are milliseconds since 1970. */
export interface PlannedSubject {
  readonly kind: SubjectPlan['kind'];
  readonly subject: string;
  /** The current state in one line. */
  readonly state: string;
  readonly steps: readonly PlannedStep[];
  readonly waits: readonly { readonly why: string; readonly until?: number | undefined }[];
  /** The steps that the operator must confirm with a command. */
  readonly proposals: readonly {
    readonly what: string;
    readonly why: string;
    readonly command: string;
  }[];
  readonly alerts: readonly PlanProblem[];
  readonly failures: readonly FailedStep[];
}

/** A problem that the operator must solve. */
export interface PlanProblem {
  /** The code of the failure, which `docs/errors.md` describes. */
  readonly code: string;
  readonly subject: string;
  readonly says: string;
  readonly fix: string;
}

/** An action that failed in the last round. */
export interface FailedStep extends Omit<PlanProblem, 'subject'> {
  readonly action: string;
  readonly at: number;
  /** The time of the next attempt; undefined if the operator starts each round. */
  readonly retryAt?: number | undefined;
}

/** The functions that the description of a plan needs. */
export interface PlanSources {
  /** Returns the description of an action in one line. */
  describe(action: Action): string;
  /** Returns the sentence and the fix of a failure code. */
  explain(code: string): { readonly message: string; readonly fix: string } | undefined;
  /** Returns the policy file that is currently served for a domain. */
  bodyOf(domain: string): string | undefined;
}

/**
 * Returns the description of a plan: the steps with the lines that they change, the
 * conditions to wait for, and the problems.
 */
export function describePlan(plan: SubjectPlan, sources: PlanSources): PlannedSubject {
  const { kind, subject, place, steps, waits, proposals, alerts, failures } = plan;
  const { describe, explain } = sources;
  const sentence = (code: string, detail: string): Pick<PlanProblem, 'says' | 'fix'> => {
    const { message, fix } = explain(code) ?? { message: '', fix: '' };
    return { says: [message.replace(/\.$/, ''), detail].filter(Boolean).join(': '), fix };
  };
  return {
    kind,
    subject,
    state: place,
    steps: steps.map(({ action, because, clause }) => ({
      says: describe(action),
      because,
      clause,
      changes: changesOf(action, sources),
    })),
    waits: waits.map(({ why, until }) => ({ why, until })),
    proposals: proposals.map(({ what, why, token }) => ({
      what,
      why,
      command: `hermetic publish apply --confirm ${token}`,
    })),
    alerts: alerts.map(({ code, subject: about, detail }) => ({
      code,
      subject: about,
      ...sentence(code, detail),
    })),
    failures: failures.map(({ says: action, at, code, detail, retry }) => ({
      action,
      at,
      code,
      ...sentence(code, detail),
      retryAt: retry,
    })),
  };
}

/** Returns the lines that an action removes, keeps and adds. */
function changesOf(action: Action, { bodyOf }: PlanSources): readonly ChangedLine[] {
  switch (action.kind) {
    case 'set-rrset': {
      const { name, type, from, to, ttl } = action;
      const record = (rdata: string): string => `${name}. ${ttl} IN ${type} ${rdata}`;
      return changedLines(from.map(record), to.map(record));
    }
    case 'serve-policy':
      return changedLines(linesOf(bodyOf(action.domain)), linesOf(action.body));
    case 'stop-serving':
      return changedLines(linesOf(bodyOf(action.domain)), []);
    default:
      return [];
  }
}

function linesOf(body = ''): readonly string[] {
  return body.split(/\r?\n/).filter((line) => line !== '');
}

/** Returns the removed lines, followed by all lines of the new state in their order. */
function changedLines(from: readonly string[], to: readonly string[]): readonly ChangedLine[] {
  const removed = from.filter((text) => !to.includes(text));
  return [
    ...removed.map((text): ChangedLine => ({ change: 'remove', text })),
    ...to.map((text): ChangedLine => ({ change: from.includes(text) ? 'keep' : 'add', text })),
  ];
}
