import type { Account } from '../../access/account-table.js';
import type { AuditLine } from '../../access/audit-log.js';
import { PASSWORD_LENGTH } from '../../access/password-hash.js';
import { roles } from '../../roles.js';
import type { Session } from '../../access/session-table.js';
import { sentenceOf } from '../../failures.js';
import { badge, dataTable, markup, type Markup } from '../../../page/index.js';
import { minuteOfTime, operatorPage } from './operator-layout.js';

/** Returns a form with one button that sends the token of the session to a path. */
export function actionButton(action: string, token: string, says: string): Markup {
  return markup`<form method="post" action="${action}"><input type="hidden" name="token" value="${token}" />
    <button class="link">${says}</button></form>`;
}

/**
 * Returns the problem of a submitted form, to be shown above the form; false without a
 * problem.
 */
export function problemLine(code: string | undefined): Markup | false {
  if (code === undefined) return false;
  const { message, fix } = sentenceOf(code);
  return markup`<p class="problem" role="alert"><b>${message}</b> ${fix}</p>`;
}

/**
 * Returns the page of sessions, with buttons to end them. `current`: the session of the
 * request.
 */
export function sessionsPage(
  sessions: readonly Session[],
  { current, token }: { readonly current: string | undefined; readonly token: string },
): readonly Markup[] {
  const lead =
    current === undefined
      ? 'Sessions of all accounts. The loopback port needs no session.'
      : 'If you do not recognise a session, end it and change the password.';
  return operatorPage({ title: 'Sessions', lead }, [
    sessions.length === 0
      ? markup`<p>No session is open.</p>`
      : markup`<section class="wide">${dataTable(
          'Sessions, the last request first',
          [
            { name: 'Account', cell: ({ name }: Session) => name },
            { name: 'Sign-in', cell: ({ way }) => way },
            { name: 'Began', cell: ({ createdAt }) => minuteOfTime(createdAt) },
            { name: 'Last request', cell: ({ seenAt }) => minuteOfTime(seenAt) },
            { name: 'Network', cell: ({ network }) => network },
            { name: 'Browser', cell: ({ agent }) => agent },
            {
              name: 'End',
              cell: ({ id }) =>
                id === current
                  ? badge('this session', 'quiet')
                  : actionButton(`/o/sessions/${id}/end`, token, 'End'),
            },
          ],
          sessions,
        )}</section>`,
    current !== undefined &&
      markup`<section><h2>Sign out everywhere</h2>
        <p>Ends all sessions of your account, including this session. API tokens stay valid.</p>
        <form method="post" action="/o/sessions/end-all"><input type="hidden" name="token" value="${token}" />
          <button class="plain">Sign out everywhere</button></form></section>`,
  ]);
}

/** The data of the page of accounts: the list, and the problem of a refused form. */
export interface UsersView {
  readonly accounts: readonly Account[];
  /** The names of the customers in the configuration. */
  readonly customers: readonly string[];
  readonly token: string;
  readonly problem?: string | undefined;
}

/** Returns the page of local accounts, with a form to add an account. */
export function usersPage({ accounts, customers, token, problem }: UsersView): readonly Markup[] {
  const lead =
    accounts.length === 0
      ? 'This installation has no local accounts. Accounts of an identity provider are not listed here.'
      : 'Local accounts. Accounts of an identity provider are not listed here.';
  return operatorPage({ title: 'Users', lead }, [
    accounts.length > 0 &&
      markup`<section class="wide">${dataTable(
        'Local accounts',
        [
          { name: 'Name', cell: ({ name }: Account) => name },
          { name: 'Role', cell: ({ role }) => role },
          { name: 'Domains', cell: (account) => account.customers?.join(', ') ?? 'all' },
          { name: 'Created', cell: ({ createdAt }) => minuteOfTime(createdAt) },
          {
            name: 'Remove',
            cell: ({ name }) => actionButton(`/o/users/${name}/remove`, token, 'Remove'),
          },
        ],
        accounts,
      )}</section>`,
    markup`<section><h2>Add a user</h2>${problemLine(problem)}
      <form class="field" method="post" action="/o/users">
        <input type="hidden" name="token" value="${token}" />
        <label for="name">Name</label>
        <input id="name" name="name" required maxlength="64" autocomplete="off" autocapitalize="none" />
        <label for="password">Password, at least ${PASSWORD_LENGTH.least} characters</label>
        <input id="password" name="password" type="password" required minlength="${PASSWORD_LENGTH.least}"
          maxlength="${PASSWORD_LENGTH.most}" autocomplete="new-password" />
        <label for="role">Role</label>
        <select id="role" name="role">${roles.map((role) => markup`<option>${role}</option>`)}</select>
        <label for="customers">Customers</label>
        <input id="customers" name="customers" maxlength="2000" autocomplete="off" autocapitalize="none"
          aria-describedby="customers-hint" />
        <p class="hint" id="customers-hint">Names separated by commas; empty for all domains.
          ${customers.length > 0 && `Configured: ${customers.slice(0, 50).join(', ')}.`}</p>
        <p><button>Add</button></p>
      </form></section>`,
  ]);
}

/** Returns the page of the audit log, the newest entry first. */
export function auditPage(entries: readonly AuditLine[], hasMore: boolean): readonly Markup[] {
  const lead = 'Sign-ins and changes. The daemon changes no entry, and keeps entries for 400 days.';
  return operatorPage({ title: 'Audit log', lead }, [
    entries.length === 0
      ? markup`<p>The log is empty.</p>`
      : markup`<section class="wide">${dataTable(
          'Audit log, the newest entry first',
          [
            { name: 'Time', cell: ({ at }: AuditLine) => minuteOfTime(at) },
            { name: 'Account', cell: ({ actor }) => actor },
            { name: 'Sign-in', cell: ({ way }) => way },
            { name: 'Network', cell: ({ network }) => network },
            { name: 'Action', cell: ({ action }) => action },
            { name: 'Object', cell: ({ subject }) => subject },
            {
              name: 'Outcome',
              cell: ({ outcome }) => badge(outcome, outcome === 'done' ? 'quiet' : 'bad'),
            },
          ],
          entries,
        )}</section>`,
    hasMore &&
      markup`<p><a href="/o/audit?before=${entries.at(-1)?.id ?? 0}">Older entries</a></p>`,
  ]);
}
