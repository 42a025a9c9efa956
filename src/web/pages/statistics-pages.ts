import { dataTable, markup, type Markup } from '../../page/index.js';
import type {
  FinishedScan,
  NumbersPage,
  PageNumber,
  ScanMethod,
  ScanNumbers,
  UnitCount,
} from '../statistics/statistics-source.js';
import { tabs } from './operator/operator-layout.js';

/** The titles of the pages by name, in their order. */
const pageNames: Readonly<Record<string, string>> = {
  overview: 'Overview',
  starttls: 'STARTTLS',
  certificates: 'Certificates',
  'mta-sts': 'MTA-STS',
  dane: 'DANE',
  'tls-rpt': 'TLS-RPT',
  exposure: 'Exposure',
  classes: 'Misconfigurations',
};

/**
 * Returns one page of the statistics of a scan; undefined if the scan has no page with
 * this name.
 */
export function statisticsPage(numbers: ScanNumbers, name: string): Markup | undefined {
  const { scan, pages, operators } = numbers;
  const page = pages.find((one) => one.name === name);
  if (!page) return undefined;
  const base = `/statistics/${scan.id}`;
  return markup`<div class="statistics">
    <h1>${titleOf(name)}</h1>
    <p class="lead">${count(scan.domains)} domains of the list ${scan.list}${scan.citedAs !== '' && markup` (${scan.citedAs})`},
      observed ${daysOf(scan)}.</p>
    ${tabs(
      'Statistics',
      pages.map((one) => [`${base}/${one.name}`, titleOf(one.name)] as const),
      `${base}/${name}`,
    )}
    ${chart(page)}
    <div class="wide">${numbersTable(page)}</div>
    <h2>Counting</h2>
    <p>A share is the number of domains with the property, divided by the number whose answer is known. “Unknown” is the share of domains whose answer could not be observed. Such domains count in neither number.</p>
    <p>A mail host or operator has a property if at least half of its domains with an answer have it. A domain with its own mail hosts is one operator.</p>
    ${methodNote(numbers.method)}
    ${name === 'overview' && operators.length > 0 && operatorsTable(operators, scan)}
    <p class="soft"><a href="/api/v1/statistics/${scan.id}">The numbers as JSON</a> · <a href="/statistics">All scans</a></p>
  </div>`;
}

/** Returns the page with the list of finished scans. */
export function scansPage(scans: readonly FinishedScan[]): Markup {
  const table = dataTable(
    'Finished scans',
    [
      {
        name: 'Scan',
        cell: ({ id, list }) => markup`<a href="/statistics/${id}/overview">${list}</a>`,
      },
      { name: 'Domains', cell: ({ domains }) => count(domains) },
      { name: 'Edition', cell: ({ citedAs }) => citedAs },
      { name: 'Began', cell: ({ startedAt }) => dayOf(startedAt) },
      { name: 'Ended', cell: ({ finishedAt }) => dayOf(finishedAt) },
    ],
    scans,
  );
  return markup`<div class="statistics">
    <h1>Statistics</h1>
    <p class="lead">Each scan observed the mail TLS of a list of domains: DNS records, policies, and one session with
      each mail server. The scans sent no mail.</p>
    ${scans.length === 0 ? markup`<p>No scan has finished yet.</p>` : markup`<div class="wide">${table}</div>`}
    <p class="soft"><a href="/about">Our visits to mail servers</a> · <a href="/opt-out">Opt out</a></p>
  </div>`;
}

export function titleOf(name: string): string {
  return pageNames[name] ?? name;
}

/**
 * Returns a chart with the shares of domains as bars. The table after the chart has the
 * same numbers.
 */
function chart({ numbers }: NumbersPage): Markup {
  const shown = numbers.filter(({ domains }) => domains.of > 0);
  if (shown.length === 0) return markup`<p>No domain has data for these numbers.</p>`;
  return markup`<figure>
    <ul class="bars">${shown.map(bar)}</ul>
    <figcaption class="soft">Shares of domains whose answer is known.</figcaption>
  </figure>`;
}

function bar({ says, domains: { n, of } }: PageNumber): Markup {
  return markup`<li><b>${percent(n, of)}</b> ${says}
    <svg class="bar" viewBox="0 0 ${of} 1" preserveAspectRatio="none" aria-hidden="true"><rect class="none" width="${of}" height="1" />
      <rect class="sign" width="${n}" height="1" /></svg></li> `;
}

function numbersTable({ name, numbers }: NumbersPage): Markup {
  const share = ({ n, of }: UnitCount): string => percent(n, of);
  return dataTable(
    `${titleOf(name)}: numbers`,
    [
      { name: 'Domains', cell: ({ says }: PageNumber) => says },
      { name: 'Of the domains', cell: ({ of }) => of },
      { name: 'Number', cell: ({ domains: { n, of } }) => `${count(n)} of ${count(of)}` },
      { name: 'Share', cell: ({ domains }) => share(domains) },
      { name: 'By mail host', cell: ({ mailHosts }) => share(mailHosts) },
      { name: 'By operator', cell: ({ operators }) => share(operators) },
      {
        name: 'Unknown',
        cell: ({ domains: { of, unknown } }) => percent(unknown, of + unknown),
      },
    ],
    numbers,
  );
}

/**
 * Returns the description of the sampling and inference of a scan, with the measured
 * error.
 */
function methodNote(method: ScanMethod | undefined): Markup {
  if (!method)
    return markup`<p>This scan did not store how many of its results were inferred from other names.</p>`;
  const { visited, inferred, unreached, optedOut, checked, wrong, errorAtMost } = method;
  return markup`<p>${count(visited)} mail host names were visited at an address. ${count(inferred)} others are inferred: names of one
      provider that showed the same result at several visits. ${count(unreached)} could not be reached or were not part of a sample, and ${count(optedOut)} opted out. The results of these names are unknown.</p>
    <p>${
      checked === 0
        ? 'No inferred name was visited to measure the error of inference, so its size is unknown.'
        : markup`Of ${count(checked)} names that were visited to measure the error of inference, ${count(wrong)} differed: with
      95 % confidence at most ${percent(errorAtMost, 1)} of the inferred results are wrong.`
    } A scan never infers the result of a name with a policy or TLSA records.</p>`;
}

function operatorsTable(operators: ScanNumbers['operators'], { domains }: FinishedScan): Markup {
  const table = dataTable(
    'Operators of mail hosts',
    [
      { name: 'Operator', cell: ({ name }) => name },
      { name: 'Domains', cell: ({ domains: n }) => count(n) },
      { name: 'Share', cell: ({ domains: n }) => percent(n, domains) },
    ],
    operators,
  );
  return markup`<h2>Operators of mail hosts</h2>
    <p>A domain with hosts of several operators is included in each row.</p>
    <div class="wide">${table}</div>`;
}

function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, '\u2009');
}

function percent(part: number, of: number): string {
  return of === 0 ? '–' : `${((100 * part) / of).toFixed(1)} %`;
}

function daysOf({ startedAt, finishedAt }: FinishedScan): string {
  const [first, last] = [dayOf(startedAt), dayOf(finishedAt)];
  return first === last ? `on ${first}` : `from ${first} to ${last}`;
}

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}
