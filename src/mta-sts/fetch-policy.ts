import { fail, ok, type Failure, type Name, type Result } from '../base/index.js';
import { lookupAddresses, type Resolver } from '../dns/index.js';
import { httpFailures, request } from '../http/index.js';
import type { Network } from '../net/index.js';
import type { Certificate, TrustStore } from '../x509/index.js';
import { stsFailures } from './failures.js';
import { parsePolicy, type StsPolicy } from './parse-policy.js';

/**
 * The input of {@link fetchPolicyAt}: a policy domain and the addresses of its policy
 * host.
 */
export interface FetchPolicyAtOptions {
  readonly network: Network;
  /** Literal addresses of the policy host, tried in turn. */
  readonly addresses: readonly string[];
  /** The policy domain. */
  readonly domain: Name;
  readonly anchors: TrustStore;
  /** Time at which the certificate must be valid, milliseconds since 1970. */
  readonly validationTime: number;
  /** Default 443. */
  readonly port?: number;
  /** Milliseconds for the whole fetch. Default 60 000 (RFC 8461 §3.3). */
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
  const parsedHost = domain.prepend('mta-sts');
  if (!parsedHost.ok) return fail(stsFailures.make('sts-policy-host-missing', domain.toString()));
  const found = await lookupAddresses(resolver, parsedHost.value, signal ? { signal } : {});
  if (found.status === 'absent')
    return fail(stsFailures.make('sts-policy-host-missing', parsedHost.value.toString()));
  if (found.status === 'failed')
    return fail(
      stsFailures.make(
        'sts-policy-unreachable',
        `${parsedHost.value.toString()}: ${found.failure?.code ?? 'no answer'}`,
      ),
    );
  return fetchPolicyAt({ ...options, addresses: [...found.v4, ...found.v6] });
}

/**
 * Fetches the policy from known addresses. A publisher uses it to check each address of
 * its policy host.
 */
export async function fetchPolicyAt(options: FetchPolicyAtOptions): Promise<Result<FetchedPolicy>> {
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
  const response = await request({
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
  // RFC 9110 §8.4: the request accepts none, so some senders read the encoded octets.
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

/** A server error may end by itself (RFC 9110 §15.6, RFC 6585 §4), another status does not. */
function statusFailure(status: number): Failure {
  const failure = stsFailures.make('sts-policy-http-status', `status ${status}`);
  return { ...failure, temporary: status >= 500 || status === 429 || status === 408 };
}

/**
 * Maps an HTTP failure: an invalid certificate is a permanent fault of the publisher, all
 * other failures may be temporary.
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
