import type { MailAddress, MailCertificate, MailHost } from '../../../evidence/index.js';
import { versionName, type Tone } from '../words.js';
import { markup, type Markup } from './markup.js';

/** One MX host: its names in DNSSEC, DANE and MTA-STS, then each address with TLS and certificates. */
export function hostReport(host: MailHost): Markup {
  return markup`<section class="card" aria-label="${host.name}">
    <div class="host-head">
      <h3>${host.name}</h3>
      <span class="soft">preference ${host.preference}</span>
    </div>
    <ul class="chips">
      ${chip(`DNSSEC ${host.dnssec}`, host.dnssec === 'secure' ? 'good' : host.dnssec === 'bogus' ? 'bad' : 'quiet')}${chip(`TLSA ${host.tlsa.status}`, tlsaTones[host.tlsa.status])}${stsChip(host)}
    </ul>
    ${
      host.tlsa.records.length > 0 &&
      markup`<h4>TLSA records</h4>
        <ul class="notes">
          ${host.tlsa.records.map((record) => markup`<li><code>${record}</code></li>`)}
        </ul>`
    }
    ${host.addresses.map(addressReport)}
  </section> `;
}

const tlsaTones: Readonly<Record<MailHost['tlsa']['status'], Tone>> = {
  usable: 'good',
  unusable: 'fair',
  absent: 'quiet',
  insecure: 'fair',
  bogus: 'bad',
  tempfail: 'bad',
};

function stsChip({ mtaStsMatch }: MailHost): Markup | false {
  if (mtaStsMatch === 'not-applicable') return false;
  return mtaStsMatch === 'match' ? chip('in the MTA-STS policy', 'good') : chip('not in the MTA-STS policy', 'bad');
}

function addressReport(address: MailAddress): Markup {
  const { ip, status, reason, starttls, tls, certificates, connections } = address;
  const reached = status === 'reachable';
  return markup`<div class="address">
    <div class="host-head">
      <h4 class="mono">${ip}</h4>
      ${
        reached
          ? chip(`STARTTLS ${starttls}`, starttls === 'offered' ? 'good' : starttls === 'unknown' ? 'fair' : 'bad', 'span')
          : chip(`${status}${reason ? ` (${reason})` : ''}`, status === 'unreachable' ? 'bad' : 'fair', 'span')
      }<span class="soft">${connections} connections</span>
    </div>
    ${reached && starttls === 'offered' && inventory(tls)} ${certificates.map(certificate)}
  </div> `;
}

const settledTones = { accepted: 'quiet', refused: 'quiet', unknown: 'fair' } as const;
const oldVersions: readonly string[] = ['SSLv2', 'SSLv3', 'TLSv1', 'TLSv1.1'];

function inventory({ versions, suites, order, groups }: MailAddress['tls']): Markup {
  const spoken = Object.entries(versions)
    .reverse()
    .filter(([, settled]) => settled !== 'refused');
  const refused = Object.entries(versions).filter(([, settled]) => settled === 'refused');
  const byVersion = [...new Set(suites.map((s) => s.version))];
  return markup`<dl>
    <dt>Versions</dt>
    <dd>
      <ul class="chips">
        ${spoken.map(([version, settled]) => chip(`${versionName(version)}${settled === 'unknown' ? ' ?' : ''}`, settled === 'accepted' && oldVersions.includes(version) ? 'fair' : settled === 'accepted' ? 'good' : settledTones[settled]))}
      </ul>
      ${refused.length > 0 && markup`<span class="soft">refused: ${refused.map(([version]) => versionName(version)).join(', ')}</span>`}
    </dd>
    ${byVersion.map(
      (version) =>
        markup`<dt>Suites of ${versionName(version)}</dt>
          <dd>
            <ul class="suites">
              ${suites.filter((s) => s.version === version).map((s) => markup`<li><code>${s.name}</code></li>`)}
            </ul>
            ${order[version] && order[version] !== 'unknown' && markup`<span class="soft">the ${order[version]}'s order decides</span>`}
          </dd>`,
    )}
    ${
      groups.length > 0 &&
      markup`<dt>Groups</dt>
        <dd><code>${groups.join(', ')}</code></dd>`
    }
  </dl>`;
}

function certificate(c: MailCertificate): Markup {
  const chips = [
    chip(
      {
        trusted: 'trusted chain',
        incomplete: 'intermediate missing',
        'self-signed': 'self-signed',
        'unknown-ca': 'unknown CA',
        unknown: 'chain not judged',
      }[c.chain],
      c.chain === 'trusted' ? 'good' : 'fair',
    ),
    chip(c.nameMatch === 'match' ? 'name matches' : 'another name', c.nameMatch === 'match' ? 'good' : 'fair'),
    chip({ valid: 'in date', expired: 'expired', 'not-yet-valid': 'not yet valid' }[c.validity], c.validity === 'valid' ? 'good' : 'bad'),
    c.dane !== 'not-applicable' && chip(`DANE ${c.dane}`, c.dane === 'match' ? 'good' : c.dane === 'mismatch' ? 'bad' : 'fair'),
  ];
  return markup`<h4>Certificate with ${c.keyAlgorithm} ${c.keyBits}</h4>
    <ul class="chips">
      ${chips}
    </ul>
    <dl>
      <dt>Names</dt>
      <dd>${c.names.join(', ') || 'none'}</dd>
      <dt>Valid</dt>
      <dd>${c.notBefore.slice(0, 10)} to ${c.notAfter.slice(0, 10)}</dd>
      <dt>Signature</dt>
      <dd>${c.signature}</dd>
      <dt>Chain as sent</dt>
      <dd>${c.chainAsSent.join(' < ')}</dd>
      <dt>Key (SHA-256)</dt>
      <dd><code>${c.spkiSha256}</code></dd>
    </dl> `;
}

function chip(text: string, tone: Tone, element: 'li' | 'span' = 'li'): Markup {
  return element === 'li' ? markup`<li class="badge ${tone}">${text}</li>` : markup`<span class="badge ${tone}">${text}</span>`;
}
