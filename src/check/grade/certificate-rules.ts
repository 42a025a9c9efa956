import { formatTime } from '../../base/index.js';
import { parseTlsa, verifyDane } from '../../dane/index.js';
import { explainProblem, weaklySigned, type Certificate } from '../../x509/index.js';
import type { KeyTerms, Profile, TrustMechanism } from '../profiles/profile.js';
import { shortRecord as short } from './record-rules.js';
import { explainUnreadable, type JudgedCertificate } from './judge-certificate.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import { explainNearName } from './near-name.js';
import { isEnforced, type FindingCollector, type FindingInput } from './finding-collector.js';

/** Milliseconds of a day. */
const day = 86_400_000;

/**
 * Reports the faults of the certificates of one address. One cause raises one finding: an
 * expired certificate with a DANE-TA record is not also a TLSA mismatch.
 */
export function certificateRules(
  raised: FindingCollector,
  judgedHost: JudgedHost,
  address: JudgedAddress,
): void {
  for (const judged of address.certificates) judgeOne(raised, judgedHost, address, judged);
  if (address.certificates.length === 0) unreadableRule(raised, judgedHost, address);
}

/**
 * Reports a server's certificate that the parser rejects; senders may be more tolerant.
 */
function unreadableRule(
  raised: FindingCollector,
  { evidence: { name } }: JudgedHost,
  { evidence: { ip }, connection }: JudgedAddress,
): void {
  const [leaf] = connection?.handshake?.chain ?? [];
  if (leaf === undefined) return;
  const [reason] = explainUnreadable(Buffer.from(leaf, 'base64'), 0);
  const advice = 'Send a certificate in DER that follows RFC 5280, as the first of the chain.';
  raised.add('mx-inconclusive', { host: name, ip, detail: 'x509-malformed', reason, advice });
}

/**
 * Returns whether a certificate expires soon. The limit scales with the lifetime:
 * fourteen days are late for a certificate of one year and early for a certificate of six
 * days. `at`: milliseconds since 1970.
 */
export function isNearExpiry(certificate: Certificate, at: number, profile: Profile): boolean {
  return at > nearExpiryStart(certificate, profile);
}

/**
 * Returns the time from which a certificate counts as expiring soon, milliseconds since
 * 1970.
 */
export function nearExpiryStart(
  { notBefore, notAfter }: Certificate,
  { nearExpiry: { share, days } }: Profile,
): number {
  return notAfter - Math.min((notAfter - notBefore) * share, days * day);
}

/**
 * Judges one certificate. The mechanisms in force determine the severity: the same
 * self-signed certificate is a failure under MTA-STS and acceptable under DANE-EE.
 */
function judgeOne(
  raised: FindingCollector,
  judgedHost: JudgedHost,
  address: JudgedAddress,
  judged: JudgedCertificate,
): void {
  const { summary, certificate, daneCause } = judged;
  const { profile, evidence } = raised;
  const checkedAt = Date.parse(evidence.collectedAt);
  const mechanisms = inForce(raised, judgedHost, judged);
  const subject: FindingInput = {
    host: judgedHost.evidence.name,
    ip: address.evidence.ip,
    spkiSha256: summary.spkiSha256,
    mechanisms,
  };

  const expiry = summary.notAfter.slice(0, 10);
  const dated = daneCause === 'date' ? tlsaReason(judged) : undefined;
  if (summary.validity === 'expired')
    raised.add('cert-expired', { ...subject, detail: expiry, reason: dated });
  else if (summary.validity === 'not-yet-valid')
    raised.add('cert-not-yet-valid', {
      ...subject,
      detail: summary.notBefore.slice(0, 10),
      reason: dated,
    });
  else {
    if (isNearExpiry(certificate, checkedAt, profile))
      raised.add('cert-near-expiry', { ...subject, detail: expiry });
  }
  if (summary.chain === 'self-signed') raised.add('cert-self-signed', subject);
  chainRules(raised, judged, subject);

  const names = summary.names.slice(0, 3).join(', ');
  if (summary.nameMatch === 'mismatch' && !raised.aliases.has(judgedHost.evidence.name))
    raised.add('cert-name-mismatch', {
      ...subject,
      detail: names,
      reason: [
        nameReason(judged, judgedHost.evidence.name),
        ...(daneCause === 'name' ? [tlsaReason(judged)] : []),
      ].join('; '),
      mechanisms: forNames(mechanisms, daneCause),
      refusedBy: mechanisms.filter(isEnforced),
    });
  // If dates or names of the server's certificate are the cause, an earlier finding
  // already reports the cause.
  const said =
    (daneCause === 'date' && summary.validity !== 'valid') ||
    (daneCause === 'name' && summary.nameMatch === 'mismatch');
  const { reason = ofOtherHost(raised, judgedHost) ?? tlsaReason(judged), advice } =
    elsewhereMatched(judgedHost, address, judged);
  if (summary.dane === 'mismatch' && !said)
    raised.add('dane-mismatch', {
      ...subject,
      reason,
      advice,
      tlsa: judged.daneFaults,
    });

  keyRules(raised, judged, subject);
}

/**
 * Reports the first short key of the server and the CAs above it. With DANE-EE alone, no
 * sender uses the keys of CAs.
 */
function keyRules(
  raised: FindingCollector,
  { chain }: JudgedCertificate,
  subject: FindingInput,
): void {
  const daneOnly = subject.mechanisms?.every((mechanism) => mechanism === 'daneEe');
  const concerned = daneOnly ? chain.slice(0, 1) : withIssuers(chain);
  for (const { finding, ...limits } of raised.profile.keys) {
    const short = concerned.find((certificate) => isShort(certificate, limits));
    if (!short) continue;
    const { keyAlgorithm, keyBits, subjectText } = short;
    const detail = `${keyAlgorithm} ${keyBits}`;
    if (short === chain[0]) raised.add(finding, { ...subject, detail });
    else
      raised.add(finding, {
        ...subject,
        detail,
        reason: `the CA ${subjectText} has an ${keyAlgorithm} key of ${keyBits} bits`,
        advice: `Obtain a certificate from a CA with a stronger key than that of ${subjectText}.`,
      });
    return;
  }
}

/**
 * Returns whether a key is too short. Bits of RSA and of elliptic curves are not
 * comparable, so each kind of key has its own limit.
 */
function isShort(
  { keyAlgorithm, keyBits }: Certificate,
  { rsaBelow, ecBelow }: Omit<KeyTerms, 'finding'>,
): boolean {
  if (keyBits === 0) return false;
  if (keyAlgorithm === 'RSA' || keyAlgorithm === 'DSA') return keyBits < rsaBelow;
  return keyBits < ecBelow;
}

/**
 * Returns the server's certificate and the CA certificates above it, matched by issuer
 * and subject name.
 */
function withIssuers(chain: readonly Certificate[]): readonly Certificate[] {
  const found = new Set(chain.slice(0, 1));
  // The loop also processes the issuers that it adds.
  for (const { issuerName } of found)
    for (const other of chain) if (other.subjectName.key === issuerName.key) found.add(other);
  return [...found];
}

/**
 * Reports the faults of the chain, each with the certificate that has it. A path that
 * fails for a specific rule is reported with that rule and not as an unknown CA: the
 * operator would otherwise change the CA without effect.
 */
function chainRules(
  raised: FindingCollector,
  { summary, certificate, chain, path, unreadable }: JudgedCertificate,
  subject: FindingInput,
): void {
  const weak = weaklySigned(certificate) || path.problems.includes(WEAK);
  const reasons = path.problems.filter((code) => !withoutReason.includes(code));
  const reason = reasons.map((code) => explainProblem(code, chain)).join('; ');
  if (summary.chain === 'unknown-ca') {
    const advice = reasons.includes('x509-bad-signature') ? SEND_ISSUER : undefined;
    if (reasons.length > 0) raised.add('cert-not-acceptable', { ...subject, reason, advice });
    else if (!weak) raised.add('cert-unknown-ca', subject);
  }
  if (summary.chain === 'incomplete')
    raised.add('cert-chain-incomplete', {
      ...subject,
      detail: unreadable.slice(0, 3).join('; '),
      reason: unreadable.slice(0, 3).join('; ') || explainProblem('x509-issuer-missing', chain),
    });
  if (weak)
    raised.add('cert-weak-signature', {
      ...subject,
      // The certificate with the weak signature may be that of a CA. The algorithm is
      // unknown if the server did not send this certificate.
      detail: chain.find(weaklySigned)?.signatureAlgorithm ?? '',
      reason: explainProblem(WEAK, chain),
    });
  const checkedAt = Date.parse(raised.evidence.collectedAt);
  const outdated = chain
    .slice(1)
    .find((certificate) => checkedAt > certificate.notAfter || checkedAt < certificate.notBefore);
  if (summary.validity === 'valid' && path.validity !== 'valid')
    raised.add('cert-chain-outdated', {
      ...subject,
      reason: explainOutdated(outdated),
      detail: path.validity === 'not-yet-valid' ? 'is not valid yet' : '',
    });
}

/**
 * Explains which CA certificate is outside its dates; the server may not have sent this
 * certificate.
 */
function explainOutdated(outdated: Certificate | undefined): string {
  if (!outdated)
    return 'a certificate of the path, such as the root, is outside its validity period';
  const { subjectText, notBefore, notAfter } = outdated;
  return `${subjectText}: valid from ${day10(notBefore)} to ${day10(notAfter)}`;
}

/**
 * A broken hash has a separate finding, since it concerns the CA as well as the server.
 */
const WEAK = 'x509-weak-signature';
/**
 * The fix of a signature that does not match. The usual cause is another intermediate of
 * the same name.
 */
const SEND_ISSUER =
  'Send the intermediate certificate that came with this certificate: another CA certificate has the same name.';
/** Maximum number of TLSA records to compare with the certificates of other hosts. */
const MAX_COMPARED = 10;
/** Codes that have separate findings. */
const withoutReason: readonly string[] = [WEAK, 'x509-unknown-ca', 'x509-self-signed'];

/** The date without the time, in UTC. */
const day10 = (milliseconds: number): string => formatTime(milliseconds).slice(0, 10);

/**
 * Explains why no name of the certificate matches the host. The text mentions the common
 * name if only the common name exists, because many tools still show it.
 */
function nameReason(
  { certificate: { dnsNames, commonName, altNames } }: JudgedCertificate,
  hostName: string,
): string {
  const near = dnsNames.flatMap((dnsName) => explainNearName(dnsName, hostName) ?? [])[0];
  if (near !== undefined) return near;
  if (dnsNames.length > 0) return `subjectAltName has ${dnsNames.slice(0, 3).join(', ')}`;
  if (altNames.length > 0) return 'subjectAltName has no DNS name';
  if (commonName === undefined) return 'there is no subjectAltName';
  return `only the common name has "${commonName}", and senders read subjectAltName`;
}

/**
 * Returns the reason and the fix if the records match another certificate of the same
 * host. A host with RSA and ECDSA certificates presents one according to the sender's
 * offer, and a host with several addresses may present another at each address.
 */
function elsewhereMatched(
  { addresses }: JudgedHost,
  here: JudgedAddress,
  { summary: { keyAlgorithm } }: JudgedCertificate,
): Pick<FindingInput, 'reason' | 'advice'> {
  const matching = ({ certificates }: JudgedAddress): JudgedCertificate | undefined =>
    certificates.find((other) => other.summary.dane === 'match');
  const twin = matching(here)?.summary.keyAlgorithm;
  if (twin !== undefined) {
    const other = twin === keyAlgorithm ? 'another' : `the ${twin}`;
    return {
      reason: `the records match ${other} certificate of this server, and none matches its ${keyAlgorithm} certificate`,
      advice: `Publish the record 3 1 1 of the ${keyAlgorithm} key next to the existing ones.`,
    };
  }
  const place = addresses.find((address) => matching(address) !== undefined)?.evidence.ip;
  if (place === undefined) return {};
  return {
    reason: `the records match the certificate at ${place}, and none matches the certificate at ${here.evidence.ip}`,
    advice: `Make sure that the server at ${here.evidence.ip} is yours. Then publish the record 3 1 1 of its key next to the existing ones, or use one key at every address.`,
  };
}

/**
 * Returns the reason if the TLSA records match the key of another MX host.
 */
function ofOtherHost(
  { hosts }: FindingCollector,
  { evidence: { name, tlsa } }: JudgedHost,
): string | undefined {
  const records = tlsa.records
    .slice(0, MAX_COMPARED)
    .flatMap((recordText) => parseTlsa(recordText) ?? [])
    .filter(({ usage }) => usage === 3);
  // Senders compare neither names nor dates for usage 3 (RFC 7672 §3.1.1).
  const isTheirs = ({ chain }: JudgedCertificate): boolean =>
    verifyDane({ records, chain, names: [], validationTime: 0 }).verdict === 'match';
  const owner = hosts.find(
    ({ evidence, addresses }) =>
      evidence.name !== name && addresses.some((one) => one.certificates.some(isTheirs)),
  );
  return owner && `the records match the certificate of ${owner.evidence.name}, not of ${name}`;
}

/** Returns the first three TLSA records, each with the reason why it does not match. */
function tlsaReason({ daneFaults }: JudgedCertificate): string | undefined {
  const said = daneFaults
    .slice(0, 3)
    .map(({ record, message }) => `TLSA ${short(record)}: ${message}`);
  if (said.length === 0) return undefined;
  return said.join('; ');
}

/**
 * Returns the mechanisms that determine the severity of a wrong name. A wrong name that
 * breaks a DANE-TA match defers mail, like an enforced policy (RFC 7672 §3.2.2). If dates
 * break the match, no record authenticates the name yet.
 */
function forNames(
  mechanisms: readonly TrustMechanism[],
  daneCause: JudgedCertificate['daneCause'],
): readonly TrustMechanism[] {
  if (daneCause === 'name') return [...mechanisms, 'enforce'];
  if (daneCause === undefined) return mechanisms;
  return ['none', ...mechanisms.filter((mechanism) => mechanism !== 'daneTa')];
}

/**
 * Returns the mechanisms by which a sender judges this certificate today: the mode of a
 * policy that lists the host, and the usage of the record that matches. `none` if no
 * sender verifies the certificate.
 */
function inForce(
  raised: FindingCollector,
  judgedHost: JudgedHost,
  { vouchedBy, daneCause }: JudgedCertificate,
): readonly TrustMechanism[] {
  const found: TrustMechanism[] = [];
  const { mtaSts } = raised.evidence;
  if (judgedHost.summary.mtaStsMatch === 'match' && mtaSts.policy && mtaSts.policy.mode !== 'none')
    found.push(mtaSts.policy.mode);
  if (vouchedBy) found.push(vouchedBy);
  else if (daneCause) found.push('daneTa');
  return found.length > 0 ? found : ['none'];
}
