import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { issue, type Authority } from '../../src/pki/index.js';
import { Daemon, until } from './process.js';

export interface PebbleOptions {
  readonly folder: string;
  /** The address of pebble's own web server. */
  readonly address: string;
  /** The name of that web server, and the CA of its certificate. */
  readonly name: string;
  readonly webCa: Authority;
  /**
   * The resolver that pebble queries for challenges, ADDRESS:PORT. The other programs use
   * a different resolver, whose cache contains absent names.
   */
  readonly resolver: string;
  /** The lifetime of the certificates that pebble issues, seconds. */
  readonly lifetime: number;
  /**
   * Further environment variables of pebble. By default pebble validates at once, and
   * refuses no nonce.
   */
  readonly env?: Readonly<Record<string, string>>;
}

const ports = { web: 14_000, management: 15_000 };

/**
 * Let's Encrypt's test CA, which validates at the usual ports. The issuing certificates
 * are new at every start.
 */
export class Pebble {
  #daemon: Daemon | undefined;
  readonly directory: string;

  constructor(private readonly options: PebbleOptions) {
    this.directory = `https://${options.name}:${ports.web}/dir`;
  }

  async start(): Promise<void> {
    const { folder, address, name, webCa, resolver, lifetime, env } = this.options;
    const own = issue(webCa, { names: [name] });
    const file = (suffix: string, text: string): string => {
      writeFileSync(join(folder, `pebble.${suffix}`), text);
      return join(folder, `pebble.${suffix}`);
    };
    const config = file(
      'json',
      JSON.stringify({
        pebble: {
          listenAddress: `${address}:${ports.web}`,
          managementListenAddress: `${address}:${ports.management}`,
          certificate: file('chain', own.chainPem),
          privateKey: file('key', own.keyPem),
          httpPort: 80,
          tlsPort: 443,
          certificateValidityPeriod: lifetime,
        },
      }),
    );
    const settings = Object.entries({
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: '0',
      ...env,
    }).map(([key, value]) => `${key}=${value}`);
    this.#daemon = new Daemon(
      'env',
      [...settings, 'pebble', '-config', config, '-dnsserver', resolver],
      folder,
    );
    await until(
      'pebble',
      async () => (await this.rootPem()).includes('BEGIN CERTIFICATE'),
      () => this.log,
    );
  }

  /** Returns the root of the certificates that pebble issues. */
  rootPem(): Promise<string> {
    const { address, name, webCa } = this.options;
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          host: address,
          servername: name,
          headers: { host: name },
          port: ports.management,
          path: '/roots/0',
          ca: webCa.certPem,
          timeout: 5000,
        },
        (response) => {
          let text = '';
          response
            .on('data', (bytes: Buffer) => (text += bytes.toString()))
            .on('end', () => resolve(text));
        },
      );
      asked.on('error', reject).end();
    });
  }

  get log(): string {
    return this.#daemon?.log ?? '';
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }
}
