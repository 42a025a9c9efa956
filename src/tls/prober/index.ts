/**
 * Finds out what TLS a server speaks with as few connections as can be: plans the next hello from what is still unknown, one connection an answer.
 * The plan and the summary are pure; the caller spends the connections.
 */
export { runProbes, type RunOptions } from './run.js';
export { nextQuestion } from './plan.js';
export { summarise } from './summarise.js';
export { isLost, LARGE_HELLO, type LargeHello } from './large-hello.js';
export { prove, type Proven } from './proven.js';
export { settle, settleKey, type Verdict } from './settle.js';
export { askHello, type AskHelloRequest } from './ask-hello.js';
export {
  helloFor,
  only,
  suites12,
  suites13,
  suitesOld,
  groups12,
  groups13,
  type Question,
  type Topic,
  type HelloVersion,
  type OldVersion,
} from './question.js';
export type { Answer, ProbeRecord } from './answer.js';
export type { Ask, Goals } from './goals.js';
export type { Inventory, Settled } from './inventory.js';
