import type { ServerFlight } from '../wire/index.js';
import type { TlsQuestion } from './question.js';

/**
 * The answer to one question. `refused`: an alert, or an orderly end without an alert.
 * `none`: no answer (rate limit, timeout, no TCP connection), which proves nothing.
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
 * One question with its answer: one TCP connection. The log of these records is the
 * planner's only state.
 */
export interface ProbeRecord {
  readonly question: TlsQuestion;
  readonly answer: TlsAnswer;
}
