import type { Stage } from './stage.js';

/**
 * A topic, explained in a few sentences and demonstrated in the lab.
 *
 * A topic states the mechanism and its limit, never advice alone. The code that checks,
 * sends and validates also produces the picture, so a change of its behaviour changes the
 * picture.
 */
export interface ExplainTopic {
  /** The word that selects the topic on the command line. */
  readonly name: string;
  /** Other words that select the topic. */
  readonly aliases: readonly string[];
  /** One line for the list of topics and the head of the page. */
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  /** The heading of the picture. */
  readonly caption: string;
  /**
   * Returns the lines of the picture, of at most 78 columns if possible. Each call
   * produces them in the lab.
   */
  picture(stage: Stage): Promise<readonly string[]>;
  /** Clauses on which the text is based. */
  readonly reference: string;
  /** Names of further topics. */
  readonly see: readonly string[];
}
