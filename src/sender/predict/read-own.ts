import { exemptionOf, type Exemption } from '../../tls-policy/index.js';
import { resolverFact, type ResolverState } from './assumptions.js';
import {
  known,
  ascendingTlsVersions,
  unknown,
  type DaneUse,
  type SenderModel,
  type SettingSource,
  type TlsRules,
} from './sender-model.js';

/** The settings of the senders of a daemon: section `policy` of hermetic.yaml. */
export interface OwnSettings {
  readonly observe: boolean;
  readonly daneWithInsecureMx: boolean;
  /** Domains whose policies are not enforced for a time. */
  readonly exemptions: readonly Exemption[];
  /** Whether the daemon sends TLS reports of its sessions. */
  readonly reports: boolean;
}

/** Input of {@link readOwn}. */
export interface OwnInput {
  readonly settings: OwnSettings;
  readonly domain: string;
  /** Milliseconds since 1970, to determine which exemptions have ended. */
  readonly now: number;
  readonly resolver?: ResolverState | undefined;
  /**
   * Whether the OpenSSL of the daemon's Node.js has the hybrid group; undefined: not
   * known.
   */
  readonly hybrid?: boolean | undefined;
}

/** Returns the model of a sender of Hermetic, as `policy` in hermetic.yaml sets it. */
export function readOwn(input: OwnInput): SenderModel {
  const { settings, domain, now, resolver: stated, hybrid } = input;
  const { observe, daneWithInsecureMx, exemptions } = settings;
  const exempt = exemptionOf(exemptions, domain, now) !== undefined;
  const waived = observe || exempt;
  const policy = sourceOf(exempt ? `exemptions: ${domain}` : `observe: ${String(observe)}`);
  const rules: SenderModel['rules'] = {
    tls: known('opportunistic', sourceOf('TLS if it is offered')),
    certificate: known({ kind: 'nothing' }, policy),
    dane: known(daneUse(waived, daneWithInsecureMx), policy),
    mtaSts: known(
      { use: waived ? 'observe' : 'enforce', withDane: 'both', otherMediaType: 'void' },
      policy,
    ),
    versions: known(ascendingTlsVersions, sourceOf('TLS 1.0 and later without a policy')),
    requiredVersions: known(ascendingTlsVersions.slice(2), sourceOf('TLS 1.2 and later by policy')),
    roots: known('some', sourceOf('trustStore')),
    serverName: known('mx-host', policy),
    library: ownLibrary(hybrid),
  };
  const resolver = resolverFact(stated ?? 'validates', rules);
  return {
    program: 'hermetic',
    version: undefined,
    domain,
    rules,
    fallback: known({ refused: 'plaintext', handshake: 'plaintext' }, policy),
    smartHost: known(undefined, policy),
    fallbackRelay: known(undefined, policy),
    families: known('both', policy),
    requireTls: known('enforce', sourceOf('REQUIRETLS is supported')),
    tlsReports: known(settings.reports ? 'yes' : 'no', sourceOf('reporting')),
    resolver: resolver.fact,
    destinations: [],
    assumptions: [],
    warnings: exemptions
      .filter(({ until }) => Date.parse(until) > now)
      .map(
        (exemption) => `The policies of ${exemption.domain} are not enforced: ${exemption.reason}`,
      ),
  };
}

/**
 * Returns the TLS of the sender itself (tls/handshake.ts): TLS 1.0 and every suite at
 * security level 0 without a policy, and at least TLS 1.2 with a policy. If the OpenSSL
 * of Node.js supports the hybrid group, the sender offers the group without a key share,
 * so that the ClientHello stays small.
 */
function ownLibrary(hybrid: boolean | undefined): TlsRules['library'] {
  const source = sourceOf('TLS settings of the sender');
  const yes = known(true, source);
  return {
    oldVersions: yes,
    oldVersionsVerified: yes,
    oldSuites: yes,
    smallHello: yes,
    hybridGroup:
      hybrid === undefined
        ? unknown('the result depends on the OpenSSL of Node.js: 3.5 has the group', source)
        : known(hybrid, { ...source, line: 'the OpenSSL of this Node.js' }),
  };
}

function daneUse(waived: boolean, daneWithInsecureMx: boolean): DaneUse {
  if (waived) return { use: 'observe' };
  const insecureMx = daneWithInsecureMx ? 'dane' : 'ignore';
  return { use: 'opportunistic', insecureMx, unusable: 'encrypt' };
}

function sourceOf(line: string): SettingSource {
  return { setting: 'policy', line };
}

/** A sender that uses every mechanism, and so gets the best possible results. */
export const fullSender: SenderModel = readOwn({
  settings: { observe: false, daneWithInsecureMx: true, exemptions: [], reports: true },
  domain: 'example.com',
  now: 0,
});
