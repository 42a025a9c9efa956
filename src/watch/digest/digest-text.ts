import { neutralise } from '../../base/index.js';
import { markup, type Markup } from '../../page/index.js';
import { alarmText } from '../alarm-text.js';
import type { Digest, DigestDomain } from './compose-digest.js';

const words = { attention: 'ATTENTION', unknown: 'UNKNOWN', good: 'good' } as const;
/**
 * Width of a domain name in the table, in columns; a longer name shifts the rest of its
 * row.
 */
const MAX_COLUMN = 40;

/**
 * Returns the state in one line: the subject after its prefix, and the first line of the
 * text.
 */
export function digestHeadline({ domains, changes, upcoming }: Digest): string {
  const count = (status: DigestDomain['status']): number =>
    domains.filter((domain) => domain.status === status).length;
  const [attention, unknown] = [count('attention'), count('unknown')];
  const total = domains.length;
  const of = (number: number): string =>
    total === 1 ? '1 domain' : `${number} of ${total} domains`;
  if (attention > 0) {
    const verb = attention === 1 ? 'needs' : 'need';
    const rest = unknown === 0 ? '' : `, ${unknown} could not be checked`;
    return `${of(attention)} ${verb} attention${rest}`;
  }
  if (unknown > 0) return `${of(unknown)} could not be checked`;
  const all = total === 1 ? '1 domain is' : `all ${total} domains are`;
  const isQuiet = changes.length === 0 && upcoming.length === 0;
  return isQuiet ? `${all} without faults, no changes` : `${all} without faults`;
}

/** Returns the subject of a digest mail. */
export function digestSubject(digest: Digest): string {
  return neutralise(`Mail TLS: ${digestHeadline(digest)}`, 200);
}

/** Returns the period as human-readable days. */
function period({ from, until }: Digest): string {
  return `${from.slice(0, 10)} to ${until.slice(0, 10)}`;
}

function sessionsOf({ sessions }: DigestDomain): string {
  if (!sessions) return 'no reports';
  const { successful, failed } = sessions;
  return `${failed} of ${successful + failed} failed`;
}

/** Returns the digest as plain text. A line end in foreign text is shown as an escape. */
export function digestText(digest: Digest): string {
  const { domains, changes, moreChanges, upcoming, next } = digest;
  const headline = digestHeadline(digest);
  const width = Math.min(MAX_COLUMN, Math.max(...domains.map(({ domain }) => domain.length)));
  const rows = domains.map((domain) => {
    const cells = [
      domain.domain.padEnd(width),
      words[domain.status].padEnd(9),
      (domain.verdict ?? 'not checked').padEnd(14),
    ];
    return neutralise(`${cells.join('  ')}  ${sessionsOf(domain)}`, 500).trimEnd();
  });
  const details = openFaults(digest).map((fault) => `- ${neutralise(fault, 2000)}`);
  const dates = upcoming.map(
    ({ at, domain, says }) => `- ${at.slice(0, 10)} ${neutralise(`${domain}: ${says}`, 500)}`,
  );
  const blocks = [
    [`${headline[0]?.toUpperCase()}${headline.slice(1)}.`, `Period: ${period(digest)} (UTC).`],
    rows,
    section('Open faults', details),
    section('Changes', changes.length === 0 ? [] : [alarmText(changes), ...more(moreChanges)]),
    section('Ends soon', dates),
    [`The next digest is due at ${next.slice(0, 16).replace('T', ' ')} UTC.`],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

/**
 * Returns the faults of all domains, the faults of reports after the faults of checks.
 */
function openFaults({ domains }: Digest): readonly string[] {
  return domains.flatMap(({ domain, faults, reports }) =>
    reports === undefined ? faults : [...faults, `${domain}, TLS reports: ${reports}`],
  );
}

function section(heading: string, body: readonly string[]): readonly string[] {
  return body.length === 0 ? [] : [`${heading}:`, ...body];
}

function more(count: number): readonly string[] {
  return count === 0 ? [] : ['', `${count} earlier changes are not listed.`];
}

/**
 * Returns the digest as an HTML document without links, pictures and scripts: a mail
 * program displays it without a request to any server. The status is a word and not only
 * a colour.
 */
export function digestHtml(digest: Digest): string {
  const { domains, changes, moreChanges, upcoming, next } = digest;
  const headline = digestHeadline(digest);
  const cell = 'padding:4px 12px 4px 0;text-align:left;vertical-align:top';
  const weight = (status: DigestDomain['status']): string =>
    status === 'good' ? 'normal' : 'bold';
  const row = (domain: DigestDomain): Markup =>
    markup`<tr><td style="${cell}">${domain.domain}</td><td style="${cell};font-weight:${weight(domain.status)}">${words[domain.status]}</td><td style="${cell}">${domain.verdict ?? 'not checked'}</td><td style="${cell}">${sessionsOf(domain)}</td></tr>`;
  const list = (heading: string, items: readonly string[]): Markup | undefined =>
    items.length === 0
      ? undefined
      : markup`<h2 style="font-size:16px">${heading}</h2><ul>${items.map((item) => markup`<li>${item}</li>`)}</ul>`;
  const changed = changes.map(({ kind, domain, says, todo }) => {
    const step = kind === 'ended' ? '' : ` ${todo[0] ?? ''}`;
    return `${kind} ${domain}: ${says}${step}`;
  });
  return markup`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${headline}</title></head>
<body style="font-family:sans-serif;font-size:14px;line-height:1.5;max-width:720px">
<h1 style="font-size:20px">${headline}</h1><p>${period(digest)} (UTC)</p>
<table style="border-collapse:collapse"><tr>${['Domain', 'Status', 'Last check', 'Reported sessions'].map((name) => markup`<th scope="col" style="${cell}">${name}</th>`)}</tr>${domains.map(row)}</table>
${list('Open faults', openFaults(digest))}${list('Changes', [...changed, ...more(moreChanges).filter((text) => text !== '')])}${list(
    'Ends soon',
    upcoming.map(({ at, domain, says }) => `${at.slice(0, 10)} ${domain}: ${says}`),
  )}
<p>The next digest is due at ${next.slice(0, 16).replace('T', ' ')} UTC.</p></body></html>
`.text;
}

/** Returns the digest as JSON, for webhooks. Chat services show `text`. */
export function digestJson(digest: Digest): string {
  return JSON.stringify({ ...digest, text: digestText(digest) });
}
