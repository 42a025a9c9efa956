import { sentenceOf } from '../failures.js';

/** A refusal as a problem document (RFC 9457). */
export interface Problem {
  readonly type: string;
  /** The reason phrase of the status. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** The stable code, which docs/errors.md describes. */
  readonly code: string;
  /** The next step, as an imperative. */
  readonly fix: string;
}

/** The HTTP status of each refusal. Any other code has status 400. */
const statuses: Readonly<Record<string, number>> = {
  'web-foreign-form': 403,
  'web-operator-only': 403,
  'web-sign-in-needed': 401,
  'web-sign-in-failed': 401,
  'web-sign-in-limit': 429,
  'web-sign-in-busy': 503,
  'web-role-missing': 403,
  'web-scope-missing': 403,
  'web-customers-only': 403,
  'web-form-stale': 403,
  'web-oidc-failed': 401,
  'web-grant-missing': 403,
  'web-token-invalid': 422,
  'web-mute-invalid': 422,
  'web-token-limit': 409,
  'web-key-reused': 409,
  'web-batch-limit': 429,
  'web-reports-absent': 404,
  'web-reports-later': 503,
  'report-too-large': 413,
  'web-token-rate': 429,
  'web-user-invalid': 422,
  'web-user-exists': 409,
  'web-user-unknown': 404,
  'web-customer-unknown': 422,
  'web-password-short': 422,
  'web-check-unknown': 404,
  'web-page-unknown': 404,
  'web-statistics-absent': 404,
  'web-statistics-unknown': 404,
  'web-statistics-away': 503,
  'web-plan-absent': 404,
  'web-plan-pending': 503,
  'web-plan-failed': 503,
  'web-check-unfinished': 409,
  'web-domain-invalid': 422,
  'web-domain-local': 422,
  'web-method-unknown': 405,
  'web-domain-outside': 422,
  'web-client-limit': 429,
  'web-domain-limit': 429,
  'web-again-early': 429,
  'web-queue-full': 503,
  'web-not-saved': 503,
  'web-check-broken': 500,
  'sender-test-absent': 404,
  'sender-slot-unknown': 404,
  'sender-client-limit': 429,
  'sender-slots-taken': 503,
};

/** The reason phrases of the used statuses (RFC 9110 §15). */
const phrases: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Returns the HTTP status of a refusal. */
export function statusOf(code: string): number {
  return statuses[code] ?? 400;
}

/**
 * Returns the problem document for a failure code. `about`: a text that is added to the
 * sentence.
 */
export function problemOf(code: string, about = ''): Problem {
  const { message, fix } = sentenceOf(code);
  const status = statusOf(code);
  const detail = about === '' ? message : `${message} ${about}`;
  return { type: 'about:blank', title: phrases[status] ?? '', status, detail, code, fix };
}

/**
 * Returns a response with a problem document, and with `retrySeconds` in the field
 * `Retry-After`.
 */
export function problemResponse(code: string, retrySeconds?: number, about?: string): Response {
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (retrySeconds !== undefined) headers.set('retry-after', String(retrySeconds));
  // A 401 response must name an authentication scheme (RFC 9110 §15.5.2).
  if (statusOf(code) === 401) headers.set('www-authenticate', 'Bearer realm="hermetic"');
  return new Response(`${JSON.stringify(problemOf(code, about))}\n`, {
    status: statusOf(code),
    headers,
  });
}
