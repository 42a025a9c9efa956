import type { TlsAnswer, ProbeRecord } from './answer.js';
import type { Goals } from './goals.js';
import { isLost } from './large-hello.js';
import { nextQuestion } from './plan.js';
import type { TlsQuestion } from './question.js';

/** The goals, budget and connection function of one probe run. */
export interface RunOptions {
  /**
   * Opens one connection. The answer `none` ends the run, because the server may limit
   * the connections of this client.
   */
  ask(question: TlsQuestion): Promise<TlsAnswer>;
  readonly goals: Goals;
  /** Earlier observations: a completed handshake, or the log of an interrupted run. */
  readonly log?: readonly ProbeRecord[];
  /** Maximum connections of this run. */
  readonly budget: number;
}

/**
 * Probes one server until the goals are met, the budget is spent or the server stops
 * answering. Opens one connection at a time and returns the whole log.
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
    // The loss of a large hello is a result. Any other missing answer ends the run.
    if (answer.kind === 'none' && !isLost({ question, answer })) break;
    records.push({ question, answer });
  }
  return records;
}
