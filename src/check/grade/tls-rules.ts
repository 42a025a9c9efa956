import type { TlsVersion } from '../../evidence/index.js';
import {
  bitLength,
  groupName,
  settleGroups,
  settleSchemes,
  settleSuites,
  signatureSchemeName,
  suiteName,
  type Inventory,
  type ProbeRecord,
  type SetVerdict,
} from '../../tls/index.js';
import type { TlsSet, TlsTerms } from '../profiles/profile.js';
import type { Probed } from './judge-host.js';
import type { Raised, Raising } from './raise.js';

/** Raises what the profile finds fault with in the TLS of one address. Only what an answer shows is raised. */
export function tlsRules(raised: Raised, { log, inventory }: Probed, on: Raising): void {
  const { tls } = raised.profile;
  for (const [version, id] of Object.entries(tls.versions) as [TlsVersion, (typeof tls.versions)['SSLv3']][])
    if (id && inventory.versions[version] === 'accepted') raised.add(id, { ...on, detail: readable(version) });
  for (const version of tls.required)
    if (inventory.versions[version] === 'refused') raised.add('tls-missing-version', { ...on, detail: readable(version) });
  for (const set of tls.sets) {
    const { settled, witnesses } = settle(log, set);
    if (settled === 'accepted')
      raised.add(set.finding, {
        ...on,
        detail: witnesses
          .slice(0, 3)
          .map((id) => nameOf(set, id))
          .join(', '),
      });
  }
  const prime = inventory.dhe && bitLength(inventory.dhe.prime);
  if (tls.dheBits !== undefined && prime !== undefined && prime < tls.dheBits)
    raised.add('tls-weak-dhe', { ...on, detail: `${prime} bits` });
  if (tls.order && inventory.order['TLSv1.2'] === 'client') raised.add(tls.order.finding, on);
  if (tls.compression && inventory.compression === 'accepted') raised.add(tls.compression, on);
  if (inventory.versions['TLSv1.2'] === 'accepted') {
    if (tls.extendedMasterSecret && inventory.extendedMasterSecret === 'refused') raised.add(tls.extendedMasterSecret, on);
    if (tls.secureRenegotiation && inventory.secureRenegotiation === 'refused') raised.add(tls.secureRenegotiation, on);
  }
  if (inventory.helloSizeIntolerant) raised.add('tls-hello-intolerant', on);
}

/** Findings of the profile that the answers neither raise nor rule out. */
export function unsettled({ log, inventory }: Probed, tls: TlsTerms): readonly string[] {
  const open: (string | undefined)[] = [];
  for (const [version, id] of Object.entries(tls.versions) as [TlsVersion, string][])
    if (inventory.versions[version] === 'unknown') open.push(id);
  for (const version of tls.required) if (inventory.versions[version] === 'unknown') open.push('tls-missing-version');
  for (const set of tls.sets) if (applies(inventory, set) && settle(log, set).settled === 'unknown') open.push(set.finding);
  if (inventory.versions['TLSv1.2'] !== 'refused') {
    if (tls.compression && inventory.compression === 'unknown') open.push(tls.compression);
    if (tls.extendedMasterSecret && inventory.extendedMasterSecret === 'unknown') open.push(tls.extendedMasterSecret);
    if (tls.secureRenegotiation && inventory.secureRenegotiation === 'unknown') open.push(tls.secureRenegotiation);
  }
  return [...new Set(open.flatMap((id) => id ?? []))];
}

/** A set of a version that the server does not speak is settled with it. */
function applies({ versions }: Inventory, set: TlsSet): boolean {
  if ('groups' in set) return versions[set.version] !== 'refused';
  if ('schemes' in set) return versions['TLSv1.2'] !== 'refused';
  return !Object.entries(versions).every(([version, settled]) => version === 'SSLv2' || settled === 'refused');
}

function settle(log: readonly ProbeRecord[], set: TlsSet): SetVerdict {
  if ('suites' in set) return settleSuites(log, set.suites);
  if ('groups' in set) return settleGroups(log, set.groups, set.version);
  return settleSchemes(log, set.schemes);
}

function nameOf(set: TlsSet, id: number): string {
  return 'suites' in set ? suiteName(id) : 'groups' in set ? groupName(id) : signatureSchemeName(id);
}

const readable = (version: TlsVersion): string => version.replace(/^TLSv1$/, 'TLS 1.0').replace('TLSv', 'TLS ');
