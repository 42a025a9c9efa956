/**
 * The foundation of every part: results instead of exceptions, failure catalogues, domain
 * names, addresses, bytes, time and safe display of foreign text.
 *
 * This part defines two conventions. The behaviour of a peer is data: operations on
 * foreign input return a {@link Result}, and exceptions report misuse or a local fault.
 * Every failure belongs to a catalogue entry that names the responsible party, the
 * clause, the fact and the fix.
 *
 * @example const domain = parseDomain('Bücher.example'); if (domain.ok)
 * console.log(domain.value.toString()); // xn--bcher-kva.example
 */
export { collectGarbage, keepHeapSmall, keepStartSmall } from './keep-heap-small.js';
export { type Result, ok, fail } from './result.js';
export {
  type Blame,
  type Failure,
  type FailureEntry,
  type FailureCatalogue,
  defineFailures,
} from './failure.js';
export { HermeticError, isHermeticError, unwrap } from './error.js';
export { countOf, formatCount } from './count-text.js';
export { describeSystemError, fixUnwritable } from './system-error.js';
export { commandFailure } from './command-failure.js';
export { type Clock, steadyTime, systemClock } from './clock.js';
export {
  concat,
  compareBytes,
  equalBytes,
  toHex,
  fromHex,
  toBase64,
  fromBase64,
  latin1,
} from './bytes.js';
export { formatTime } from './format-time.js';
export { hidden, neutralise } from './neutralise.js';
export { logLines } from './log-lines.js';
export { trimBlanks } from './trim-blanks.js';
export { csvLine, csvTable } from './csv.js';
export { clip, wrap } from './wrap.js';
export { explainField, explainNearRecord, type RecordKind } from './explain-near-record.js';
export { nearest } from './nearest.js';
export { Name, parseDomain, nameFailures } from './name.js';
export { BoundedMap } from './bounded-map.js';
export { mapConcurrent } from './map-concurrent.js';
export { TaskLimit } from './task-limit.js';
export { readTextFile, type ReadTextFileOptions } from './read-text-file.js';
export { repeat, type RepeatOptions } from './repeat.js';
export { newKeyPair, type NewKey } from './new-key-pair.js';
export { followSignals } from './follow-signals.js';
export { separateTurns } from './separate-turns.js';
export { SingleFlight } from './single-flight.js';
export { type Ip, parseIp, formatIp, networkOf, sourceOf, withinPrefix } from './ip.js';
export { displayName, safeUnicode } from './display-name.js';
export { version } from './version.js';
export { groupBy } from './group-by.js';
export { WindowCount } from './window-count.js';
