import { displayName } from '../../base/index.js';
import type { CheckEvent } from '../../check/index.js';
import { badge, markup, scoreList, type Markup, type ScoreLine } from '../../page/index.js';
import type { CheckStatus } from '../checks/check-service.js';

/**
 * Returns the page of an unfinished check, with its place in the queue or the facts
 * observed so far.
 */
export function progressPage(status: CheckStatus): Markup {
  const { id, domain, state } = status;
  return markup`<header class="hero">
      <div class="hero-line">
        <h1>${displayName(domain)}</h1>
        ${badge(state === 'queued' ? 'QUEUED' : 'CHECKING', 'quiet')}
      </div>
      <p class="lead" role="status" data-status>${progressLine(status)}</p>
      <p class="more">The results appear here as they arrive. The final result has the same address.</p>
    </header>
    <div class="progress" data-live="/check/${id}/events">${progressRows(status)}</div>`;
}

/**
 * Returns the progress in one sentence, which is visible and which screen readers
 * announce.
 */
export function progressLine({ state, position, events }: CheckStatus): string {
  if (state === 'queued') return `The check is number ${position ?? 1} in the queue.`;
  const planned = events.flatMap((event) => (event.kind === 'host' ? event.addresses : []));
  const visited = events.filter((event) => event.kind === 'address').length;
  if (planned.length === 0) return 'The check is asking DNS for the mail hosts.';
  const servers = planned.length === 1 ? 'mail server' : 'mail servers';
  return `${visited} of ${planned.length} ${servers} examined.`;
}

const waiting = { sign: '…', tone: 'quiet', label: 'under way', note: '' } as const;
const done = { sign: '✓', tone: 'quiet', label: 'looked up', note: '' } as const;

/**
 * Returns one row for each lookup and each address; a row without an answer is pending.
 */
export function progressRows({ events, state }: Pick<CheckStatus, 'events' | 'state'>): Markup {
  // A queued check has no rows, because a row would suggest that a lookup has begun.
  if (state === 'queued') return markup``;
  const rows = [routeRow(events), ...hostRows(events), stsRow(events), rptRow(events)];
  return markup`<div class="waits">${scoreList('Progress of the check', rows)}</div>`;
}

type EventOf<Kind extends CheckEvent['kind']> = Extract<CheckEvent, { readonly kind: Kind }>;

function find<Kind extends CheckEvent['kind']>(
  events: readonly CheckEvent[],
  kind: Kind,
): EventOf<Kind> | undefined {
  return events.find((event): event is EventOf<Kind> => event.kind === kind);
}

const routeWords: Readonly<Record<EventOf<'route'>['route'], string>> = {
  mx: 'found',
  implicit: 'no MX record: the address of the domain accepts the mail',
  'null-mx': 'the domain accepts no mail',
  none: 'the domain has no mail host',
  error: 'the lookup failed',
};

function routeRow(events: readonly CheckEvent[]): ScoreLine {
  const event = find(events, 'route');
  if (!event) return { ...waiting, name: 'Mail hosts', value: 'asking DNS' };
  const { route, hosts, dnssec } = event;
  const hostWord = hosts.length === 1 ? 'host' : 'hosts';
  const value = route === 'mx' ? `${hosts.length} ${hostWord}` : routeWords[route];
  return { ...done, name: 'Mail hosts', value: `${value}, DNSSEC ${dnssec}` };
}

function hostRows(events: readonly CheckEvent[]): readonly ScoreLine[] {
  const hosts = find(events, 'route')?.hosts ?? [];
  return hosts.flatMap((host): readonly ScoreLine[] => {
    const looked = events.find(
      (event): event is EventOf<'host'> => event.kind === 'host' && event.host === host,
    );
    if (!looked) return [{ ...waiting, name: host, value: 'asking DNS for its addresses' }];
    if (looked.addresses.length === 0) return [{ ...done, name: host, value: 'no address' }];
    return looked.addresses.map((address) => addressRow(events, host, address));
  });
}

function addressRow(events: readonly CheckEvent[], host: string, address: string): ScoreLine {
  const name = `${host} [${address}]`;
  const isThis = (event: { readonly host: string; readonly address: string }): boolean =>
    event.host === host && event.address === address;
  const seen = events.find(
    (event): event is EventOf<'address'> => event.kind === 'address' && isThis(event),
  );
  if (seen) return { ...done, name, value: addressValue(seen) };
  const begun = events.some((event) => event.kind === 'visit' && isThis(event));
  return {
    ...waiting,
    name,
    value: begun ? 'connecting' : 'waiting for another connection to the server',
  };
}

function addressValue({ status, starttls, connections }: EventOf<'address'>): string {
  if (status === 'skipped') return 'not contacted';
  if (status !== 'reachable') return status;
  const times = connections === 1 ? '1 connection' : `${connections} connections`;
  return `STARTTLS ${starttls ?? 'unknown'}, ${times}`;
}

function stsRow(events: readonly CheckEvent[]): ScoreLine {
  const event = find(events, 'mta-sts');
  if (!event) return { ...waiting, name: 'MTA-STS policy', value: 'looking it up' };
  const value = event.mode === undefined ? event.status : `mode ${event.mode}`;
  return { ...done, name: 'MTA-STS policy', value };
}

function rptRow(events: readonly CheckEvent[]): ScoreLine {
  const event = find(events, 'tls-rpt');
  if (!event) return { ...waiting, name: 'TLS-RPT record', value: 'looking it up' };
  return { ...done, name: 'TLS-RPT record', value: event.status };
}
