import type { Command } from 'commander';
import { HermeticError, nearest, wrap, type FailureEntry } from '../../base/index.js';
import { catalogue, describeFinding, ownerNames, type FindingId } from '../../check/index.js';
import type { ExplainTopic } from '../explain/topic.js';
import { exitCodes } from '../exit-codes.js';
import { failureCodes, findFailure } from '../../catalogue/index.js';
import { addHelpPage } from '../help.js';
import type { CommandContext } from '../output.js';
import { progress } from '../progress.js';

/**
 * Defines `hermetic explain`, which explains a topic of mail TLS in a few sentences and
 * demonstrates it in the lab, or explains a code that was printed.
 *
 * Network: none. For a topic, the command opens the lab in this process and draws a
 * picture from the lab. For a finding or failure code, the command prints the catalogue
 * entry. Standard output: the text. Exit status: 0, or 2 for a word that is neither a
 * topic nor a code.
 */
export function defineExplain(command: Command, context: CommandContext): void {
  command
    .argument('[topic]', 'a topic, or a code in brackets; without one, list the topics')
    .action(async (wanted: string | undefined) => {
      const { explainTopics } = await import('../explain/topics.js');
      const outputText =
        wanted === undefined
          ? contents(explainTopics)
          : await explain(wanted, explainTopics, context);
      context.output.out(outputText);
      context.finish(exitCodes.good);
    });
  addHelpPage(command, context.output, {
    examples: ['hermetic explain stripping', 'hermetic explain dane-mismatch'],
  });
}

/** Returns the list of topics. */
function contents(topics: readonly ExplainTopic[]): string {
  const outputLines = topics.map(({ name, title }) => `  ${name.padEnd(14)} ${title}\n`);
  return `${outputLines.join('')}\nhermetic explain TOPIC explains one and demonstrates it in the lab.\nIt also explains every printed code.\n`;
}

/** Maximum width of text, in columns; longer lines are hard to read. */
const MAX_WIDTH = 100;

/**
 * Explains a word, looked up first as a topic, then as a finding, then as a failure.
 * Case, spaces and underscores do not matter, so that a code can be typed from memory.
 */
async function explain(
  wanted: string,
  topics: readonly ExplainTopic[],
  context: CommandContext,
): Promise<string> {
  const lineWidth = Math.min(MAX_WIDTH, context.output.width);
  const word = wanted
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-');
  const topic = topics.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (topic) return playTopic(topic, lineWidth, context);
  if (Object.hasOwn(catalogue, word)) return formatFinding(word as FindingId, lineWidth);
  const failure = findFailure(word);
  if (failure) return formatFailure(word, failure, lineWidth);
  throw unknownTopic(wanted, word, topics);
}

/** The largest number of suggestions for an unknown word. */
const MAX_SUGGESTIONS = 5;

/**
 * Returns the error for an unknown word, with the nearest known words: first words within
 * a short edit distance, then words that contain the unknown word.
 */
function unknownTopic(
  wanted: string,
  word: string,
  topics: readonly ExplainTopic[],
): HermeticError {
  const words = [
    ...topics.flatMap(({ name, aliases }) => [name, ...aliases]),
    ...Object.keys(catalogue),
    ...failureCodes,
  ];
  const similar = nearest(word, words);
  const containing = words.filter((known) => word.length > 2 && known.includes(word));
  const near = [...new Set(similar === undefined ? containing : [similar, ...containing])];
  return new HermeticError('topic-unknown', `${wanted.slice(0, 100)}: no such topic`, {
    fix:
      near.length > 0
        ? `Did you mean ${near.slice(0, MAX_SUGGESTIONS).join(', ')}?`
        : 'hermetic explain lists the topics.',
  });
}

/**
 * Demonstrates a topic in the lab and returns its page: title, text, the picture with its
 * caption, references. Rejects with the abort reason after ctrl-C.
 */
async function playTopic(
  topic: ExplainTopic,
  lineWidth: number,
  { output, signal }: CommandContext,
): Promise<string> {
  const { openStage } = await import('../explain/stage.js');
  const line = progress(output);
  line.note('running in the lab');
  const stage = openStage(signal);
  try {
    const picture = await topic.picture(stage);
    signal.throwIfAborted();
    return page([
      wrap(topic.title, lineWidth),
      ...topic.text.map((paragraph) => wrap(paragraph, lineWidth)),
      [
        ...wrap(`${topic.caption}:`, lineWidth),
        '',
        ...picture.flatMap((shown) => wrapKeeping(shown, lineWidth)),
      ],
      wrap(`${topic.reference}.\nSee also: ${topic.see.join(', ')}.`, lineWidth),
    ]);
  } finally {
    line.end();
    await stage.close();
  }
}

/** Wraps a line of a picture; a line that fits keeps its spaces. */
function wrapKeeping(textLine: string, lineWidth: number): readonly string[] {
  if (wrap(textLine, lineWidth - 2).length <= 1)
    return [`  ${wrap(textLine, lineWidth)[0] ?? ''}`.trimEnd()];
  const lead = /^ */.exec(textLine)?.[0] ?? '';
  return wrap(textLine.trim(), lineWidth, `  ${lead}`, `      ${lead}`);
}

/**
 * Returns the page of a finding: title, consequence, fix with the party that applies it,
 * clause.
 */
function formatFinding(id: FindingId, lineWidth: number): string {
  const { title, why, fix, reference, owner } = describeFinding(id);
  return page([
    wrap(`${title} (${id})`, lineWidth),
    wrap(why, lineWidth),
    wrap(`To do, by ${ownerNames[owner]}: ${fix}`, lineWidth),
    wrap(reference, lineWidth),
  ]);
}

/** The party or component at fault, by cause. */
const causes: Readonly<Record<FailureEntry['blame'], string>> = {
  peer: 'the other server',
  publisher: 'the records of the domain',
  network: 'the network between sender and receiver',
  local: 'this machine',
};

/** Returns the page of a failure: message, cause, duration, fix, clause. */
function formatFailure(code: string, failureEntry: FailureEntry, lineWidth: number): string {
  const { message: says, fix, blame, temporary, clause } = failureEntry;
  const duration = temporary
    ? 'The failure can be temporary.'
    : 'The failure is permanent until it is fixed.';
  return page([
    wrap(`${says} (${code})`, lineWidth),
    wrap(`Cause: ${causes[blame]}. ${duration}`, lineWidth),
    wrap(`To do: ${fix}`, lineWidth),
    clause === undefined ? [] : wrap(clause, lineWidth),
  ]);
}

/** Returns blocks of lines with an empty line between them. */
function page(blocks: readonly (readonly string[])[]): string {
  const shown = blocks.filter((lines) => lines.length > 0);
  return `${shown.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
