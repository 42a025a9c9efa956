import type { Tone } from '../words.js';
import { markup, type Markup } from './markup.js';

/** A short word on a coloured ground, in a list or alone. */
export function chip(text: string, tone: Tone, element: 'li' | 'span' = 'li'): Markup {
  return element === 'li'
    ? markup`<li class="badge ${tone}">${text}</li>`
    : markup`<span class="badge ${tone}">${text}</span>`;
}
