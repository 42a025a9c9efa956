import { fail, ok, type Failure, type Name, type Result } from '../base/index.js';
import { lookupAddresses, type Resolver } from '../dns/index.js';
import { httpFailures, request, type HttpResponse } from '../http/index.js';
import type { NetFailureCode, Network } from '../net/index.js';
import type { Certificate, TrustStore } from '../x509/index.js';
import { stsFailures } from './failures.js';
import { parsePolicy, type StsPolicy } from './parse-policy.js';

/**
 * The input of {@link fetchPolicyAt}: a policy domain and the addresses of its policy
 * host.
 */
export interface FetchPolicyAtOptions {
  readonly network: Network;
  /** Literal addresses of the policy host, tried one after the other. */
  readonly addresses: readonly string[];
  /** The policy domain. */
  readonly domain: Name;
  readonly anchors: TrustStore;
  /** Time at which the certificate must be valid, milliseconds since 1970. */
  readonly validationTime: number;
  /** Default 443. */
  readonly port?: number;
  /** Time limit of the whole fetch, milliseconds. Default 60 000 (RFC 8461 §3.3). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** The input of {@link fetchPolicy}. */
export interface FetchPolicyOptions extends Omit<FetchPolicyAtOptions, 'addresses'> {
  readonly resolver: Resolver;
}

/** A policy, with the address and the certificates of the policy host that served it. */
export interface FetchedPolicy {
  readonly policy: StsPolicy;
  readonly body: string;
  readonly address: string;
  /** The validated path, leaf first and trust anchor last. */
  readonly chain: readonly Certificate[];
}

const MAX_BODY = 65_536;

/**
 * Looks up the policy host and fetches `https://mta-sts.DOMAIN/.well-known/mta-sts.txt`
 * (RFC 8461 §3.3). Requires a certificate valid for that name, status 200 and media type
 * text/plain. Redirects are not followed, nothing is cached, and the body is limited to
 * 64 KiB. Rejects only with `signal.reason`.
 *
 * [8461-3.2-1, 8461-3.2-2, 8461-3.3-5, 8461-3.3-6, 8461-3.3-7, 8461-3.3-9]
 */
export async function fetchPolicy(options: FetchPolicyOptions): Promise<Result<FetchedPolicy>> {
  const { resolver, domain, signal } = options;
  const found = await lookupPolicyHost(resolver, domain, signal);
  return found.ok ? fetchPolicyAt({ ...options, addresses: found.value.addresses }) : found;
}

/** The addresses of a policy host. */
export interface PolicyHostAddresses {
  /** `mta-sts.DOMAIN`. */
  readonly host: string;
  /**
   * The last name of the host's alias chain: many policy hosts are aliases of one
   * provider's host.
   */
  readonly canonicalName: string;
  /** IPv4 first. */
  readonly addresses: readonly string[];
}

/** Looks up the addresses of the policy host of a domain. Rejects only with `signal.reason`. */
export async function lookupPolicyHost(
  resolver: Resolver,
  domain: Name,
  signal?: AbortSignal,
): Promise<Result<PolicyHostAddresses>> {
  const parsedHost = domain.prepend('mta-sts');
  if (!parsedHost.ok) return fail(stsFailures.make('sts-policy-host-missing', domain.toString()));
  const host = parsedHost.value;
  const found = await lookupAddresses(resolver, host, signal ? { signal } : {});
  if (found.status === 'absent')
    return fail(stsFailures.make('sts-policy-host-missing', host.toString()));
  if (found.status === 'failed')
    return fail(
      stsFailures.make(
        'sts-policy-unreachable',
        `${host.toString()}: ${found.failure?.code ?? 'no answer'}`,
      ),
    );
  return ok({
    host: host.toLower(),
    canonicalName: found.canonicalName.toLower(),
    addresses: [...found.v4, ...found.v6],
  });
}

/** The result of a fetch from one address, without the policy. */
export interface PolicyHostReply {
  /** The TCP connection. */
  readonly dial: 'open' | NetFailureCode;
  /** False if no handshake completed, so that a sender tries the next address. */
  readonly secured: boolean;
  /** The status of the response; absent without a response. */
  readonly status?: number | undefined;
  /** Value of the field Retry-After in milliseconds (RFC 9110 §10.2.3). */
  readonly retryAfterMs?: number | undefined;
}

/** A fetch from one address: the policy, and the state of the server. */
export interface PolicyVisit {
  readonly fetched: Result<FetchedPolicy>;
  readonly reply: PolicyHostReply;
}

/**
 * Fetches the policy from one address, and reports the state of the server, so that the
 * caller can avoid a busy server.
 */
export async function visitPolicyHost(
  options: Omit<FetchPolicyAtOptions, 'addresses'> & { readonly address: string },
): Promise<PolicyVisit> {
  const { network, address } = options;
  let dial: PolicyHostReply['dial'] = 'net-local';
  const observed: Network = {
    exchange: (request) => network.exchange(request),
    dial: async (request) => {
      const dialled = await network.dial(request);
      dial = dialled.ok ? 'open' : dialled.failure.code;
      return dialled;
    },
  };
  const response = await requestPolicy({ ...options, network: observed, addresses: [address] });
  const reply = response.ok
    ? { status: response.value.status, retryAfterMs: retryAfter(response.value, options) }
    : {};
  const secured = response.ok || !withoutHandshake.has(response.failure.code);
  return { fetched: policyIn(response), reply: { dial, secured, ...reply } };
}

const withoutHandshake: ReadonlySet<string> = new Set([
  'http-unreachable',
  'http-tls-failed',
  'http-not-public',
]);

/**
 * Reads Retry-After, in seconds or as a date (RFC 9110 §10.2.3); undefined without a
 * valid field.
 */
function retryAfter(
  { headers }: Pick<HttpResponse, 'headers'>,
  { validationTime: now }: { readonly validationTime: number },
): number | undefined {
  const field = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,9}$/.test(field)) return Number(field) * 1000;
  // Date.parse would read a number as a year.
  const date = /^[A-Z][a-z]{2,8},? /.test(field) ? Date.parse(field) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Fetches the policy from known addresses. A publisher uses this function to check each
 * address of its policy host.
 */
export async function fetchPolicyAt(options: FetchPolicyAtOptions): Promise<Result<FetchedPolicy>> {
  return policyIn(await requestPolicy(options));
}

function requestPolicy(options: FetchPolicyAtOptions): Promise<Result<HttpResponse>> {
  const {
    network,
    addresses,
    domain,
    anchors,
    validationTime,
    port = 443,
    timeoutMs = 60_000,
    signal,
  } = options;
  return request({
    network,
    addresses,
    port,
    host: `mta-sts.${domain.toLower()}`,
    path: '/.well-known/mta-sts.txt',
    anchors,
    validationTime,
    maxBytes: MAX_BODY,
    timeoutMs,
    signal,
  });
}

/**
 * Returns the policy in a response, or the reason why a sender uses none (RFC 8461 §3.3).
 */
function policyIn(response: Result<HttpResponse>): Result<FetchedPolicy> {
  if (!response.ok) return fail(causeOf(response.failure));
  const { status, headers, body, whole, address, chainVerdict } = response.value;
  if (REDIRECTS.includes(status))
    return fail(
      stsFailures.make(
        'sts-policy-redirect',
        `status ${status} to ${headers['location'] ?? 'nowhere'}`,
      ),
    );
  if (status !== 200) return fail(statusFailure(status));
  const coding = headers['content-encoding']?.trim().toLowerCase();
  // RFC 9110 §8.4: the request accepts no content coding, so some senders parse the
  // encoded octets.
  if (coding !== undefined && coding !== '' && coding !== 'identity')
    return fail(stsFailures.make('sts-policy-invalid', `the body is encoded with ${coding}`));
  const type = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== 'text/plain')
    return fail(stsFailures.make('sts-policy-wrong-type', type || 'no Content-Type'));
  // A truncated body can still be valid: half of `mx: *.example.com` may name another
  // domain.
  if (!whole)
    return fail(
      stsFailures.make(
        'sts-policy-unreachable',
        'the connection ended without a TLS closure alert: the policy may have been cut short',
      ),
    );
  const policy = parsePolicy(body);
  if (!policy.ok) return policy;
  return ok({
    policy: policy.value,
    body: Buffer.from(body).toString('utf8'),
    address,
    chain: chainVerdict.path,
  });
}

/** Statuses that name another address for the policy (RFC 9110 §15.4). */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Returns the failure for an HTTP status. A server error may be temporary
 * (RFC 9110 §15.6, RFC 6585 §4); an error with any other status is not.
 */
function statusFailure(status: number): Failure {
  const failure = stsFailures.make('sts-policy-http-status', `status ${status}`);
  return { ...failure, temporary: status >= 500 || status === 429 || status === 408 };
}

/**
 * Returns the MTA-STS failure for an HTTP failure: an invalid certificate is a permanent
 * fault of the publisher, all other failures may be temporary.
 */
function causeOf(failure: Failure): Failure {
  const { code, detail } = failure;
  const message = (httpFailures.find(code)?.message ?? '').replace(/\.$/, '');
  const words = [message, detail].filter((part) => part !== '').join(': ');
  return stsFailures.make(policyCodeOf(code), `${words} (${code})`);
}

function policyCodeOf(
  httpCode: string,
):
  | 'sts-policy-webpki-invalid'
  | 'sts-policy-invalid'
  | 'sts-policy-host-not-public'
  | 'sts-policy-unreachable' {
  if (httpCode === 'http-not-public') return 'sts-policy-host-not-public';
  if (/^http-(certificate|tls)/.test(httpCode)) return 'sts-policy-webpki-invalid';
  return httpCode === 'http-too-large' ? 'sts-policy-invalid' : 'sts-policy-unreachable';
}
