/**
 * Pages and an API for people: the public check page, and the pages of the operator on
 * the loopback port.
 *
 * A visitor types a domain. The check joins a queue, its page fills in while it runs, and
 * the same address keeps the result. Everything is rendered on the server by the `markup`
 * template of `page`, which escapes every value; a script of a few kilobytes adds live
 * progress, and every page works without it.
 *
 * A public check page must not serve attacks on mail servers. The visitor chooses the
 * domain and its owner chooses the MX host, so the operator of a mail server has chosen
 * neither:
 *
 * - `checks/` bounds checks for each client, each organisational domain and each mail
 *   server, keeps one visitor at a server, and honours opt-out lists and records;
 * - connections go through the guarded network, and never to a private address;
 * - results are unlisted: their address is random, and no page lists them.
 *
 * `access/` decides which account reaches which route: one table of all routes, accounts
 * with roles, sessions, and an audit log. Without sign-in, the operator pages answer on the
 * loopback port alone.
 *
 * `pages/` turns data into HTML and is pure; `routes/` connects paths to functions and is
 * thin. Answers come from the jobs (`check`, `tls-rpt-receive`, `publish`, `watch`,
 * `send`): nothing is computed twice. This part opens no port: `handler` has the form of
 * the daemon's web handlers. The framework is loaded by `openPages` and not before.
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
