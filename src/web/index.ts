/**
 * Web pages and an HTTP API: the public check page, and the pages of the operator.
 *
 * A visitor enters a domain. The check enters a queue, its page shows the progress, and
 * the result stays at the same address. The server renders every page with the `markup`
 * template of `page`, which escapes every value. A script of a few kilobytes adds live
 * progress, but every page works without scripts.
 *
 * A public check page must not help attacks on mail servers. The visitor chooses the
 * domain, and the owner of the domain chooses the MX host, but the operator of the mail
 * server has not consented to a check:
 *
 * - `checks/` limits the checks of each client, each organisational domain and each mail
 *   server, lets one visitor at a time contact a server, and honours opt-out lists and
 *   records;
 * - a check never connects to a private address;
 * - results are unlisted: their address is random, and no page lists them.
 *
 * `access/` decides which account reaches which route: one table of all routes, accounts
 * with roles, sessions, and an audit log. Without sign-in, the operator pages are
 * available only on the loopback port.
 *
 * `pages/` turns data into HTML and is pure. `routes/` connects paths to functions and
 * contains little logic. Other parts (`check`, `tls-rpt-receive`, `publish`, `watch`,
 * `send`) compute the data. This part opens no port: the daemon passes each request to
 * `handler`. The framework is loaded only when `openPages` runs.
 *
 * @example
 * const pages = await openPages(pagesSection.parse({}), jobContext);
 * const response = await pages.handler(false)(new Request('http://localhost/'), peer);
 */
export { BATCHES_PATH, pagesSection, REPORTS_PATH, type PagesSettings } from './settings.js';
export { openPages, readOptOut, tablesOfPages, type Pages } from './app/open-pages.js';
export type { OpenPagesOptions } from './app/create-app.js';
export type { PlanSource } from './operator/plan-reader.js';
export type { PagesContext } from './checks/pages-context.js';
export { renderReportFile } from './pages/report-file.js';
export type { ExampleDomain } from './pages/home-page.js';
export type { ScanNumbers, StatisticsSource } from './statistics/statistics-source.js';
export { webFailures } from './failures.js';
export { AccountTable, parseAccountName, type Account } from './access/account-table.js';
export type { SignInSecrets } from './access/access-service.js';
export { hashPassword, isPassword } from './access/password-hash.js';
export { roles, type Role } from './roles.js';
