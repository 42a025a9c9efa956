import { Command } from 'commander';
import { HermeticError, nearest, wrap, type FailureEntry } from '../../base/index.js';
import { catalogue, describeFinding, ownerNames, type FindingId } from '../../check/index.js';
import type { Topic } from '../explain/topic.js';
import { exitCodes } from '../exit-codes.js';
import type { Output } from '../output.js';
import { progress } from '../progress.js';
import { failureCodes, failureEntry } from '../say-failure.js';

/**
 * `hermetic explain`: a subject of mail TLS in a few sentences, shown in the lab; or what
 * a code means.
 */
export function explainCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return new Command('explain')
    .description('explain a subject of mail TLS, shown live in the lab, or a code that was printed')
    .argument(
      '[topic]',
      'a subject, or the code of a finding or failure; without one the subjects are listed',
    )
    .addHelpText(
      'after',
      '\nExample:\n  hermetic explain stripping\n  hermetic explain dane-mismatch',
    )
    .action(async (wanted: string | undefined) => {
      const width = Math.min(100, Math.max(60, output.width));
      // Loaded only when asked for, as the lab is.
      const topics = (await import('../explain/topics.js')).topics;
      if (wanted === undefined) output.out(contents(topics));
      else output.out(await explain(wanted, topics, width, output, signal));
      finish(exitCodes.good);
    });
}

function contents(topics: readonly Topic[]): string {
  const lines = topics.map(({ name, title }) => `  ${name.padEnd(14)} ${title}\n`);
  return `${lines.join('')}\nhermetic explain TOPIC tells more, and shows it in the lab. Codes of findings and failures are explained too.\n`;
}

async function explain(
  wanted: string,
  topics: readonly Topic[],
  width: number,
  output: Output,
  signal: AbortSignal,
): Promise<string> {
  const word = wanted
    .trim()
    .toLowerCase()
    .replace(/[\s_]+/g, '-');
  const topic = topics.find(({ name, aliases }) => name === word || aliases.includes(word));
  if (topic) return told(topic, width, output, signal);
  if (Object.hasOwn(catalogue, word)) return toldFinding(word as FindingId, width);
  const failure = failureEntry(word);
  if (failure) return toldFailure(word, failure, width);
  const words = [
    ...topics.flatMap(({ name, aliases }) => [name, ...aliases]),
    ...Object.keys(catalogue),
    ...failureCodes,
  ];
  const near = [
    ...new Set(
      [
        nearest(word, words) ?? [],
        words.filter((known) => word.length > 2 && known.includes(word)),
      ].flat(),
    ),
  ].slice(0, 5);
  throw new HermeticError('topic-unknown', `${wanted.slice(0, 100)}: no such topic`, {
    fix:
      near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'hermetic explain lists the topics.',
  });
}

async function told(
  topic: Topic,
  width: number,
  output: Output,
  signal: AbortSignal,
): Promise<string> {
  const { openStage } = await import('../explain/stage.js');
  const line = progress(output);
  line.note('playing it in the lab');
  const stage = openStage(signal);
  try {
    const picture = await topic.picture(stage);
    signal.throwIfAborted();
    const blocks = [
      [topic.title],
      ...topic.text.map((paragraph) => wrap(paragraph, width)),
      [
        ...wrap(`${topic.caption}:`, width),
        '',
        ...picture.flatMap((line) => wrapKeeping(line, width)),
      ],
      wrap(
        `${topic.reference}. See also: ${topic.see.map((name) => `hermetic explain ${name}`).join(', ')}`,
        width,
      ),
    ];
    return page(blocks);
  } finally {
    line.end();
    await stage.close();
  }
}

/** A line of a picture keeps its blanks as long as it fits. */
function wrapKeeping(line: string, width: number): readonly string[] {
  return wrap(line, width - 2).length <= 1
    ? [`  ${wrap(line, width)[0] ?? ''}`.trimEnd()]
    : wrap(line.trim(), width, '  ', '      ');
}

function toldFinding(id: FindingId, width: number): string {
  const { title, why, fix, reference, owner } = describeFinding(id);
  return page([
    [`${title} (${id})`],
    wrap(why, width),
    wrap(`To do, by ${ownerNames[owner]}: ${fix}`, width),
    [reference],
  ]);
}

const whose: Readonly<Record<FailureEntry['blame'], string>> = {
  peer: 'the other server',
  publisher: 'whoever publishes the records of the domain',
  network: 'something between',
  local: 'this machine',
};

function toldFailure(
  code: string,
  { says, fix, blame, temporary, clause }: FailureEntry,
  width: number,
): string {
  const about = `To look at: ${whose[blame]}. ${temporary ? 'It may pass by itself.' : 'It does not pass by itself.'}`;
  return page([
    wrap(`${says} (${code})`, width),
    wrap(about, width),
    wrap(`To do: ${fix}`, width),
    ...(clause === undefined ? [] : [[clause]]),
  ]);
}

function page(blocks: readonly (readonly string[])[]): string {
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}
