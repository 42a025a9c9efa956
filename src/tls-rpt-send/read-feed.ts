import { deliveryOutcomeSchema } from '../evidence/index.js';
import { fail, ok, type Result } from '../base/index.js';
import { parseDatagram } from './parse-datagram.js';
import { reportingFailures } from './failures.js';
import { eventsOfOutcome, type SessionEvent } from './session-event.js';

const OUTCOME = '"hermetic.outcome/1"';

/** Parses one line of a feed: a `hermetic.outcome/1`, or the JSON of libtlsrpt. */
export function parseFeedLine(textLine: string, at: number): Result<readonly SessionEvent[]> {
  if (!textLine.includes(OUTCOME)) return parseDatagram(textLine, at);
  let json: unknown;
  try {
    json = JSON.parse(textLine);
  } catch {
    return fail(reportingFailures.make('reporting-event-malformed', 'no JSON'));
  }
  const outcome = deliveryOutcomeSchema.safeParse(json);
  if (outcome.success) return ok(eventsOfOutcome(outcome.data));
  const [issue] = outcome.error.issues;
  return fail(
    reportingFailures.make(
      'reporting-event-malformed',
      `${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
    ),
  );
}

/**
 * Splits a stream into lines. A line above the maximum length is dropped, which limits
 * the memory.
 */
export class FeedLines {
  #rest = '';
  #tooLong = false;

  constructor(private readonly longest = 1_000_000) {}

  push(feedText: string): readonly string[] {
    const lines = (this.#rest + feedText).split('\n');
    this.#rest = lines.pop() ?? '';
    const whole = lines.map((textLine, index) =>
      index === 0 && this.#tooLong ? '' : textLine.trim(),
    );
    if (lines.length > 0) this.#tooLong = false;
    if (this.#rest.length > this.longest) {
      this.#rest = '';
      this.#tooLong = true;
    }
    return whole.filter((textLine) => textLine !== '');
  }
}
