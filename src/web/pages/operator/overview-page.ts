import { displayName } from '../../../base/index.js';
import { badge, dataTable, markup, type Markup, type Tone } from '../../../page/index.js';
import type { ServedPolicy } from '../../../publish/index.js';
import { overviewHeadline } from '../../../tls-rpt-receive/index.js';
import { urgencyOf, type OwnDomain, type OwnDomains } from '../../operator/own-domains.js';
import { domainPath, operatorPage } from './operator-layout.js';

/**
 * Maximum number of rows of the page. In a longer list the operator finds the other
 * domains with the search field.
 */
const MAX_ROWS = 200;

/** The words and tones for urgencies 0 to 3. */
export const severities: readonly (readonly [word: string, tone: Tone])[] = [
  ['ok', 'good'],
  ['unknown', 'fair'],
  ['attention', 'fair'],
  ['failing', 'bad'],
];

/**
 * Returns the page with all domains, one line for each, worst first. `query`: a part of
 * the names to show. `isWhole`: the account may see all domains, and therefore the sums
 * over them.
 */
export function overviewPage(
  { overview, domains }: OwnDomains,
  policyOf: (domain: string) => ServedPolicy | undefined,
  { query, isWhole }: { readonly query: string; readonly isWhole: boolean },
): readonly Markup[] {
  const matching = domains.filter(({ domain }) => domain.includes(query.toLowerCase()));
  const shown = matching.slice(0, MAX_ROWS);
  const lead = leadOf(domains);
  const table = dataTable<OwnDomain>(
    'Your domains, worst first',
    [
      { name: 'Domain', cell: nameCell },
      { name: 'State', cell: stateCell },
      { name: 'Last check', cell: ({ watched }) => watched?.verdict ?? 'not watched' },
      { name: 'Published here', cell: ({ domain }) => policyOf(domain)?.mode ?? 'none' },
    ],
    shown,
  );
  return operatorPage({ title: 'Your domains', lead }, [
    isWhole &&
      domains.length > 0 &&
      markup`<p class="more">Reports of ${overview.from} to ${overview.to}: ${overviewHeadline(overview)}</p>`,
    domains.length > 20 && search(query),
    domains.length > 0 ? markup`<section class="wide own">${table}</section>` : begin(isWhole),
    matching.length > shown.length &&
      markup`<p class="hint">${matching.length - shown.length} more domains. Search for a part of the name.</p>`,
  ]);
}

/**
 * Returns the first step for an account without domains. An account that is confined to
 * customers cannot change the configuration.
 */
function begin(isWhole: boolean): Markup {
  if (!isWhole) return markup`<p>Ask the operator of this service to add your domains.</p>`;
  return markup`<p>Add a section to the configuration of the daemon, and reload it:</p>
    <dl><dt><code>watch</code></dt><dd>checks your domains and sends an alarm when a fault begins or ends</dd>
      <dt><code>report</code></dt><dd>receives TLS reports about your domains, and explains the failures</dd>
      <dt><code>publish</code></dt><dd>publishes policies, certificates and TLSA records</dd></dl>`;
}

/** Returns the current state in one sentence. */
function leadOf(domains: readonly OwnDomain[]): string {
  const count = (severity: number): number =>
    domains.filter((domain) => urgencyOf(domain) === severity).length;
  const [failing, attention, unknown] = [count(3), count(2), count(1)];
  const many = (number: number): string => (number === 1 ? '1 domain' : `${number} domains`);
  if (domains.length === 0)
    return 'The daemon does not watch or publish any domain, and has received no reports yet.';
  if (failing + attention + unknown === 0) return `${many(domains.length)}, no faults.`;
  const verb = (number: number, one: string, more: string): string =>
    `${number} ${number === 1 ? one : more}`;
  const parts = [
    failing > 0 ? verb(failing, 'is failing', 'are failing') : '',
    attention > 0 ? verb(attention, 'needs attention', 'need attention') : '',
    unknown > 0 ? `the state of ${unknown} is unknown` : '',
  ].filter((part) => part !== '');
  const listed = [parts.slice(0, -1).join(', '), parts.at(-1) ?? ''].filter((part) => part !== '');
  return `Of ${many(domains.length)}, ${listed.join(' and ')}.`;
}

function nameCell(own: OwnDomain): Markup {
  return markup`<a href="${domainPath(own.domain)}">${displayName(own.domain)}</a>
    <span class="says">${attentionPhrase(own)}</span>`;
}

function stateCell(own: OwnDomain): Markup {
  const [word, tone] = severities[urgencyOf(own)] ?? ['unknown', 'fair'];
  return badge(word, tone);
}

/** Returns the most important fact about a domain, as one phrase. */
export function attentionPhrase({ failing, watched, reported }: OwnDomain): string {
  const [fault] = watched?.faults ?? [];
  if (failing?.ongoing === true)
    return `${failing.failed} of ${failing.failed + failing.successful} sessions failed since ${failing.since}`;
  if (fault) return fault.says;
  if (failing) return `failures until ${failing.last} have ended`;
  if (reported) return 'no failure in the reports of these days';
  return watched ? 'no reports in these days' : 'not watched, and no reports in these days';
}

function search(query: string): Markup {
  return markup`<form method="get" action="/o" class="field" role="search">
    <label for="q">Part of the name</label>
    <div class="line"><input id="q" name="q" value="${query}" maxlength="253" /><button class="plain">Search</button></div>
  </form>`;
}
