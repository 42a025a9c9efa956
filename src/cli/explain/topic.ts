import type { Stage } from './stage.js';

/** A subject, told in a few sentences and shown in the lab. */
export interface Topic {
  readonly name: string;
  /** Other words it goes by. */
  readonly aliases: readonly string[];
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  /** What the picture shows, as a heading over it. */
  readonly caption: string;
  /** Lines of at most 78 columns where they can be; played anew every time. */
  picture(stage: Stage): Promise<readonly string[]>;
  readonly reference: string;
  /** Names of further topics. */
  readonly see: readonly string[];
}
