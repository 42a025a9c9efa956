/**
 * How good or bad something is. It chooses the colour of a component, which is never the
 * only sign: the word or the mark says the same.
 */
export type Tone = 'good' | 'fair' | 'bad' | 'quiet';
