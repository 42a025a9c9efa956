import type { StsUse } from '../sender-model.js';

/** Programs that answer `smtp_tls_policy_maps` over a socket. */
export const policyServers = ['hermetic', 'mta-sts-resolver', 'tlspol'] as const;
export type PolicyServer = (typeof policyServers)[number];

/** The reason of a fact that the program behind a table decides. */
export const unnamedServer =
  'the program that answers the table is not known: name it with --policy-server';

/** The treatment of a domain with both mechanisms by each policy server. */
export const policyServerUse: Readonly<Record<PolicyServer, StsUse>> = {
  // Answers dane-only if every host has TLSA records, else secure (docs/postfix.md).
  hermetic: { use: 'enforce', withDane: 'dane-alone', otherMediaType: 'void' },
  // Answers secure for every policy in mode enforce, so DANE of main.cf is replaced. The
  // program accepts a policy only with media type text/plain (resolver.py, is_plaintext).
  'mta-sts-resolver': { use: 'enforce', withDane: 'sts-alone', otherMediaType: 'void' },
  // Answers dane-only if it found usable TLSA records. The program reads no media type
  // (mta-sts.go, checkMtaSts).
  tlspol: { use: 'enforce', withDane: 'dane-alone', otherMediaType: 'used' },
};
