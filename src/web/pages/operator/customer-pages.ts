import { countOf as countText, displayName } from '../../../base/index.js';
import { badge, dataTable, markup, type Markup, type Piece } from '../../../page/index.js';
import type { CustomerView } from '../../operator/customers.js';
import { urgencyOf, type OwnDomain } from '../../operator/own-domains.js';
import { domainPath, operatorPage } from './operator-layout.js';
import { attentionPhrase, severities } from './overview-page.js';

/** Returns the page of customers, one line for each, worst first. */
export function customersPage(customers: readonly CustomerView[]): readonly Markup[] {
  const worst = (view: CustomerView): number => Math.max(0, ...view.known.map(urgencyOf));
  const rows = [...customers].sort(
    (left, right) => worst(right) - worst(left) || left.name.localeCompare(right.name),
  );
  const lead =
    rows.length === 0
      ? 'The configuration groups no domains. Add pages.customers to show each customer its own.'
      : `${countText(rows.length, 'customer')}, worst first.`;
  return operatorPage({ title: 'Customers', lead }, [
    rows.length > 0 &&
      markup`<section class="wide own">${dataTable<CustomerView>(
        'Customers, worst first',
        [
          {
            name: 'Customer',
            cell: ({ name }) => markup`<a href="/o/customers/${name}">${name}</a>`,
          },
          { name: 'State', cell: (view) => stateBadge(worst(view)) },
          { name: 'Domains', cell: ({ configured }) => String(configured.length) },
          { name: 'Failing', cell: (view) => String(countOf(view, 3)) },
          { name: 'Attention', cell: (view) => String(countOf(view, 2)) },
        ],
        rows,
      )}</section>`,
  ]);
}

/**
 * Returns the page of one customer, with all its domains, including domains without data.
 */
export function customerPage({ name, configured, known }: CustomerView): readonly Markup[] {
  const names = new Set(known.map(({ domain }) => domain));
  const unknown = configured.filter((domain) => !names.has(domain));
  const lead = `${countText(configured.length, 'domain')}, ${known.filter((own) => urgencyOf(own) === 3).length} failing.`;
  return operatorPage({ title: name, lead }, [
    known.length > 0 &&
      markup`<section class="wide own">${dataTable<OwnDomain>(
        'Domains of the customer, worst first',
        [
          { name: 'Domain', cell: nameCell },
          { name: 'State', cell: (own) => stateBadge(urgencyOf(own)) },
          { name: 'Last check', cell: ({ watched }) => watched?.verdict ?? 'not watched' },
        ],
        known,
      )}</section>`,
    unknown.length > 0 &&
      markup`<section><h2>Not watched, published or reported</h2>
        <p>${unknown.slice(0, 500).map(displayName).join(', ')}</p></section>`,
  ]);
}

function nameCell(own: OwnDomain): Piece {
  return markup`<a href="${domainPath(own.domain)}">${displayName(own.domain)}</a>
    <span class="says">${attentionPhrase(own)}</span>`;
}

function countOf({ known }: CustomerView, severity: number): number {
  return known.filter((own) => urgencyOf(own) === severity).length;
}

function stateBadge(severity: number): Markup {
  const [word, tone] = severities[severity] ?? ['unknown', 'fair'];
  return badge(word, tone);
}
