import { neutralise } from '../../base/index.js';
import type { Evidence } from '../../evidence/index.js';

/**
 * Returns the SMTP conversations line by line, as received and sent, with the
 * milliseconds since the connection opened. Text of the server is neutralised. Ends with
 * a line feed.
 */
export function renderTranscript(evidence: Evidence): string {
  const outputLines = evidence.hosts.flatMap((host) =>
    host.addresses.flatMap((address) =>
      address.connections.flatMap((connection) => [
        `${host.name} [${address.ip}]`,
        ...(connection.dial === 'open' ? [] : [`     -  no connection: ${connection.dial.code}`]),
        ...connection.transcript.map(
          ({ from, text, at }) =>
            `${String(Math.round(at)).padStart(6)} ${from}: ${neutralise(text)}`,
        ),
        ...(connection.failure
          ? [
              `     -  ${neutralise(connection.failure.code)} ${neutralise(connection.failure.detail)}`,
            ]
          : []),
        '',
      ]),
    ),
  );
  return outputLines.length === 0
    ? 'No SMTP conversation took place.\n'
    : `${outputLines.join('\n')}`;
}
