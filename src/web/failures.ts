import { defineFailures } from '../base/index.js';
import { slotFailures } from '../sender/index.js';
import { reportFailures } from '../tls-rpt/index.js';

/** The failures for requests that the pages and the API refuse. */
export const webFailures = defineFailures({
  'web-domain-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The text is not a domain name.',
    fix: 'Give the part after the @ of a mail address, such as example.com.',
  },
  'web-domain-local': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 6761 §6',
    message: 'The name belongs to a local network, which senders on the internet cannot reach.',
    fix: 'Give a domain of the public DNS.',
  },
  'web-method-unknown': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 9110 §15.5.6',
    message: 'The address does not accept this method.',
    fix: 'Use a method that the field Allow lists.',
  },
  'web-domain-outside': {
    blame: 'local',
    temporary: false,
    message: 'This page runs in the built-in lab, which does not have this domain.',
    fix: 'Choose one of the domains of the lab, or start again with --real.',
  },
  'web-request-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The request does not have the form that the API describes.',
    fix: 'Compare it with /api/v1/openapi.json.',
  },
  'web-foreign-form': {
    blame: 'local',
    temporary: false,
    message: 'A page of another site sent the request.',
    fix: 'Start the check from this page or from the API.',
  },
  'web-client-limit': {
    blame: 'local',
    temporary: true,
    message: 'This address started too many checks.',
    fix: 'Wait for the time that Retry-After gives.',
  },
  'web-domain-limit': {
    blame: 'local',
    temporary: true,
    message: 'Too many names of this organisation were checked in the last hour.',
    fix: 'Wait for the time that Retry-After gives.',
  },
  'web-again-early': {
    blame: 'local',
    temporary: true,
    message: 'This domain was checked a few minutes ago.',
    fix: 'Wait for the time that Retry-After gives, or read the current result.',
  },
  'web-queue-full': {
    blame: 'local',
    temporary: true,
    message: 'Too many checks are waiting.',
    fix: 'Try again in a few minutes.',
  },
  'web-check-unknown': {
    blame: 'local',
    temporary: false,
    message: 'No check has this id, or its retention period has ended.',
    fix: 'Check the domain again.',
  },
  'web-check-unfinished': {
    blame: 'local',
    temporary: true,
    message: 'The check has not finished yet.',
    fix: 'Wait for its result.',
  },
  'web-check-slow': {
    blame: 'peer',
    temporary: true,
    message: 'The servers of the domain answered too slowly, so Hermetic stopped the check.',
    fix: 'Check again later, or run hermetic check on your own machine. That command waits longer.',
  },
  'web-check-broken': {
    blame: 'local',
    temporary: true,
    message: 'This machine could not complete the check.',
    fix: 'Check again later. The log of the daemon has the reason.',
  },
  'web-not-saved': {
    blame: 'local',
    temporary: true,
    message: 'This machine cannot save checks at present.',
    fix: 'Check again later. The log of the daemon has the reason.',
  },
  'web-page-unknown': {
    blame: 'local',
    temporary: false,
    message: 'No page has this address.',
    fix: 'Correct the address, or begin at the first page.',
  },
  'web-plan-absent': {
    blame: 'local',
    temporary: false,
    message: 'This daemon does not publish the domain.',
    fix: 'Add the domain to the section publish; docs/publish.md shows the form.',
  },
  'web-plan-pending': {
    blame: 'local',
    temporary: true,
    message: 'The daemon still observes the name servers and mail servers of the domain.',
    fix: 'Wait a few seconds, and request the plan again.',
  },
  'web-plan-failed': {
    blame: 'local',
    temporary: true,
    message: 'The plan of the domain could not be computed.',
    fix: 'Run hermetic publish plan. The log of the daemon has the reason.',
  },
  'web-operator-only': {
    blame: 'local',
    temporary: false,
    message: 'The daemon serves operator pages only on the operator port.',
    fix: 'Set pages.operatorPort, and open that port on this machine or through an SSH tunnel.',
  },
  'web-sign-in-needed': {
    blame: 'local',
    temporary: false,
    message: 'The request has no session or token, or its session has ended.',
    fix: 'Sign in, or send a token in the field Authorization.',
  },
  'web-sign-in-failed': {
    blame: 'local',
    temporary: false,
    message: 'The name or the password is wrong.',
    fix: 'Correct them, or ask an admin to set a new password.',
  },
  'web-sign-in-limit': {
    blame: 'local',
    temporary: true,
    message: 'Too many attempts to sign in failed.',
    fix: 'Wait for the time that Retry-After gives.',
  },
  'web-sign-in-busy': {
    blame: 'local',
    temporary: true,
    message: 'Too many attempts to sign in are waiting.',
    fix: 'Try again in a few seconds.',
  },
  'web-role-missing': {
    blame: 'local',
    temporary: false,
    message: 'The role of this account does not permit the request.',
    fix: 'Ask an admin for another role.',
  },
  'web-scope-missing': {
    blame: 'local',
    temporary: false,
    message: 'The token does not have the scope of this request.',
    fix: 'Create a token with the scope that the description of the API names.',
  },
  'web-customers-only': {
    blame: 'local',
    temporary: false,
    message: 'This account is confined to customers, and the request concerns all domains.',
    fix: 'Use the pages of your own domains.',
  },
  'web-user-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The name or the role is invalid.',
    fix: 'Use up to 64 letters, digits and the characters . _ @ + -.',
  },
  'web-user-exists': {
    blame: 'local',
    temporary: false,
    message: 'An account of this name exists.',
    fix: 'Choose another name, or remove the account first.',
  },
  'web-user-unknown': {
    blame: 'local',
    temporary: false,
    message: 'No account has this name.',
    fix: 'List the accounts: hermetic user list.',
  },
  'web-customer-unknown': {
    blame: 'local',
    temporary: false,
    message: 'The configuration has no customer of this name.',
    fix: 'Add the customer to pages.customers, or correct the name.',
  },
  'web-password-short': {
    blame: 'local',
    temporary: false,
    message: 'The password has fewer than 12 characters, or more than 256.',
    fix: 'Choose another one.',
  },
  'web-token-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The label, the scopes or the days of the token are invalid.',
    fix: 'Give a label, at least one scope, and 1 to 365 days.',
  },
  'web-token-limit': {
    blame: 'local',
    temporary: false,
    message: 'The account has 50 tokens, the maximum.',
    fix: 'Revoke a token that you do not use.',
  },
  'web-statistics-absent': {
    blame: 'local',
    temporary: false,
    message: 'This installation shows no statistics of scans.',
    fix: 'Ask the operator to name the database of the scans in pages.statistics.',
  },
  'web-statistics-unknown': {
    blame: 'local',
    temporary: false,
    message: 'No finished scan has these statistics.',
    fix: 'Choose a scan from the list under /statistics.',
  },
  'web-statistics-away': {
    blame: 'local',
    temporary: true,
    message: 'The database of the scans cannot be read at present.',
    fix: 'Try again in a minute. The log of the daemon has the reason.',
  },
  'web-key-reused': {
    blame: 'local',
    temporary: false,
    message: 'An earlier request sent this Idempotency-Key with another body.',
    fix: 'Use a new key for a new request.',
  },
  'web-batch-limit': {
    blame: 'local',
    temporary: true,
    message: 'The account has ten unfinished batches, the maximum.',
    fix: 'Wait until one batch ends, or cancel one.',
  },
  'web-token-rate': {
    blame: 'local',
    temporary: true,
    message: 'The token sent too many requests in the last minute.',
    fix: 'Wait for the time that Retry-After gives.',
  },
  'web-reports-absent': {
    blame: 'local',
    temporary: false,
    message: 'This daemon does not receive reports.',
    fix: 'Add the section report; docs/receive-reports.md shows the form.',
  },
  'web-reports-later': {
    blame: 'local',
    temporary: true,
    message: 'The report is not stored, because a limit is reached or the database is busy.',
    fix: 'Send the report again after the time that Retry-After gives.',
  },
  'web-cursor-invalid': {
    blame: 'local',
    temporary: false,
    message: 'This API did not issue the cursor.',
    fix: 'Use the field next of the previous page, or omit the parameter.',
  },
  'web-mute-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The end of the mute is not within the next 30 days.',
    fix: 'Give a time in the future, at most 30 days from now.',
  },
  'web-oidc-failed': {
    blame: 'local',
    temporary: true,
    message: 'The sign-in with the provider was not completed.',
    fix: 'Begin again. The log of the daemon has the reason.',
  },
  'web-grant-missing': {
    blame: 'local',
    temporary: false,
    message: 'The account of the provider has no rights on these pages.',
    fix: 'Ask an admin to add the account to pages.signIn.grants.',
  },
  'web-form-stale': {
    blame: 'local',
    temporary: false,
    message: 'The form belongs to another session.',
    fix: 'Load the page again, and submit its form.',
  },
});

/** A code of {@link webFailures}. */
export type WebFailureCode = keyof typeof webFailures.entries;

/** Returns the human-readable sentences of a failure: the fact and the next step. */
export function sentenceOf(code: string): { readonly message: string; readonly fix: string } {
  return (
    webFailures.find(code) ??
    slotFailures.find(code) ??
    reportFailures.find(code) ??
    webFailures.entries['web-check-broken']
  );
}
