import { formatTime } from '../../base/index.js';
import { explainProblem, weaklySigned } from '../../x509/index.js';
import type { TrustMechanism } from '../profiles/profile.js';
import { shortRecord as short } from './record-rules.js';
import type { JudgedCertificate } from './judge-certificate.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';

const day = 86_400_000;

/** Raises what is wrong with the certificates of one address. One cause, one finding. */
export function certificateRules(
  raised: FindingCollector,
  host: JudgedHost,
  address: JudgedAddress,
): void {
  for (const judged of address.certificates) judgeOne(raised, host, address, judged);
}

function judgeOne(
  raised: FindingCollector,
  host: JudgedHost,
  address: JudgedAddress,
  judged: JudgedCertificate,
): void {
  const { summary, certificate, daneCause } = judged;
  const { profile, evidence } = raised;
  const at = Date.parse(evidence.collectedAt);
  const mechanisms = inForce(raised, host, judged);
  const on: FindingInput = {
    host: host.evidence.name,
    ip: address.evidence.ip,
    spkiSha256: summary.spkiSha256,
    mechanisms,
  };

  const expiry = summary.notAfter.slice(0, 10);
  const dated = daneCause === 'date' ? tlsaReason(judged) : undefined;
  if (summary.validity === 'expired')
    raised.add('cert-expired', { ...on, detail: expiry, reason: dated });
  else if (summary.validity === 'not-yet-valid')
    raised.add('cert-not-yet-valid', {
      ...on,
      detail: summary.notBefore.slice(0, 10),
      reason: dated,
    });
  else {
    const left = certificate.notAfter - at;
    const limit = Math.min(
      (certificate.notAfter - certificate.notBefore) * profile.nearExpiry.share,
      profile.nearExpiry.days * day,
    );
    if (left < limit) raised.add('cert-near-expiry', { ...on, detail: expiry });
  }
  if (summary.chain === 'self-signed') raised.add('cert-self-signed', on);
  chainRules(raised, judged, on);

  const names = summary.names.slice(0, 3).join(', ');
  const nameMechanisms = daneCause === 'name' ? [...mechanisms, 'enforce' as const] : mechanisms;
  if (summary.nameMatch === 'mismatch' && !raised.aliases.has(host.evidence.name))
    raised.add('cert-name-mismatch', {
      ...on,
      detail: names,
      reason: [nameReason(judged), ...(daneCause === 'name' ? [tlsaReason(judged)] : [])].join(
        '; ',
      ),
      mechanisms: nameMechanisms,
    });
  // Findings above say it already where the server's own dates or names are the cause.
  const said =
    (daneCause === 'date' && summary.validity !== 'valid') ||
    (daneCause === 'name' && summary.nameMatch === 'mismatch');
  if (summary.dane === 'mismatch' && !said)
    raised.add('dane-mismatch', {
      ...on,
      reason: tlsaReason(judged),
      tlsa: judged.daneFaults,
      tlsaOfKey: host.evidence.tlsa.records.some((record) =>
        record.startsWith(`3 1 1 ${summary.spkiSha256}`),
      ),
    });

  const below =
    summary.keyAlgorithm === 'RSA' || summary.keyAlgorithm === 'DSA' ? 'rsaBelow' : 'ecBelow';
  const short = profile.keys.find((terms) => summary.keyBits > 0 && summary.keyBits < terms[below]);
  if (short)
    raised.add(short.finding, { ...on, detail: `${summary.keyAlgorithm} ${summary.keyBits}` });
}

/**
 * Faults of the chain, each with the certificate that has it. A chain without a path
 * keeps its own reason.
 */
function chainRules(
  raised: FindingCollector,
  { summary, certificate, chain, path }: JudgedCertificate,
  on: FindingInput,
): void {
  const weak = weaklySigned(certificate) || path.problems.includes(WEAK);
  const reasons = path.problems.filter((code) => !withoutReason.includes(code));
  const reason = reasons.map((code) => explainProblem(code, chain)).join('; ');
  if (summary.chain === 'unknown-ca') {
    if (reasons.length > 0) raised.add('cert-not-acceptable', { ...on, reason });
    else if (!weak) raised.add('cert-unknown-ca', on);
  }
  if (summary.chain === 'incomplete') raised.add('cert-chain-incomplete', on);
  if (weak)
    raised.add('cert-weak-signature', {
      ...on,
      detail: summary.signature,
      reason: explainProblem(WEAK, chain),
    });
  const at = Date.parse(raised.evidence.collectedAt);
  const outdated = chain
    .slice(1)
    .find((certificate) => at > certificate.notAfter || at < certificate.notBefore);
  if (summary.validity === 'valid' && path.validity !== 'valid' && outdated)
    raised.add('cert-chain-outdated', {
      ...on,
      reason: `${outdated.subjectText}: valid from ${day10(outdated.notBefore)} to ${day10(outdated.notAfter)}`,
    });
}

const WEAK = 'x509-weak-signature';
/** Codes that findings of their own stand for. */
const withoutReason: readonly string[] = [WEAK, 'x509-unknown-ca', 'x509-self-signed'];

const day10 = (milliseconds: number): string => formatTime(milliseconds).slice(0, 10);

/** Why no name of the certificate is that of the host. */
function nameReason({
  certificate: { dnsNames, commonName, altNames },
}: JudgedCertificate): string {
  if (dnsNames.length > 0) return `subjectAltName has ${dnsNames.slice(0, 3).join(', ')}`;
  if (altNames.length > 0) return 'subjectAltName has no DNS name';
  if (commonName === undefined) return 'there is no subjectAltName';
  return `the name "${commonName}" stands in the common name only, and senders read subjectAltName`;
}

/** Each record with what is wrong with it. */
function tlsaReason({ daneFaults }: JudgedCertificate): string | undefined {
  const said = daneFaults
    .slice(0, 3)
    .map(({ record, message }) => `TLSA ${short(record)}: ${message}`);
  if (said.length === 0) return undefined;
  return said.join('; ');
}

/** Returns the mechanisms by which senders judge this certificate today. */
function inForce(
  raised: FindingCollector,
  host: JudgedHost,
  { vouchedBy, daneCause }: JudgedCertificate,
): readonly TrustMechanism[] {
  const found: TrustMechanism[] = [];
  const { mtaSts } = raised.evidence;
  if (host.summary.mtaStsMatch === 'match' && mtaSts.policy && mtaSts.policy.mode !== 'none')
    found.push(mtaSts.policy.mode);
  if (vouchedBy) found.push(vouchedBy);
  else if (daneCause) found.push('daneTa');
  return found.length > 0 ? found : ['none'];
}
