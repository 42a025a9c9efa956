import { versions, type Surface, type Version } from '../surface.js';
import { timed, type Peer } from './peer.js';

/** nmap with its two scripts for TLS. nmap does not test groups. */
export const nmap: Peer = {
  name: 'nmap',
  async look({ domain, ip }) {
    const scripts = [
      '--script',
      'ssl-enum-ciphers,ssl-cert',
      '--script-args',
      `tls.servername=${domain}`,
    ];
    const { out, ...cost } = await timed('nmap', [
      '-Pn',
      '-n',
      '-p',
      '25',
      ...scripts,
      '-oX',
      '-',
      ip,
    ]);
    if (!out.includes('</nmaprun>')) throw new Error(`nmap: ${out}`);
    return { ...cost, surface: readNmap(out) };
  },
};

function readNmap(xml: string): Surface {
  const script = /<script id="ssl-enum-ciphers"[\s\S]*?<\/script>/.exec(xml)?.[0] ?? '';
  const parts = script.split(/<table key="(?=(?:SSLv3|TLSv1\.[0-3])">)/).slice(1);
  const at = new Map<Version, string>(
    parts.map((part) => [
      part.slice(0, part.indexOf('"')).replace('TLSv1.0', 'TLSv1') as Version,
      part,
    ]),
  );
  const suites = (part: string): string[] =>
    [...part.matchAll(/<elem key="name">(TLS_[^<]+)<\/elem>/g)].map(([, name = '']) =>
      name.replace('TLS_AKE_WITH_', 'TLS_'),
    );
  const order = (part: string): 'server' | 'client' | undefined =>
    /<elem key="cipher preference">(server|client)</.exec(part)?.[1] as
      'server' | 'client' | undefined;
  return {
    versions: versions.filter((v) => at.has(v)),
    suites: Object.fromEntries([...at].map(([v, part]) => [v, suites(part)])),
    order: Object.fromEntries(
      [...at].flatMap(([v, part]) => (order(part) ? [[v, order(part)]] : [])),
    ),
    keys: [
      ...new Set(
        [...xml.matchAll(/<table key="pubkey">\s*<elem key="type">(\w+)</g)].map(([, type = '']) =>
          type.toUpperCase(),
        ),
      ),
    ],
  };
}
