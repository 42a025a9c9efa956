/**
 * The judgement that chooses the colour of a component: `good`, `fair`, `bad`, or `quiet`
 * for facts that are neither. Colour is never the only sign: the word or the mark says
 * the same (WCAG 2.2, 1.4.1).
 */
export type Tone = 'good' | 'fair' | 'bad' | 'quiet';
