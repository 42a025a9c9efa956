/**
 * Finds the TLS features of a server with as few connections as possible: plans the next
 * hello from the facts that are still unknown, one connection per answer. The plan and
 * the summary are pure. The caller opens the connections.
 */
export { runProbes, type RunOptions } from './run.js';
export { nextQuestion } from './plan.js';
export { summarise } from './summarise.js';
export { isLost, LARGE_HELLO, type LargeHello, type LargeHelloResult } from './large-hello.js';
export { infer, type Inference } from './inference.js';
export { evaluate, settleKey, type AskResult } from './evaluate.js';
export { askHello, type AskHelloRequest } from './ask-hello.js';
export {
  helloFor,
  only,
  suites12,
  suites13,
  suitesOld,
  groups12,
  groups13,
  type TlsQuestion,
  type QuestionTopic,
  type HelloVersion,
  type OldVersion,
} from './question.js';
export type { TlsAnswer, ProbeRecord } from './answer.js';
export type { Ask, Goals } from './goals.js';
export type { Inventory, Tristate } from './inventory.js';
