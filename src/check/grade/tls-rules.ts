import type { TlsVersion } from '../../evidence/index.js';
import {
  bitLength,
  groupName,
  evaluate,
  signatureSchemeName,
  suiteName,
  type Ask,
} from '../../tls/index.js';
import type { FindingId } from '../findings/catalogue.js';
import { gradedAsks } from '../profiles/goals.js';
import type { TlsTerms } from '../profiles/profile.js';
import type { Probed } from './judge-host.js';
import type { FindingCollector, FindingInput } from './finding-collector.js';

/**
 * Raises what the profile finds fault with in the TLS of one address. Only what an answer
 * shows is raised.
 */
export function tlsRules(raised: FindingCollector, probed: Probed, on: FindingInput): void {
  const { tls } = raised.profile;
  const { inventory, proven } = probed;
  const shown = gradedAsks(tls).flatMap(({ finding, ask, apart }) => {
    const { settled, witnesses } = evaluate(proven, ask);
    if (settled !== 'accepted' || ask.kind === 'dhe') return [];
    if (!apart) return [{ finding, detail: detailOf(ask, witnesses) }];
    const own = witnesses.filter((id) => !apart.ids.includes(id));
    const others = witnesses.filter((id) => apart.ids.includes(id));
    return [
      { finding, ids: own },
      { finding: apart.finding, ids: others },
    ].flatMap(({ finding: raises, ids }) =>
      ids.length > 0 ? [{ finding: raises, detail: detailOf(ask, ids) }] : [],
    );
  });
  for (const { finding } of shown)
    raised.add(finding, {
      ...on,
      detail: shown.flatMap((s) => (s.finding === finding ? s.detail : [])).join(', '),
    });
  for (const version of tls.required)
    if (inventory.versions[version] === 'refused')
      raised.add('tls-missing-version', { ...on, detail: readable(version) });
  const prime = inventory.dhe && bitLength(inventory.dhe.prime);
  if (tls.dheBits !== undefined && prime !== undefined && prime < tls.dheBits)
    raised.add('tls-weak-dhe', { ...on, detail: `${prime} bits` });
  for (const { finding, settled, bad } of features(probed, tls))
    if (settled === bad) raised.add(finding, on);
  if (inventory.helloSizeIntolerant) raised.add('tls-hello-intolerant', on);
  if (inventory.largeHello === 'lost') raised.add('tls-large-hello', on);
}

/** Findings of the profile that the answers neither raise nor rule out. */
export function unsettled(probed: Probed, tls: TlsTerms): readonly FindingId[] {
  const { inventory, proven } = probed;
  return [
    ...gradedAsks(tls).flatMap(({ finding, ask }) =>
      evaluate(proven, ask).settled === 'unknown' ? [finding] : [],
    ),
    ...tls.required.flatMap((version) =>
      inventory.versions[version] === 'unknown' ? ['tls-missing-version' as const] : [],
    ),
    ...features(probed, tls).flatMap(({ finding, settled }) =>
      settled === 'unknown' ? [finding] : [],
    ),
  ];
}

/**
 * What a TLS 1.2 server has to have, or must not have; compression counts in older
 * versions too.
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

function detailOf(ask: Ask, witnesses: readonly number[]): string[] {
  const names = { suites: suiteName, groups: groupName, signatures: signatureSchemeName } as const;
  if (ask.kind === 'version') return [readable(ask.version)];
  if (ask.kind === 'ssl2') return ['SSLv2'];
  if (ask.kind === 'order' || ask.kind === 'dhe') return [];
  return witnesses.slice(0, 3).map(names[ask.kind]);
}

const readable = (version: TlsVersion): string =>
  version.replace(/^TLSv1$/, 'TLS 1.0').replace('TLSv', 'TLS ');
