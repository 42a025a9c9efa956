import type { ConnectionEvidence } from '../../evidence/index.js';
import { handshakeFailed } from '../exposure.js';
import { certificateRules } from './certificate-rules.js';
import type { JudgedAddress, JudgedHost } from './judge-host.js';
import type { Raised } from './raise.js';

/** Raises what the mail hosts themselves show. */
export function hostRules(raised: Raised): void {
  const dead = raised.hosts.filter(isDead);
  for (const host of raised.hosts) {
    if (dead.includes(host)) {
      const reason = host.addresses[0]?.evidence.reason ?? host.evidence.addressLookup.failure?.code ?? 'it has no address';
      raised.add('mx-unreachable', { host: host.evidence.name, detail: reason, all: dead.length === raised.hosts.length });
    } else for (const address of host.addresses) addressRules(raised, host, address);
    // A failed lookup that is not bogus says nothing about the host.
    if (host.addresses.length === 0 && host.evidence.addressLookup.status === 'failed' && host.evidence.dnssec !== 'bogus')
      raised.add('mx-inconclusive', { host: host.evidence.name, detail: host.evidence.addressLookup.failure?.code ?? '' });
  }
}

function isDead({ addresses, evidence }: JudgedHost): boolean {
  if (addresses.length === 0) return evidence.addressLookup.status === 'absent';
  const tried = addresses.filter((a) => a.evidence.status !== 'skipped');
  return tried.length > 0 && tried.every((a) => a.evidence.status === 'unreachable');
}

function addressRules(raised: Raised, host: JudgedHost, address: JudgedAddress): void {
  const { evidence, connection, shown } = address;
  const on = { host: host.evidence.name, ip: evidence.ip };
  if (evidence.status === 'inconclusive' && raised.evidence.network.port25 !== 'blocked')
    raised.add('mx-inconclusive', { ...on, detail: evidence.reason ?? '' });
  if (evidence.status === 'unreachable') raised.add('mx-unreachable', { ...on, detail: evidence.reason ?? '' });
  if (evidence.status !== 'reachable' || !connection) return;

  if (shown.starttls === 'absent') raised.add('starttls-absent', on);
  if (shown.starttls === 'mangled') raised.add('starttls-mangled', { ...on, detail: `"${connection.mangledAs ?? ''}"` });
  if (shown.starttls === 'refused') raised.add('starttls-refused', { ...on, detail: reply(connection) });
  if (shown.starttls === 'offered' && !connection.handshake) {
    const { code = '', detail = '' } = connection.failure ?? {};
    if (handshakeFailed(code)) raised.add('tls-handshake-failed', { ...on, detail: detail || code });
    else raised.add('mx-inconclusive', { ...on, detail: code });
  }

  for (const { version, name } of shown.tls.suites) {
    if (version === 'TLSv1' || version === 'TLSv1.1') raised.add('tls-old-version', on);
    if (/RC4|3DES|_NULL_|EXPORT/.test(name)) raised.add('tls-weak-suite', { ...on, detail: name });
  }
  certificateRules(raised, host, address);
}

function reply({ starttlsReply }: ConnectionEvidence): string {
  return starttlsReply ? `${starttlsReply.code} ${starttlsReply.lines[0] ?? ''}`.trim() : '';
}
