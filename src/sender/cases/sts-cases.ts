import type { CaseHost, CasePolicy, SenderCase } from './sender-case.js';

interface Traits extends Pick<
  SenderCase,
  'id' | 'says' | 'tells' | 'clause' | 'rules' | 'quick' | 'contrast'
> {
  readonly policy?: Partial<CasePolicy>;
  readonly host?: CaseHost;
  readonly decidedAt?: SenderCase['decidedAt'];
  readonly withdrawn?: true;
}

function withPolicy(expect: SenderCase['expect'], traits: Traits): SenderCase {
  const { host = {}, policy = {}, ...rest } = traits;
  return {
    group: 'mta-sts',
    expect,
    evidenceOf: ['mta-sts'],
    decidedAt: 'certificate',
    zone: { dnssec: 'insecure' },
    ...rest,
    host,
    policy: { mode: 'enforce', ...policy },
  };
}

/**
 * Domains with MTA-STS and without DNSSEC. If the policy of a case is void, its mail host
 * has a self-signed certificate, which reveals a sender that applies the policy anyway.
 */
export const stsCases: readonly SenderCase[] = [
  withPolicy('deliver', {
    id: 'sts',
    contrast: 'plain',
    says: 'valid certificate and policy, mode enforce',
    tells: 'whether the sender fetches the policy, and delivers under it',
    clause: 'RFC 8461 §5',
    rules: '[8461-5-1]',
    quick: true,
  }),
  withPolicy('refuse', {
    id: 'sts-self-signed',
    contrast: 'self-signed',
    says: 'mode enforce, self-signed certificate',
    tells: 'whether the sender verifies the chain',
    clause: 'RFC 8461 §4.2',
    rules: '[8461-4.2-1, 8461-5-1]',
    host: { certificate: 'self-signed' },
    quick: true,
  }),
  withPolicy('refuse', {
    id: 'sts-expired',
    contrast: 'expired',
    says: 'mode enforce, expired certificate',
    tells: 'whether the sender verifies the dates of the certificate',
    clause: 'RFC 8461 §4.2',
    rules: '[8461-4.2-1, 8461-5-1]',
    host: { certificate: 'expired' },
  }),
  withPolicy('refuse', {
    id: 'sts-wrong-name',
    contrast: 'wrong-name',
    says: 'mode enforce, certificate for another name',
    tells: 'whether the sender verifies the name of the MX host',
    clause: 'RFC 8461 §4.2',
    rules: '[8461-4.2-1, 8461-5-1]',
    host: { certificate: 'wrong-name' },
  }),
  withPolicy('refuse', {
    id: 'sts-clear',
    contrast: 'clear',
    says: 'mode enforce, no STARTTLS',
    tells: 'whether the sender sends no mail over a stripped connection',
    clause: 'RFC 8461 §5',
    rules: '[8461-5-1]',
    decidedAt: 'ehlo',
    host: { starttls: 'absent' },
    quick: true,
  }),
  withPolicy('refuse', {
    id: 'sts-mx',
    contrast: 'plain',
    says: 'mode enforce, but the policy does not list the MX host',
    tells: 'whether the sender compares the MX host with the policy',
    clause: 'RFC 8461 §5',
    rules: '[8461-5-1, 8461-4.1-2]',
    decidedAt: 'policy',
    policy: { mx: 'other-host' },
  }),
  withPolicy('deliver', {
    id: 'sts-testing',
    contrast: 'self-signed',
    says: 'mode testing, self-signed certificate',
    tells: 'whether the sender delivers in mode testing',
    clause: 'RFC 8461 §5',
    rules: '[8461-5-2]',
    host: { certificate: 'self-signed' },
    policy: { mode: 'testing' },
  }),
  withPolicy('deliver', {
    id: 'sts-none',
    contrast: 'self-signed',
    says: 'mode none, self-signed certificate',
    tells: 'whether the sender treats mode none as no policy',
    clause: 'RFC 8461 §5',
    rules: '[8461-5-2]',
    host: { certificate: 'self-signed' },
    policy: { mode: 'none' },
  }),
  withPolicy('deliver', {
    id: 'sts-policy-cert',
    contrast: 'self-signed',
    says: 'the policy host has an untrusted certificate: the policy is invalid',
    tells: 'whether the sender verifies the policy host',
    clause: 'RFC 8461 §3.3',
    rules: '[8461-3.3-3, 8461-3.3-11]',
    host: { certificate: 'self-signed' },
    policy: { certificate: 'self-signed' },
  }),
  withPolicy('deliver', {
    id: 'sts-redirect',
    contrast: 'self-signed',
    says: 'the policy host redirects: the policy is invalid',
    tells: 'whether the sender refuses redirects',
    clause: 'RFC 8461 §3.3',
    rules: '[8461-3.3-6]',
    host: { certificate: 'self-signed' },
    policy: { reply: 'redirect' },
  }),
  withPolicy('deliver', {
    id: 'sts-not-found',
    contrast: 'self-signed',
    says: 'the policy host answers with status 404: the policy is invalid',
    tells: 'whether the sender uses a policy only with status 200',
    clause: 'RFC 8461 §3.3',
    rules: '[8461-3.3-5]',
    host: { certificate: 'self-signed' },
    policy: { reply: 'not-found' },
  }),
  withPolicy('inform', {
    id: 'sts-wrong-type',
    contrast: 'self-signed',
    says: 'the policy has media type text/html',
    tells: 'whether the sender requires text/plain, as it should',
    clause: 'RFC 8461 §3.2',
    rules: '[8461-3.2-2]',
    host: { certificate: 'self-signed' },
    policy: { reply: 'wrong-type' },
  }),
  withPolicy('deliver', {
    id: 'sts-two-records',
    contrast: 'self-signed',
    says: 'two MTA-STS records: there is no policy',
    tells: 'whether the sender ends discovery at two records',
    clause: 'RFC 8461 §3.1',
    rules: '[8461-3.1-8]',
    host: { certificate: 'self-signed' },
    policy: { records: 2 },
  }),
  withPolicy('refuse', {
    id: 'sts-cached',
    contrast: 'clear',
    says: 'the sender caches a policy, then its record, its policy host and STARTTLS disappear',
    tells: 'whether a cached policy stays in force while an attacker blocks its source',
    clause: 'RFC 8461 §5.1',
    rules: '[8461-3.3-10]',
    decidedAt: 'ehlo',
    withdrawn: true,
  }),
];
