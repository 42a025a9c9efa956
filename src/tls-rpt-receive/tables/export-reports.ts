import type { Store } from '../../store/index.js';
import { unpackReports } from '../../tls-rpt/index.js';

/** The selection of the reports to export. */
export interface ExportOptions {
  /** The policy domain of the reports. Default: all domains. */
  readonly domain?: string;
}

/**
 * Yields the JSON of every stored report, unpacked and on one line, in a form that
 * `importReports` can read. Omits reports that are excluded from the sums.
 */
export function* exportReports(
  stateStore: Store,
  { domain }: ExportOptions = {},
): Generator<string> {
  const some =
    domain === undefined ? '' : 'AND id IN (SELECT report FROM report_policy WHERE domain = ?)';
  const rows = stateStore.iterate<{ raw: Uint8Array }>(
    `SELECT raw FROM report WHERE counted = 1 ${some} ORDER BY id`,
    ...(domain === undefined ? [] : [domain]),
  );
  for (const { raw } of rows) {
    const [unpacked] = unpackReports(raw, { maxBytes: 100_000_000 });
    if (unpacked?.ok) yield oneLine(unpacked.value.bytes);
  }
}

/**
 * Returns JSON without line ends. In malformed text, which only the parser of reports can
 * repair, replaces each line end by a space.
 */
function oneLine(inputBytes: Uint8Array): string {
  const text = Buffer.from(inputBytes).toString('utf8');
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text.replace(/[\r\n]+/g, ' ');
  }
}
