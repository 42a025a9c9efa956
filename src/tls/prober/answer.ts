import type { ServerFlight } from '../wire/index.js';
import type { TlsQuestion } from './question.js';

/**
 * What came back. `refused`: an alert, or an orderly end without one. `none`: no answer
 * to this question was had (rate limit, time-out, no TCP connection): nothing may be
 * concluded from it.
 */
export type TlsAnswer =
  | { readonly kind: 'hello'; readonly flight: ServerFlight }
  | { readonly kind: 'refused'; readonly alert?: number }
  | { readonly kind: 'ssl2'; readonly ciphers: readonly number[] }
  | {
      readonly kind: 'handshake';
      readonly chain: readonly Uint8Array[];
      readonly version: string;
      readonly suite: string;
      readonly group?: string;
    }
  | { readonly kind: 'none'; readonly reason: string };

/**
 * A question and its answer: one TCP connection. The log of these is all the planner
 * knows.
 */
export interface ProbeRecord {
  readonly question: TlsQuestion;
  readonly answer: TlsAnswer;
}
