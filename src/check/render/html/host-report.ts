import type {
  CheckResult,
  MailAddress,
  MailCertificate,
  MailHost,
} from '../../../evidence/index.js';
import type { Exposure } from '../../../tls-policy/index.js';
import { because, counted, tlsVersions, versionName, type Tone } from '../words.js';
import { chip } from './chip.js';
import { exposureTable } from './exposure-table.js';
import { markup, type Markup } from './markup.js';

/**
 * One MX host: its names in DNSSEC, DANE and MTA-STS, then each address with TLS and
 * certificates.
 */
export function hostReport(host: MailHost, result: CheckResult): Markup {
  return markup`<section class="card" aria-label="${host.name}">
    <div class="host-head">
      <h3>${host.name}</h3>
      <span class="soft">preference ${host.preference}</span>
    </div>
    <ul class="chips">
      ${host.passedOver !== undefined && chip('no such host: senders pass over it', 'fair')}
      ${chip(`DNSSEC ${host.dnssec}`, host.dnssec === 'secure' ? 'good' : host.dnssec === 'bogus' ? 'bad' : 'quiet')}${chip(`TLSA ${host.tlsa.status}`, tlsaTones[host.tlsa.status])}${stsChip(host)}
    </ul>
    ${host.tlsa.records.length > 0 && tlsaRecords(host.tlsa)}
    ${host.addresses.map((address) => addressReport(address, result, host.addresses.length > 1))}
    ${result.hosts.length > 1 && alone(host.exposure, result.exposure, `Were ${host.name} the only host`)}
  </section> `;
}

const roleTones: Readonly<Record<string, Tone>> = {
  current: 'good',
  next: 'good',
  stale: 'bad',
  unknown: 'fair',
};

/** Records with what each is there for. */
function tlsaRecords({ records, roles }: MailHost['tlsa']): Markup {
  return markup`<h4>TLSA records</h4>
    <ul class="records">
      ${records.map((record, i) => markup`<li>${roles?.[i] && chip(roles[i], roleTones[roles[i]] ?? 'quiet', 'span')} <code>${record}</code></li>`)}
    </ul>`;
}

/** What one host or address does to the mail, where that is not what the domain does. */
function alone(exposure: Exposure | undefined, whole: Exposure, caption: string): Markup | false {
  if (!exposure || JSON.stringify(exposure) === JSON.stringify(whole)) return false;
  return markup`<h4>${caption}</h4>${exposureTable(exposure, caption)}`;
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
  return mtaStsMatch === 'match'
    ? chip('in the MTA-STS policy', 'good')
    : chip('not in the MTA-STS policy', 'bad');
}

function addressReport(address: MailAddress, result: CheckResult, several: boolean): Markup {
  const { depth, exposure } = result;
  const { ip, status, starttls, tls, certificates, connections } = address;
  const reached = status === 'reachable';
  return markup`<div class="address">
    <div class="host-head">
      <h4 class="mono">${ip}</h4>
      ${
        reached
          ? chip(
              `STARTTLS ${starttls}`,
              starttls === 'offered' ? 'good' : starttls === 'unknown' ? 'fair' : 'bad',
              'span',
            )
          : chip(`${status}${because(address)}`, status === 'unreachable' ? 'bad' : 'fair', 'span')
      }${reached && because(address) !== '' && chip(`no session inside TLS${because(address)}`, 'bad', 'span')}<span class="soft">${counted(connections, 'connection')}</span>
    </div>
    ${reached && starttls === 'offered' && inventory(tls, depth === 'inventory')} ${certificates.map(certificate)}
    ${several && alone(address.exposure, exposure, `Were ${ip} the only address`)}
    ${(address.submission ?? []).map(({ port, ...there }) => addressReport({ ...there, ip: `port ${port}` }, result, false))}
  </div> `;
}

/** `whole`: every suite and group there is, not only those met on the way. */
function inventory(
  { versions, suites, order, groups }: MailAddress['tls'],
  whole: boolean,
): Markup {
  const having = (settled: string) =>
    tlsVersions.filter((version) => versions[version] === settled);
  const tone = (version: string): Tone =>
    version === 'TLSv1.3' || version === 'TLSv1.2' ? 'good' : 'fair';
  const others = (settled: string, words: string) =>
    having(settled).length > 0 &&
    markup`<span class="soft">${words}: ${having(settled).map(versionName).join(', ')}. </span>`;
  const byVersion = [...new Set(suites.map((s) => s.version))];
  return markup`<dl>
    <dt>Versions</dt>
    <dd>
      <ul class="chips">
        ${having('accepted').map((version) => chip(versionName(version), tone(version)))}
      </ul>
      ${others('refused', 'Refused')} ${others('unknown', 'Not told')}
    </dd>
    ${byVersion.map(
      (version) =>
        markup`<dt>${whole ? 'Suites of' : 'Suites met in'} ${versionName(version)}</dt>
          <dd>
            <ul class="suites">
              ${suites.filter((s) => s.version === version).map((s) => markup`<li><code>${s.name}</code></li>`)}
            </ul>
            ${order[version] && order[version] !== 'unknown' && markup`<span class="soft">the ${order[version]}'s order decides</span>`}
          </dd>`,
    )}
    ${
      groups.length > 0 &&
      markup`<dt>${whole ? 'Groups' : 'Groups met'}</dt>
        <dd><code>${groups.join(', ')}</code></dd>`
    }
  </dl>`;
}

const matchTone = (verdict: string): Tone =>
  verdict === 'match' ? 'good' : verdict === 'mismatch' ? 'bad' : 'fair';

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
    chip(
      c.nameMatch === 'match' ? 'name matches' : 'another name',
      c.nameMatch === 'match' ? 'good' : 'fair',
    ),
    chip(
      { valid: 'in date', expired: 'expired', 'not-yet-valid': 'not yet valid' }[c.validity],
      c.validity === 'valid' ? 'good' : 'bad',
    ),
    c.dane !== 'not-applicable' && chip(`DANE ${c.dane}`, matchTone(c.dane)),
    c.mtaSts && c.mtaSts !== 'not-applicable' && chip(`MTA-STS ${c.mtaSts}`, matchTone(c.mtaSts)),
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
      ${c.daneRecord && markup`<dt>Matching TLSA</dt><dd><code>${c.daneRecord}</code></dd>`}
    </dl> `;
}
