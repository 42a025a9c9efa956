import { Command } from 'commander';
import { isHermeticError, neutralise, systemClock } from '../../base/index.js';
import { createResolver, rootAnchors, systemUpstreams } from '../../dns/index.js';
import { nodeNetwork } from '../../net/index.js';
import {
  arrivalOf,
  importReports,
  knownHosts,
  openReports,
  verifyDkim,
  walkSources,
  type DkimVerdict,
  type ReportRecord,
  type Source,
} from '../../tls-rpt-receive/index.js';
import { keepHeapSmall } from '../../server/index.js';
import { exitCodes } from '../exit-codes.js';
import { complain, type Output } from '../output.js';
import { progress } from '../progress.js';
import { sayFailure } from '../say-failure.js';
import { formatJson } from '../format-json.js';
import { readResolverFlags, withResolver, type ResolverFlags } from './resolver-options.js';

interface ImportFlags extends ResolverFlags {
  readonly store?: string;
  readonly domain?: readonly string[];
  readonly json?: boolean;
  readonly verify: boolean;
}

/** `hermetic report import`: reports out of files, folders and pipes. */
export function reportImportCommand(
  output: Output,
  signal: AbortSignal,
  finish: (code: number) => void,
): Command {
  return withResolver(
    new Command('import').description(
      'read reports from .json, .json.gz, .zip, .eml, mbox, maildir, or - for standard input',
    ),
  )
    .argument('<path...>', 'files and folders; - is standard input')
    .option('--store <file>', 'keep them in this database; without it they are only read')
    .option(
      '--domain <name>',
      'count only reports about this domain and those below it; repeatable',
      (value: string, all: string[] = []) => [...all, value.toLowerCase()],
    )
    .option('--json', 'every report as one line of JSON (schemas/hermetic.report-1.json)')
    .option('--no-verify', 'do not look up keys: signed mails stay unverifiable, and do not count')
    .addHelpText(
      'after',
      '\nExample:\n  hermetic report import --store reports.db ~/Maildir/.tlsrpt\n  hermetic report import --json report.json.gz',
    )
    .action(async (paths: string[], flags: ImportFlags) =>
      finish(await run(paths, flags, output, signal)),
    );
}

async function run(
  paths: readonly string[],
  flags: ImportFlags,
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  keepHeapSmall();
  const piped = paths.includes('-');
  const tally = new Tally();
  const line = progress(output);
  try {
    const store = flags.store === undefined ? undefined : await openReports(flags.store);
    const options = {
      clock: systemClock,
      ...(store ? { store } : {}),
      ...(flags.domain ? { domains: flags.domain } : {}),
      ...(flags.verify ? { verify: verifier(flags), retryKeys: piped } : {}),
      ...(store && flags.domain ? { hosts: knownHosts(store, flags.domain) } : {}),
    };
    for await (const record of importReports(sources(paths), options)) {
      if (signal.aborted) return exitCodes.interrupted;
      tally.add(record);
      line.note(`${tally.read} reports`);
      if (flags.json) output.out(`${formatJson(record)}\n`);
      else if (record.status === 'refused') output.err(refusal(record));
    }
    store?.close();
  } catch (error) {
    if (!isHermeticError(error)) throw error;
    complain(output, error);
    // EX_TEMPFAIL: a mail server that pipes reports in keeps the mail and tries again.
    const isTemporary = error.code.startsWith('store-') || error.code === 'dkim-key-unavailable';
    return piped && isTemporary ? exitCodes.retry : exitCodes.usage;
  } finally {
    line.end();
  }
  if (!flags.json) output.out(tally.summary(flags.store));
  // A pipe from a mail server never fails over a bad report: the server would answer it
  // with a bounce.
  return tally.refused > 0 && !piped ? exitCodes.fail : exitCodes.good;
}

async function* sources(paths: readonly string[]): AsyncGenerator<Source> {
  for (const path of paths)
    if (path === '-') yield { name: 'standard input', open: () => process.stdin };
    else yield* walkSources(path);
}

/**
 * Verifies by the date of arrival. When keys cannot be looked up three times in a row the
 * network is taken to be away, and nothing more is asked.
 */
function verifier(flags: ResolverFlags): (mail: Uint8Array) => Promise<DkimVerdict> {
  const resolver = createResolver({
    network: nodeNetwork(),
    upstreams: systemUpstreams(),
    anchors: rootAnchors,
    ...readResolverFlags(flags),
  });
  let silent = 0;
  return async (mail) => {
    if (silent >= 3) return { result: 'temperror', detail: 'keys cannot be looked up' };
    const verdict = await verifyDkim(mail, resolver, arrivalOf(mail) ?? systemClock.now());
    silent = verdict.result === 'temperror' ? silent + 1 : 0;
    return verdict;
  };
}

function refusal({ source, refusal: why }: ReportRecord): string {
  return `hermetic: ${neutralise(source)}: ${why ? sayFailure(why) : 'refused'}\n`;
}

class Tally {
  read = 0;
  refused = 0;
  readonly #trust = new Map<string, number>();
  readonly #notes = new Map<string, number>();
  readonly #stored = { stored: 0, repeated: 0, confirmed: 0, superseded: 0 };
  #ok = 0;
  #failed = 0;
  #unforeseen = 0;

  add({ status, trust, totals, notes, unforeseen, stored }: ReportRecord): void {
    this.read++;
    if (status === 'refused') return void this.refused++;
    if (stored) this.#stored[stored]++;
    if (unforeseen && unforeseen.length > 0) this.#unforeseen++;
    for (const { code } of notes ?? []) this.#notes.set(code, (this.#notes.get(code) ?? 0) + 1);
    if (!trust?.counted)
      return void this.#trust.set(
        trust?.verdict ?? '',
        (this.#trust.get(trust?.verdict ?? '') ?? 0) + 1,
      );
    this.#ok += totals?.successful ?? 0;
    this.#failed += totals?.failed ?? 0;
  }

  summary(store: string | undefined): string {
    const aside = [...this.#trust].map(([verdict, n]) => `${n} ${verdict}`);
    const odd = [...this.#notes].sort((a, b) => b[1] - a[1]).map(([code, n]) => `${code} ${n}`);
    const { stored, repeated, confirmed, superseded } = this.#stored;
    return [
      `${this.read - this.refused} reports read, ${this.refused} refused.`,
      ...(store === undefined
        ? []
        : [
            `${stored + confirmed + superseded} new in ${neutralise(store)}, ${repeated} were there before.`,
          ]),
      `${this.#ok} successful and ${this.#failed} failed sessions, counted once for every policy.`,
      ...(aside.length > 0
        ? [`Kept out of the totals, because nobody vouches for them: ${aside.join(', ')}.`]
        : []),
      ...(odd.length > 0
        ? [
            `Departures from RFC 8460: ${odd.slice(0, 8).join(', ')}${odd.length > 8 ? ', ...' : ''}.`,
          ]
        : []),
      ...(this.#unforeseen > 0
        ? [`${this.#unforeseen} reports hold members that no rule knows; --json shows them.`]
        : []),
      '',
    ].join('\n');
  }
}
