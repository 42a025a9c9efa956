import type { TlsAnswer, ProbeRecord } from './answer.js';
import type { Goals } from './goals.js';
import { isLost } from './large-hello.js';
import { nextQuestion } from './plan.js';
import type { TlsQuestion } from './question.js';

export interface RunOptions {
  /**
   * Spends one connection. `none` ends the run: whoever limits us is not asked again now.
   */
  ask(question: TlsQuestion): Promise<TlsAnswer>;
  readonly goals: Goals;
  /**
   * What is known already: a completed handshake, or the log of a run that was cut short.
   */
  readonly log?: readonly ProbeRecord[];
  /** Connections this run may spend. */
  readonly budget: number;
}

/**
 * Asks until the goals are met, the budget is spent or the server will not answer, one
 * connection at a time. Returns the whole log.
 */
export async function runProbes({
  ask,
  goals,
  log = [],
  budget,
}: RunOptions): Promise<readonly ProbeRecord[]> {
  const records = [...log];
  for (let spent = 0; spent < budget; spent++) {
    const question = nextQuestion(records, goals);
    if (!question) break;
    const answer = await ask(question);
    // A large hello that is lost says something by itself; any other silence ends the
    // run.
    if (answer.kind === 'none' && !isLost({ question, answer })) break;
    records.push({ question, answer });
  }
  return records;
}
