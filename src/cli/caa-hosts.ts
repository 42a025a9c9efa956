import { Name } from '../base/index.js';
import { lookupCaa, RRType, type Resolver } from '../dns/index.js';
import type { Evidence } from '../evidence/index.js';
import type { CaaHost, CertificateInUse } from '../publish/index.js';
import type { AccountBinding } from '../server/index.js';
import { caaIssuersOf, parseCertificate, spkiSha256 } from '../x509/index.js';

/**
 * Collects the facts behind the CAA records of a domain: for each of its hosts that the
 * account certifies, the records that apply today and the certificates that the host
 * presents.
 */
export function collectCaaHosts(
  evidence: Evidence,
  binding: AccountBinding,
  resolver: Resolver,
  signal?: AbortSignal,
): Promise<readonly CaaHost[]> {
  const { domain: domainName, hosts } = evidence;
  const mailHosts = new Set(hosts.map(({ name }) => name));
  const names = binding.hosts.filter(
    (hostName) => mailHosts.has(hostName) || `.${hostName}`.endsWith(`.${domainName}`),
  );
  return Promise.all(
    names.map(async (hostName): Promise<CaaHost> => {
      const name = Name.of(hostName);
      const [found, address] = await Promise.all([
        lookupCaa(resolver, name, { signal }),
        resolver.ask(name, RRType.A, { signal, acceptUnvalidated: true }),
      ]);
      const { status, aliases, canonicalName } = address;
      return {
        name: hostName,
        at: found.at.toLower(),
        isUnknown: found.status === 'failed' || status === 'failed',
        alias: aliases.length > 0 ? canonicalName.toLower() : undefined,
        properties: found.properties,
        inUse: inUseOf(evidence, hostName, binding.keys),
      };
    }),
  );
}

/**
 * Returns the distinct leaves of public CAs that the host presents, at port 25 or as
 * policy host.
 */
function inUseOf(
  { hosts, mtaSts, domain }: Evidence,
  hostName: string,
  keys: ReadonlySet<string>,
): readonly CertificateInUse[] {
  const mail = hosts
    .filter(({ name }) => name === hostName)
    .flatMap(({ addresses }) => addresses.flatMap(({ connections }) => connections))
    .flatMap(({ handshake }) =>
      handshake?.pkix.chain === 'trusted' ? (handshake.chain[0] ?? []) : [],
    );
  const policy =
    hostName === `mta-sts.${domain}`
      ? [
          mtaSts.policyHost?.chain[0] ?? [],
          ...(mtaSts.policyAddresses ?? []).map(({ chain }) => chain?.[0] ?? []),
        ].flat()
      : [];
  return [...new Set([...mail, ...policy])].flatMap((leaf): readonly CertificateInUse[] => {
    const parsed = parseCertificate(Buffer.from(leaf, 'base64'));
    if (!parsed.ok) return [];
    const certificate = parsed.value;
    return [
      {
        issuers: caaIssuersOf(certificate),
        issuer: certificate.issuerText,
        names: certificate.dnsNames,
        isOwn: keys.has(spkiSha256(certificate)),
      },
    ];
  });
}
