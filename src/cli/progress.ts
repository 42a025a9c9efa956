import { neutralise } from '../base/index.js';
import type { Output } from './output.js';

/** A line that reports progress and can be erased. */
export interface Progress {
  /** Replaces the shown step. */
  note(what: string): void;
  /** Erases the line. */
  end(): void;
}

/**
 * Returns a line on standard error with the current step, shown after one second and only
 * on a terminal.
 */
export function progress(output: Output): Progress {
  if (!output.interactive) return { note: () => undefined, end: () => undefined };
  const began = performance.now();
  let what = '';
  let shown = false;
  const draw = (): void => {
    const seconds = Math.round((performance.now() - began) / 1000);
    output.err(`\r\x1b[K${neutralise(`${seconds} s  ${what}`).slice(0, output.width - 1)}`);
    shown = true;
  };
  const timer = setInterval(draw, 1000);
  timer.unref();
  return {
    note: (text) => {
      what = text;
    },
    end: () => {
      clearInterval(timer);
      if (shown) output.err('\r\x1b[K');
    },
  };
}
