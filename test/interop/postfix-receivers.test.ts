import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { allScenarios, type Scenario } from '../../src/lab/index.js';
import { createCa, issue, selfSigned, type Issued } from '../../src/pki/index.js';
import { parseCertificate, spkiSha256 } from '../../src/x509/index.js';
import { NEXT_RELEASE } from './debian.js';
import { startPostfixWorld, type PostfixWorld } from './postfix-world.js';
import { Postfix } from './postfix.js';
import { freePort } from '../support/free-port.js';

const ca = createCa({ name: 'Interop Root' });

interface Receiver {
  readonly certificate?: Issued;
  /** The TLSA record, by key type. */
  readonly tlsa?: 'own' | 'stale';
  readonly sts?: true;
  readonly level: string;
  readonly outcome: string;
}

/** Real Postfix servers, each a separate domain. */
const receivers: Readonly<Record<string, Receiver>> = {
  'dane-ee': {
    certificate: selfSigned({ names: ['mx.dane-ee.example'] }),
    tlsa: 'own',
    level: 'dane',
    outcome: 'verified',
  },
  'dane-stale': {
    certificate: selfSigned({ names: ['mx.dane-stale.example'] }),
    tlsa: 'stale',
    level: 'dane',
    outcome: 'deferred',
  },
  both: {
    certificate: issue(ca, { names: ['mx.both.example'] }),
    tlsa: 'own',
    sts: true,
    level: 'dane-only',
    outcome: 'verified',
  },
  sts: {
    certificate: issue(ca, { names: ['mx.sts.example'] }),
    sts: true,
    level: 'secure',
    outcome: 'verified',
  },
  'sts-wrong-name': {
    certificate: issue(ca, { names: ['mx.other.example'] }),
    sts: true,
    level: 'secure',
    outcome: 'deferred',
  },
  'sts-self-signed': {
    certificate: selfSigned({ names: ['mx.sts-self-signed.example'] }),
    sts: true,
    level: 'secure',
    outcome: 'deferred',
  },
  'sts-no-tls': { sts: true, level: 'secure', outcome: 'deferred' },
  nothing: {
    certificate: selfSigned({ names: ['mx.nothing.example'] }),
    level: '',
    outcome: 'unverified',
  },
};

const names = Object.keys(receivers);
const addressOf = (name: string): string => `198.51.100.${200 + names.indexOf(name)}`;
const realAt = (name: string): string => `127.0.79.${1 + names.indexOf(name)}`;

function scenarioOf(name: string, { certificate, tlsa, sts }: Receiver): Scenario {
  const parsed = certificate && parseCertificate(certificate.der);
  const key = tlsa === 'own' && parsed?.ok ? spkiSha256(parsed.value) : '00'.repeat(32);
  return {
    domain: `${name}.example`,
    says: 'a real Postfix receives',
    zone: {
      signed: {},
      withoutMx: true,
      records: `@ MX 10 mx\nmx A ${addressOf(name)}\n${tlsa ? `_25._tcp.mx TLSA 3 1 1 ${key}` : ''}`,
    },
    hosts: [],
    ...(sts ? { sts: { mode: 'enforce', mx: [`mx.${name}.example`] } } : {}),
    expect: (allScenarios[0] as Scenario).expect,
  };
}

// The installed Postfix, and that of the next release, which supports the settings of
// 3.10 and newer.
for (const release of [undefined, NEXT_RELEASE])
  describe(`from the Postfix ${release ? `of ${release}` : 'installed here'}`, () => {
    let folder: string;
    let receiving: Postfix;
    let world: PostfixWorld;

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'hermetic-receivers-'));
      const port = await freePort();
      receiving = new Postfix(folder, port);
      const services = Object.entries(receivers).map(([name, { certificate }]) => {
        const chainFile = join(folder, `${name}.pem`);
        if (certificate) writeFileSync(chainFile, certificate.keyPem + certificate.chainPem);
        return { address: realAt(name), ...(certificate ? { chainFile } : {}) };
      });
      await receiving.start(services, [
        'myhostname = receiver.interop.example',
        'mynetworks = 127.0.0.0/8',
        'default_transport = discard',
        'smtpd_tls_loglevel = 1',
      ]);
      world = await startPostfixWorld({
        scenarios: Object.entries(receivers).map(([name, receiver]) => scenarioOf(name, receiver)),
        roots: ca.certPem,
        servers: names.map((name) => ({
          address: addressOf(name),
          at: { address: realAt(name), port },
        })),
        ...(release === undefined ? {} : { release }),
      });
    });

    after(async () => {
      await world?.stop();
      await receiving.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    for (const [name, { level, outcome }] of Object.entries(receivers))
      test(`through the socketmap to Postfix: ${name}: ${level || 'no opinion'}, ${outcome}`, async () => {
        const domain = `${name}.example`;
        assert.match(
          await world.ask(domain),
          level === '' ? /^$/ : new RegExp(`^${level}( |$)`),
          world.logOf('socketmap', domain),
        );
        assert.equal(
          await world.deliver('socketmap', domain),
          outcome,
          world.logOf('socketmap', domain),
        );
        const arrived = receiving.maillog.includes(`to=<socketmap@${domain}>`);
        assert.equal(arrived, outcome !== 'deferred');
      });

    // The deliveries above prove that Postfix supports the attribute: it defers mail on
    // an unknown attribute.
    test('Postfix 3.10 receives the policy itself, older versions do not', async () => {
      const told =
        / policy_type=sts policy_domain=sts\.example mx_host_pattern=mx\.sts\.example /.test(
          await world.ask('sts.example'),
        );
      assert.equal(told, !/^3\.\d\./.test(world.version), world.version);
    });
  });
