import type { Mechanism } from '../profiles/profile.js';
import type { JudgedCertificate } from './judge-certificate.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import type { Raised, Raising } from './raise.js';

const day = 86_400_000;

/** Raises what is wrong with the certificates of one address. One cause, one finding. */
export function certificateRules(raised: Raised, host: JudgedHost, address: JudgedAddress): void {
  for (const judged of address.certificates) judgeOne(raised, host, address, judged);
}

function judgeOne(
  raised: Raised,
  host: JudgedHost,
  address: JudgedAddress,
  judged: JudgedCertificate,
): void {
  const { shown, certificate, daneCause } = judged;
  const { profile, evidence } = raised;
  const at = Date.parse(evidence.collectedAt);
  const mechanisms = inForce(raised, host, judged);
  const on: Raising = {
    host: host.evidence.name,
    ip: address.evidence.ip,
    spkiSha256: shown.spkiSha256,
    mechanisms,
  };

  const expiry = shown.notAfter.slice(0, 10);
  if (shown.validity === 'expired') raised.add('cert-expired', { ...on, detail: expiry });
  else if (shown.validity === 'not-yet-valid')
    raised.add('cert-not-yet-valid', { ...on, detail: shown.notBefore.slice(0, 10) });
  else {
    const left = certificate.notAfter - at;
    const limit = Math.min(
      (certificate.notAfter - certificate.notBefore) * profile.nearExpiry.share,
      profile.nearExpiry.days * day,
    );
    if (left < limit) raised.add('cert-near-expiry', { ...on, detail: expiry });
  }
  if (shown.chain === 'self-signed') raised.add('cert-self-signed', on);
  if (shown.chain === 'unknown-ca') raised.add('cert-unknown-ca', on);
  if (shown.chain === 'incomplete') raised.add('cert-chain-incomplete', on);

  const names =
    shown.names.length > 0 ? shown.names.slice(0, 3).join(', ') : (certificate.commonName ?? '');
  const nameMechanisms = daneCause === 'name' ? [...mechanisms, 'enforce' as const] : mechanisms;
  if (shown.nameMatch === 'mismatch')
    raised.add('cert-name-mismatch', { ...on, detail: names, mechanisms: nameMechanisms });
  if (shown.dane === 'mismatch' && daneCause === undefined)
    raised.add('dane-mismatch', { ...on, mechanisms });

  const below =
    shown.keyAlgorithm === 'RSA' || shown.keyAlgorithm === 'DSA' ? 'rsaBelow' : 'ecBelow';
  const short = profile.keys.find((terms) => shown.keyBits > 0 && shown.keyBits < terms[below]);
  if (short) raised.add(short.finding, { ...on, detail: `${shown.keyAlgorithm} ${shown.keyBits}` });
  if (/md5|md2|sha-?1(?!\d)/i.test(shown.signature))
    raised.add('cert-weak-signature', { ...on, detail: shown.signature });
}

/** What a sender holds against this certificate today. */
function inForce(
  raised: Raised,
  host: JudgedHost,
  { vouchedBy, daneCause }: JudgedCertificate,
): readonly Mechanism[] {
  const found: Mechanism[] = [];
  const { mtaSts } = raised.evidence;
  if (host.shown.mtaStsMatch === 'match' && mtaSts.policy && mtaSts.policy.mode !== 'none')
    found.push(mtaSts.policy.mode);
  if (vouchedBy) found.push(vouchedBy);
  else if (daneCause) found.push('daneTa');
  return found.length > 0 ? found : ['none'];
}
