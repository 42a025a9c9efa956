import type { CheckService, CheckStatus } from '../checks/check-service.js';
import { progressLine, progressRows } from '../pages/progress-page.js';
import { eventResponse, type StreamEvent } from './event-stream.js';

/**
 * Milliseconds without an event after which the server sends a comment to keep the
 * connection open.
 */
const IDLE_MS = 15_000;

/** Returns whether a check has ended, so that its page shows the result. */
export function isFinished({ state }: Pick<CheckStatus, 'state'>): boolean {
  return state === 'done' || state === 'failed';
}

/**
 * Returns the stream for a page: the whole progress as HTML after every change, finally
 * the event `done`.
 */
export function pageStream(checks: CheckService, id: string): Response {
  let sent = 0;
  let ended = false;
  return eventResponse(async (signal) => {
    if (ended) return 'end';
    if (checks.status(id)?.revision === sent) await checks.changed(id, sent, IDLE_MS, signal);
    const status = checks.status(id);
    if (!status) return 'end';
    if (isFinished(status)) {
      ended = true;
      return { event: 'done', data: `/check/${id}` };
    }
    if (status.revision === sent) return 'idle';
    sent = status.revision;
    const data = { html: progressRows(status).text, says: progressLine(status) };
    return { event: 'progress', data: JSON.stringify(data) };
  }, checks.signal);
}

/**
 * Returns the stream for the API: each numbered event once, finally the state. `after`:
 * the number of events that the client has already received. If it is too large, the
 * client received events of a run before a restart, so the stream begins again.
 */
export function eventStream(checks: CheckService, id: string, after: number): Response {
  let sent = after > checks.eventsOf(id).length ? 0 : after;
  let ended = false;
  const next = async (signal: AbortSignal): Promise<StreamEvent | 'idle' | 'end'> => {
    if (ended) return 'end';
    let status = checks.status(id);
    if (status && !isFinished(status) && status.events.length <= sent) {
      await checks.changed(id, status.revision, IDLE_MS, signal);
      status = checks.status(id);
    }
    if (!status) return 'end';
    const event = checks.eventsOf(id)[sent];
    if (event) {
      sent++;
      return { event: 'progress', data: JSON.stringify(event), id: String(sent) };
    }
    if (!isFinished(status)) return 'idle';
    ended = true;
    const { state } = status;
    return { event: 'done', data: JSON.stringify({ id, state, url: `/api/v1/checks/${id}` }) };
  };
  return eventResponse(next, checks.signal);
}
