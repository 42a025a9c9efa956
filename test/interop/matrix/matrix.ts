import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, collectOptions, nameOf, type CheckOptions } from '../../../src/check/index.js';
import { createResolver } from '../../../src/dns/index.js';
import type { Evidence } from '../../../src/evidence/index.js';
import { LabDns, LabNetwork } from '../../../src/lab/index.js';
import { parseCertificate, spkiSha256, trustStore } from '../../../src/x509/index.js';
import { freePort } from '../../support/free-port.js';
import { CountingProxy } from './counting-proxy.js';
import { exim, openSmtpd, postfix } from './mail-servers.js';
import { createSite, DOMAIN, type Certificate, type Site, type Software } from './server.js';
import { gnutls, node, openssl, proxies } from './tls-servers.js';

/** A server of the matrix behind its proxy. */
export interface MatrixServer {
  readonly name: string;
  /** A mail domain whose only MX host is the server itself. */
  readonly domain: string;
  /**
   * The address of the proxy: a separate loopback address, port 25, since some programs
   * recognise STARTTLS by the port.
   */
  readonly ip: string;
  readonly proxy: CountingProxy;
}

const everything = [postfix, exim, openSmtpd, openssl, gnutls, proxies, node];

/**
 * Real mail and TLS servers, each behind a proxy that counts connections, with a signed
 * zone that names the servers. All traffic stays on loopback. All private files are in a
 * temporary folder. Must run as root.
 */
export class Matrix {
  private constructor(
    readonly servers: readonly MatrixServer[],
    readonly options: CheckOptions,
    /** Options of the command line that select the DNS and roots of the matrix. */
    readonly flags: readonly string[],
    private readonly end: () => Promise<void>,
  ) {}

  /** @param kinds the servers to run; each kind is a separate domain */
  static async start(
    kinds: readonly ((site: Site) => Promise<Software>)[] = everything,
  ): Promise<Matrix> {
    const folder = mkdtempSync(join(tmpdir(), 'hermetic-matrix-'));
    chmodSync(folder, 0o755);
    const running: Software[] = [];
    const proxyList: CountingProxy[] = [];
    const network = new LabNetwork();
    const end = async (): Promise<void> => {
      proxyList.forEach((proxy) => proxy.stop());
      await Promise.all([network.close(), ...running.map((software) => software.stop())]);
      rmSync(folder, { recursive: true, force: true });
    };
    try {
      const site = createSite(folder);
      for (const start of kinds) running.push(await start(site));
      const servers: MatrixServer[] = [];
      const records: string[] = [];
      for (const { name, at } of running.flatMap((software) => software.servers)) {
        const ip = `127.25.${process.pid % 256}.${servers.length + 1}`;
        const proxy = await CountingProxy.start(at, { address: ip, port: 25 });
        proxyList.push(proxy);
        const documentation = `198.51.100.${servers.length + 1}`;
        network.attach(documentation, 25, proxy.at);
        servers.push({ name, domain: `${name}.${DOMAIN}`, ip, proxy });
        records.push(
          `${name} MX 10 ${name}`,
          `${name} A ${documentation}`,
          `_smtp._tls.${name} TXT "v=TLSRPTv1; rua=mailto:tls@${DOMAIN}"`,
        );
        for (const certificate of [site.rsa, site.ecdsa])
          records.push(`_25._tcp.${name} TLSA 3 1 1 ${spki(certificate)}`);
      }
      const zones = [
        { apex: '.' },
        { apex: 'example' },
        { apex: DOMAIN, records: records.join('\n') },
      ];
      const dns = new LabDns(
        zones.map((zone) => ({ ...zone, signed: {} })),
        Date.now(),
      );
      const resolverPort = await freePort();
      await dns.serveAt(network, '192.0.2.53', { address: '127.0.0.1', port: resolverPort });
      const [anchorFile, rootFile] = [join(folder, 'anchors'), join(folder, 'root.pem')];
      writeFileSync(anchorFile, dns.anchorLine);
      writeFileSync(rootFile, site.root.certPem);
      const root = parseCertificate(site.root.der);
      if (!root.ok) throw new TypeError('the root that was made cannot be read');
      const upstreams = [{ address: '192.0.2.53', port: 53, label: '192.0.2.53' }];
      const resolver = createResolver({ network, upstreams, anchors: dns.anchors });
      const flags = [
        '--resolver',
        `127.0.0.1:${resolverPort}`,
        '--trust-anchor',
        anchorFile,
        '--ca',
        rootFile,
        '--spacing',
        '0',
      ];
      const options: CheckOptions = {
        // The servers listen on addresses of this machine.
        reach: 'any',
        network,
        resolver,
        trustStore: trustStore([root.value]),
        spacingMs: 0,
        timeoutMs: 10_000,
      };
      return new Matrix(servers, options, flags, end);
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Collects the evidence of a server in this process. */
  collect({ domain }: MatrixServer, options: CheckOptions): Promise<Evidence> {
    return collect(nameOf(domain), collectOptions({ ...this.options, ...options }));
  }

  stop(): Promise<void> {
    return this.end();
  }
}

function spki({ der }: Certificate): string {
  const parsed = parseCertificate(der);
  if (!parsed.ok) throw new TypeError('the certificate that was made cannot be read');
  return spkiSha256(parsed.value);
}
