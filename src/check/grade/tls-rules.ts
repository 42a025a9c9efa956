import { formatCount } from '../../base/index.js';
import type { TlsVersion } from '../../evidence/index.js';
import {
  bitLength,
  groupName,
  evaluate,
  signatureSchemeName,
  suiteName,
  type Ask,
  type LargeHelloResult,
} from '../../tls/index.js';
import type { FindingId } from '../findings/catalogue.js';
import { gradedAsks } from '../profiles/goals.js';
import type { TlsTerms } from '../profiles/profile.js';
import type { JudgedAddress, Probed } from './judge-host.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';

/**
 * Reports the TLS faults of one address that an answer of the server proves, by the rules
 * of the profile.
 */
export function tlsRules(
  raised: FindingCollector,
  { probed, strictTls }: Pick<JudgedAddress, 'probed' | 'strictTls'>,
  subject: FindingInput,
): void {
  const { tls } = raised.profile;
  const { inventory, inference } = probed;
  // Several sets of a profile can raise one finding, so the code collects the evidence
  // first and raises the finding once, with every accepted value in its detail.
  const shown = gradedAsks(tls).flatMap(({ finding, ask, apart }) => {
    const { settled, witnesses } = evaluate(inference, ask);
    // The DHE question only obtains the group, whose size is graded below from the
    // inventory.
    if (settled !== 'accepted' || ask.kind === 'dhe') return [];
    if (!apart) return [{ finding, detail: detailOf(ask, witnesses) }];
    // One question tests two findings here, and each accepted code point raises one of
    // them.
    const own = witnesses.filter((id) => !apart.ids.includes(id));
    const others = witnesses.filter((id) => apart.ids.includes(id));
    return [
      { finding, ids: own },
      { finding: apart.finding, ids: others },
    ].flatMap(({ finding: raises, ids }) => {
      if (ids.length > 0) return [{ finding: raises, detail: detailOf(ask, ids) }];
      return [];
    });
  });
  // `tls-outdated` already includes the fact that an old version is in use.
  const outdated = strictTls === 'old-version';
  for (const { finding } of shown.filter((one) => !outdated || one.finding !== 'tls-old-version'))
    raised.add(finding, {
      ...subject,
      detail: shown.flatMap((other) => (other.finding === finding ? other.detail : [])).join(', '),
    });
  for (const version of tls.required)
    if (inventory.versions[version] === 'refused')
      raised.add('tls-missing-version', { ...subject, detail: readable(version) });
  // The length of the prime is the strength that RFC 9325 §4.3 limits; the generator does
  // not matter.
  const prime = inventory.dhe && bitLength(inventory.dhe.prime);
  if (tls.dheBits !== undefined && prime !== undefined && prime < tls.dheBits)
    raised.add('tls-weak-dhe', { ...subject, detail: `${prime} bits` });
  for (const { finding, settled, bad } of features(probed, tls))
    if (settled === bad) raised.add(finding, subject);
  if (inventory.helloSizeIntolerant) raised.add('tls-hello-intolerant', subject);
  const lost = inventory.largeHellos.find(({ result }) => result === 'lost');
  if (lost) raised.add('tls-large-hello', { ...subject, detail: describeLost(lost) });
}

/**
 * Describes the large hello that failed, with the property that a smaller hello lacks.
 */
function describeLost({ form: lostForm, alert }: LargeHelloResult): string {
  const { octets = 0, segments, keyShare } = lostForm;
  const words = [
    `A ClientHello of ${formatCount(octets)} octets`,
    keyShare && 'with a key share for X25519MLKEM768',
    segments && `in ${segments} TCP segments`,
    alert === undefined ? 'got no answer' : `was refused with alert ${alert}`,
  ];
  return `${words.filter(Boolean).join(' ')}, but a smaller one was answered.`;
}

/**
 * Returns the findings of the profile that the answers neither raise nor rule out. A test
 * with such a finding does not count as passed, so the verdict is not better than the
 * observations.
 */
export function unsettled(probed: Probed, tls: TlsTerms): readonly FindingId[] {
  const { inventory, inference } = probed;
  return [
    ...gradedAsks(tls).flatMap(({ finding, ask }) => {
      if (evaluate(inference, ask).settled === 'unknown') return [finding];
      return [];
    }),
    ...tls.required.flatMap((version) => {
      if (inventory.versions[version] === 'unknown') return ['tls-missing-version' as const];
      return [];
    }),
    ...features(probed, tls).flatMap(({ finding, settled }) =>
      settled === 'unknown' ? [finding] : [],
    ),
  ];
}

/**
 * Returns the features that a TLS 1.2 server must have or must not have. TLS 1.3 has no
 * compression and no renegotiation, and always has the extended master secret, so these
 * questions do not arise for a server with TLS 1.3 alone. The rule on compression applies
 * to older versions too.
 */
function features(
  { inventory }: Probed,
  { compression, extendedMasterSecret, secureRenegotiation }: TlsTerms,
) {
  const { versions } = inventory;
  const without12 = versions['TLSv1.2'] === 'refused';
  const only13 = Object.entries(versions).every(
    ([version, settled]) => version === 'TLSv1.3' || version === 'SSLv2' || settled === 'refused',
  );
  return [
    ...(compression && !only13
      ? [{ finding: compression, settled: inventory.compression, bad: 'accepted' }]
      : []),
    ...(extendedMasterSecret && !without12
      ? [{ finding: extendedMasterSecret, settled: inventory.extendedMasterSecret, bad: 'refused' }]
      : []),
    ...(secureRenegotiation && !without12
      ? [{ finding: secureRenegotiation, settled: inventory.secureRenegotiation, bad: 'refused' }]
      : []),
  ] as const;
}

/**
 * Returns the IANA names of the first three accepted values of a question, which suffice
 * to find the setting.
 */
function detailOf(question: Ask, witnesses: readonly number[]): string[] {
  const names = { suites: suiteName, groups: groupName, signatures: signatureSchemeName } as const;
  if (question.kind === 'version') return [readable(question.version)];
  if (question.kind === 'ssl2') return ['SSLv2'];
  if (question.kind === 'order' || question.kind === 'dhe' || question.kind === 'strict') return [];
  return witnesses.slice(0, 3).map(names[question.kind]);
}

/** The common name of a version; `TLSv1` is the label of TLS 1.0. */
const readable = (version: TlsVersion): string =>
  version.replace(/^TLSv1$/, 'TLS 1.0').replace('TLSv', 'TLS ');
