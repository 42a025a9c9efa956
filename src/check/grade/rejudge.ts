import { fromBase64 } from '../../base/index.js';
import type {
  ConnectionEvidence,
  Evidence,
  MtaStsEvidence,
  PolicyAddressEvidence,
  PresentedChain,
} from '../../evidence/index.js';
import { certificateFailure } from '../../http/index.js';
import { authenticateServer } from '../../tls/index.js';
import { parseChain, type TrustStore } from '../../x509/index.js';
import { judgeChain } from '../judge-chain.js';

/**
 * Returns evidence whose saved chains are judged by another trust store, at the time of
 * the evidence. A sender with this store obtains no policy from a policy host that the
 * store does not trust [8461-3.3-1]. The policy is not known in the reverse case: the
 * check requested no policy from a policy host with an untrusted certificate.
 */
export function rejudge(evidence: Evidence, trustStore: TrustStore): Evidence {
  const validationTime = Date.parse(evidence.collectedAt);
  const judged = <Chain extends PresentedChain>(presented: Chain): Chain => ({
    ...presented,
    pkix: judgeChain(parseChain(octetsOf(presented.chain)), trustStore, validationTime),
  });
  const connectionOf = (connection: ConnectionEvidence): ConnectionEvidence => {
    const { handshake, withoutSni, presented } = connection;
    return {
      ...connection,
      ...(handshake && { handshake: judged(handshake) }),
      ...(withoutSni && { withoutSni: judged(withoutSni) }),
      ...(presented && { presented: judged(presented) }),
    };
  };
  return {
    ...evidence,
    trustStores: trustStore.sources,
    mtaSts: rejudgePolicy(evidence, trustStore, validationTime),
    hosts: evidence.hosts.map((host) => ({
      ...host,
      addresses: host.addresses.map((address) => ({
        ...address,
        connections: address.connections.map(connectionOf),
      })),
    })),
  };
}

/** Removes a policy if no address of its host presented a trusted certificate. */
function rejudgePolicy(
  { domain, mtaSts }: Evidence,
  anchors: TrustStore,
  validationTime: number,
): MtaStsEvidence {
  const serverName = `mta-sts.${domain}`;
  const failureOf = (chain: readonly string[]): PolicyAddressEvidence['failure'] => {
    const result = authenticateServer(octetsOf(chain), { serverName, anchors, validationTime });
    const failure = result.ok ? undefined : certificateFailure(result.failure);
    return failure && { code: failure.code, detail: failure.detail };
  };
  const policyAddresses = mtaSts.policyAddresses?.map((address): PolicyAddressEvidence => {
    const failure = address.chain && failureOf(address.chain);
    return failure ? { address: address.address, failure } : address;
  });
  const { policyHost } = mtaSts;
  const failure = policyHost && failureOf(policyHost.chain);
  if (!failure) return { ...mtaSts, policyAddresses };
  return {
    ...mtaSts,
    status: 'tempfail',
    policy: undefined,
    policyHost: undefined,
    policyAddresses,
    problems: [...mtaSts.problems, failure],
  };
}

function octetsOf(chain: readonly string[]): Uint8Array[] {
  return chain.map((text) => fromBase64(text) ?? new Uint8Array());
}
