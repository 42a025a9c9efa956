import type { Stage } from './stage.js';

/** A topic, explained in a few sentences and shown in the lab. */
export interface Topic {
  readonly name: string;
  /** Other words that lead to it. */
  readonly aliases: readonly string[];
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  /** The heading of the picture. */
  readonly caption: string;
  /** Lines of at most 78 columns where possible; played in the lab each time. */
  picture(stage: Stage): Promise<readonly string[]>;
  readonly reference: string;
  /** Names of further topics. */
  readonly see: readonly string[];
}
