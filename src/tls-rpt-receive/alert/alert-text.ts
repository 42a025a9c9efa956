import { neutralise } from '../../base/index.js';
import type { ReportAlert } from './plan-alerts.js';

const words = { added: 'NEW', worse: 'WORSE', ended: 'OVER' } as const;

/**
 * Returns the subject of an alert mail. `origin`: the first words of the subject, for the
 * source of the alerts.
 */
export function alertSubject(reportAlerts: readonly ReportAlert[], origin = 'TLS reports'): string {
  const [first] = reportAlerts;
  const domains = [...new Set(reportAlerts.map((alert) => alert.domain))];
  return neutralise(
    `${origin}: ${words[first?.kind ?? 'added'].toLowerCase()} at ${domains
      .slice(0, 3)
      .map((domain) => domain || NO_DOMAIN)
      .join(', ')}${domains.length > 3 ? ', ...' : ''}`,
    200,
  );
}

/** Returns the alerts as text: each change, with the steps that fix it. */
export function alertText(reportAlerts: readonly ReportAlert[]): string {
  return reportAlerts
    .map(({ kind, domain, says, since, todo }) =>
      [
        line(
          `${words[kind]} ${domain || NO_DOMAIN} (since ${since.slice(0, 16).replace('T', ' ')} UTC)`,
        ),
        line(says),
        // A step may contain a command of several lines, so every line is indented.
        ...todo.map((step, index) => `${index + 1}. ${step.split('\n').map(line).join('\n   ')}`),
      ].join('\n'),
    )
    .join('\n\n');
}

const NO_DOMAIN = '(no domain named)';

/**
 * Escapes line ends in foreign text, so that the text cannot start a new line [8460-7-4].
 */
function line(text: string): string {
  return neutralise(text, 2000);
}

/** Returns the alerts as JSON, `hermetic.report-alert/1`. `text` is for chat services. */
export function alertJson(reportAlerts: readonly ReportAlert[]): string {
  return JSON.stringify({
    schema: 'hermetic.report-alert/1',
    text: alertText(reportAlerts),
    alerts: reportAlerts,
  });
}
