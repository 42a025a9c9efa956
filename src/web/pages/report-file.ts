import { displayName } from '../../base/index.js';
import { markup, pageShell } from '../../page/index.js';
import { domainHeadline, type DomainView } from '../../tls-rpt-receive/index.js';
import { domainReportSections } from './operator/domain-page.js';
import { operatorPage } from './operator/operator-layout.js';
import { siteStyle } from './site-style.js';

/**
 * Returns the reports about a domain as one HTML file without scripts or external files.
 * The file has the content of the site's page about the domain, without the navigation.
 * `version`: the version of the program, for the footer.
 */
export function renderReportFile(view: DomainView, version: string): string {
  const { domain, from, to } = view;
  const name = displayName(domain);
  return pageShell({
    title: `TLS reports about ${name}`,
    top: 'Hermetic · reports of sending servers',
    date: to,
    main: [
      ...operatorPage({ title: name, lead: domainHeadline(view) }, []),
      domainReportSections(view),
    ].flat(),
    footer: markup`<p class="fine">Reports of mail servers about TLS (RFC 8460), ${from} to ${to}.
      Hermetic ${version}</p>`,
    style: siteStyle,
  });
}
