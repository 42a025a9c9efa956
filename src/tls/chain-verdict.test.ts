import assert from 'node:assert/strict';
import { type AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer } from 'node:tls';
import { nodeNetwork } from '../net/index.js';
import {
  createCa,
  createIntermediate,
  issue,
  purpose,
  selfSigned,
  type Issued,
  type IssueOptions,
} from '../pki/index.js';
import { accepts, parseCertificate, trustStore, verifyChain } from '../x509/index.js';
import { builtinTrustStore, handshake } from './index.js';

const day = 86_400_000;
const root = createCa({ name: 'Root' });
const names = ['mx.good.example'];

/** Returns a leaf certificate below an intermediate CA that has the given properties. */
function below(options: IssueOptions, leaf: IssueOptions = {}): Issued {
  return issue(createIntermediate(root, { name: 'Middle', ...options }), { names, ...leaf });
}

const cases: Readonly<Record<string, () => Issued>> = {
  good: () => below({}),
  'directly below the root': () => issue(root, { names }),
  'self-signed': () => selfSigned({ names }),
  'unknown root': () => issue(createCa({ name: 'Other' }), { names }),
  'root of the same name': () => issue(createCa({ name: 'Root' }), { names }),
  'missing intermediate': () => {
    const leaf = below({});
    return { ...leaf, chainPem: leaf.certPem };
  },
  expired: () => below({}, { notAfter: Date.now() - day / 2 }),
  'not yet valid': () => below({}, { notBefore: Date.now() + day }),
  'expired intermediate': () => below({ notAfter: Date.now() - day }),
  'intermediate is no CA': () => below({ ca: false }),
  'intermediate may not sign': () => below({ keyUsage: ['cRLSign'] }),
  'intermediate for clients': () => below({ extendedKeyUsage: [purpose.clientAuth] }),
  'leaf for clients': () => below({}, { extendedKeyUsage: [purpose.clientAuth] }),
  'path length kept': () => below({ pathLength: 0 }),
  'path length exceeded': () => {
    const narrow = createIntermediate(root, { name: 'Narrow', pathLength: 0 });
    return issue(createIntermediate(narrow, { name: 'Below' }), { names });
  },
  'name permitted': () => below({ nameConstraints: { permitted: ['good.example'] } }),
  'name not permitted': () => below({ nameConstraints: { permitted: ['other.example'] } }),
  'name excluded': () => below({ nameConstraints: { excluded: ['good.example'] } }),
  'unknown critical extension': () =>
    below({}, { extensions: [{ oid: '1.2.3.4', critical: true, value: Uint8Array.of(5, 0) }] }),
};

for (const [title, make] of Object.entries(cases))
  test(`the verdict equals that of OpenSSL: ${title}`, async () => {
    const identity = make();
    const server = createServer({ key: identity.keyPem, cert: identity.chainPem }).on(
      'tlsClientError',
      () => undefined,
    );
    server.on('secureConnection', (socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const dial = async () => {
      const dialled = await nodeNetwork().dial({
        address: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
      });
      assert.ok(dialled.ok);
      return dialled.connection;
    };
    try {
      const theirs = connect({
        socket: (await dial()).stream,
        ca: root.certPem,
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      await new Promise((resolve, reject) =>
        theirs.once('secureConnect', resolve).once('error', reject),
      );
      const shaken = await handshake({ connection: await dial(), serverName: names[0] as string });
      assert.ok(shaken.ok);
      const [anchor, ...sent] = [root.der, ...shaken.facts.chain].map((der) => {
        const parsed = parseCertificate(der);
        assert.ok(parsed.ok);
        return parsed.value;
      });
      assert.ok(anchor);
      const verdict = verifyChain({
        sent,
        anchors: trustStore([anchor]),
        validationTime: Date.now(),
      });
      assert.equal(
        accepts(verdict),
        theirs.authorized,
        `${verdict.problems.join(' ')} / ${String(theirs.authorizationError)}`,
      );
      assert.equal(
        theirs.authorized,
        /^(good|directly below the root|path length kept|name permitted)$/.test(title),
      );
      theirs.destroy();
      shaken.connection.close();
    } finally {
      server.close();
    }
  });

test('the roots of Node are a trust store', () => {
  assert.ok(builtinTrustStore().certificates.length > 100);
});
