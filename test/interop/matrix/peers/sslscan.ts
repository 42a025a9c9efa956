import { groupName, suiteName } from '../../../../src/tls/index.js';
import { versions, type Surface, type Version } from '../surface.js';
import { timed, type Peer } from './peer.js';

/** sslscan with the options that its manual describes for SMTP. */
export const sslscan: Peer = {
  name: 'sslscan',
  async look({ domain, ip }) {
    const { out, ...cost } = await timed('sslscan', [
      '--starttls-smtp',
      '--show-cipher-ids',
      '--xml=-',
      `--sni-name=${domain}`,
      `${ip}:25`,
    ]);
    if (!out.includes('</document>')) throw new Error(`sslscan: ${out}`);
    return { ...cost, surface: readSslscan(out) };
  },
};

const protocols: Readonly<Record<string, Version>> = {
  'ssl 2': 'SSLv2',
  'ssl 3': 'SSLv3',
  'tls 1.0': 'TLSv1',
  'tls 1.1': 'TLSv1.1',
  'tls 1.2': 'TLSv1.2',
  'tls 1.3': 'TLSv1.3',
};

function readSslscan(xml: string): Surface {
  const enabled = [...xml.matchAll(/<protocol type="(\w+)" version="([\d.]+)" enabled="1"/g)].map(
    ([, type, n]) => protocols[`${type} ${n}`],
  );
  const ciphers = [
    ...xml.matchAll(/<cipher [^>]*sslversion="([^"]+)"[^>]* id="0x([0-9A-Fa-f]+)"/g),
  ];
  const at = (version: Version): string[] => {
    const label = version === 'TLSv1' ? 'TLSv1.0' : version;
    return ciphers.flatMap(([, v, id = '']) => (v === label ? suiteName(parseInt(id, 16)) : []));
  };
  return {
    versions: versions.filter((v) => enabled.includes(v)),
    suites: Object.fromEntries(versions.map((v) => [v, at(v)])),
    groups: [
      ...new Set(
        [...xml.matchAll(/<group [^>]* id="0x([0-9A-Fa-f]+)"/g)].map(([, id = '']) =>
          groupName(parseInt(id, 16)),
        ),
      ),
    ],
    keys: [...new Set([...xml.matchAll(/<pk [^>]*type="(\w+)"/g)].map(([, type = '']) => type))],
  };
}
