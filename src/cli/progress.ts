import { neutralise } from '../base/index.js';
import type { Output } from './output.js';

/**
 * One line on standard error that says what is waited for, from the second second on and
 * only on a terminal.
 */
export function progress(output: Output): { note(what: string): void; end(): void } {
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
