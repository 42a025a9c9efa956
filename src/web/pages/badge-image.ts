import type { Verdict } from '../../evidence/index.js';
import { markup } from '../../page/index.js';

/**
 * The text and background colour for each verdict. The contrast of white text on each
 * background is above 4.5 to 1.
 */
const looks: Readonly<Record<Verdict, readonly [word: string, ground: string]>> = {
  pass: ['protected', '#1b6340'],
  warn: ['could be better', '#7a4b00'],
  fail: ['not protected', '#9c1f1f'],
  inconclusive: ['unknown', '#46515f'],
  'not-applicable': ['accepts no mail', '#46515f'],
};

/** Width of one letter in pixels, a little more than the average of the widest text. */
const LETTER = 6.6;

/**
 * Returns the verdict as a small picture (SVG), with its text as the title for screen
 * readers.
 */
export function badgeImage(verdict: Verdict): string {
  const [word, ground] = looks[verdict];
  const left = 58;
  const right = Math.round(word.length * LETTER) + 16;
  const width = left + right;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="22" role="img" aria-label="Mail TLS: ${word}">
  <title>Mail TLS: ${word}</title>
  <rect width="${width}" height="22" rx="5" fill="#2c3540"/>
  <path d="M${left} 0h${right - 5}a5 5 0 0 1 5 5v12a5 5 0 0 1-5 5h-${right - 5}z" fill="${ground}"/>
  <g fill="#fff" font-family="Verdana, DejaVu Sans, sans-serif" font-size="11">
    <text x="8" y="15">mail TLS</text>
    <text x="${left + 8}" y="15">${word}</text>
  </g>
</svg>
`.text;
}
