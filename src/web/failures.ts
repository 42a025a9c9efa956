import { defineFailures } from '../base/index.js';

/** Requests that the pages and the API refuse. */
export const webFailures = defineFailures({
  'web-domain-invalid': {
    blame: 'local',
    temporary: false,
    message: 'The text is not a domain name.',
    fix: 'Give the part after the @ of a mail address, such as example.com.',
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
    message: 'The request was sent by a page of another site.',
    fix: 'Start the check from this page or from the API.',
  },
  'web-client-limit': {
    blame: 'local',
    temporary: true,
    message: 'Too many checks were started from this address.',
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
    fix: 'Wait for the time that Retry-After gives, or read the present result.',
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
    message: 'There is no check with this id, or its result was deleted after its time.',
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
    message: 'The servers of the domain answered too slowly, and the check was stopped.',
    fix: 'Check again later, or run hermetic check on your own machine, which waits longer.',
  },
  'web-check-broken': {
    blame: 'local',
    temporary: true,
    message: 'The check could not be completed on this machine.',
    fix: 'Check again later. The log of the daemon has the reason.',
  },
  'web-page-unknown': {
    blame: 'local',
    temporary: false,
    message: 'There is no page at this address.',
    fix: 'Start at the first page.',
  },
  'web-operator-only': {
    blame: 'local',
    temporary: false,
    message: 'Operator pages answer on the loopback port of the operator only.',
    fix: 'Set pages.operatorPort, and open that port on this machine or through an SSH tunnel.',
  },
});

/** A code of {@link webFailures}. */
export type WebFailureCode = keyof typeof webFailures.entries;

/** The sentence of a failure for people: the fact and the next step. */
export function sentenceOf(code: string): { readonly message: string; readonly fix: string } {
  return webFailures.find(code) ?? webFailures.entries['web-check-broken'];
}
