import { neutralise } from '../../base/index.js';
import type { Alert } from './plan-alerts.js';

const words = { added: 'NEW', worse: 'WORSE', ended: 'OVER' } as const;

/** One line that says what there is to read. */
export function alertSubject(alerts: readonly Alert[]): string {
  const [first] = alerts;
  const domains = [...new Set(alerts.map((a) => a.domain))];
  return neutralise(
    `TLS reports: ${words[first?.kind ?? 'added'].toLowerCase()} at ${domains.slice(0, 3).join(', ')}${domains.length > 3 ? ', ...' : ''}`,
    200,
  );
}

/** For people: each change, with what to do. */
export function alertText(alerts: readonly Alert[]): string {
  return alerts
    .map(({ kind, domain, says, since, todo }) =>
      [
        `${words[kind]} ${domain} (since ${since.slice(0, 16).replace('T', ' ')} UTC)`,
        says,
        ...todo.map((step, i) => `${i + 1}. ${step}`),
      ]
        .map((line) => neutralise(line, 2000))
        .join('\n'),
    )
    .join('\n\n');
}

/** For programs: `hermetic.report-alert/1`. `text` is what chat services show. */
export function alertJson(alerts: readonly Alert[]): string {
  return JSON.stringify({ schema: 'hermetic.report-alert/1', text: alertText(alerts), alerts });
}
