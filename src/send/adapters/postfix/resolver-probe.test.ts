import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { decodeMessage, encodeMessage } from '../../../dns/index.js';
import type { Network } from '../../../net/index.js';
import { probeResolver } from './resolver-probe.js';

let folder: string;
before(() => (folder = mkdtempSync(join(tmpdir(), 'hermetic-'))));
after(() => rmSync(folder, { recursive: true }));

/**
 * Returns a network of name servers. `servers` states for each address whether the server
 * sets the AD bit. No other address answers.
 */
function network(servers: Readonly<Record<string, boolean>>): Network {
  return {
    dial: () => Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } }),
    exchange({ to, query }) {
      const asked = decodeMessage(query);
      const ad = servers[to.address];
      if (!asked.ok || ad === undefined)
        return Promise.resolve({ ok: false, failure: { code: 'net-timeout', detail: '' } });
      const answer = {
        ...asked.value,
        response: true,
        recursionAvailable: true,
        authenticData: ad,
      };
      return Promise.resolve({ ok: true, bytes: encodeMessage(answer) });
    },
  };
}

async function probe(
  lines: string,
  servers: Readonly<Record<string, boolean>>,
  trustRemote = false,
): Promise<boolean> {
  const resolvConf = join(folder, 'resolv.conf');
  writeFileSync(resolvConf, lines);
  return (await probeResolver({ network: network(servers), resolvConf, trustRemote })).validates;
}

test('a name server on this machine that sets AD for the signed root validates', async () => {
  assert.equal(await probe('nameserver 127.0.0.1\n', { '127.0.0.1': true }), true);
  assert.equal(await probe('nameserver ::1\noptions edns0\n', { '::1': true }), true);
});

test('no AD bit or no answer: not validating; one of several servers is enough', async () => {
  assert.equal(await probe('nameserver 127.0.0.1\n', { '127.0.0.1': false }), false);
  assert.equal(await probe('nameserver 127.0.0.1\n', {}), false);
  assert.equal(
    await probe('nameserver 127.0.0.1\nnameserver 127.0.0.2\n', {
      '127.0.0.1': true,
      '127.0.0.2': false,
    }),
    false,
  );
});

test('RFC 7672 §2.1.1: the AD bit of another machine needs trustRemote', async () => {
  assert.equal(await probe('nameserver 192.0.2.53\n', { '192.0.2.53': true }), false);
  assert.equal(await probe('nameserver 192.0.2.53\n', { '192.0.2.53': true }, true), true);
});

test('a name server on another machine: the text contains the setting that trusts it', async () => {
  const fixOf = async (
    lines: string,
    servers: Readonly<Record<string, boolean>>,
  ): Promise<string> => {
    const resolvConf = join(folder, 'resolv.conf');
    writeFileSync(resolvConf, lines);
    const state = await probeResolver({ network: network(servers), resolvConf });
    return state.validates ? '' : state.fix;
  };
  for (const lines of ['nameserver 10.0.0.2\n', 'nameserver 127.0.0.1\nnameserver 2001:db8::53\n'])
    assert.match(await fixOf(lines, { '127.0.0.1': true }), /postfix\.resolver\.trustRemote: true/);
  // If a trusted name server does not validate, the fix is to use another resolver.
  const trusted = async (servers: Readonly<Record<string, boolean>>): Promise<string> => {
    const resolvConf = join(folder, 'resolv.conf');
    writeFileSync(resolvConf, 'nameserver 10.0.0.2\n');
    const state = await probeResolver({
      network: network(servers),
      resolvConf,
      trustRemote: true,
    });
    return state.validates ? '' : state.fix;
  };
  assert.equal(await trusted({ '10.0.0.2': true }), '');
  const failing: readonly Readonly<Record<string, boolean>>[] = [{ '10.0.0.2': false }, {}];
  for (const servers of failing)
    assert.match(await trusted(servers), /a validating resolver, or set postfix\.dane: false/);
  assert.doesNotMatch(await fixOf('nameserver 127.0.0.1\n', { '127.0.0.1': false }), /trustRemote/);
});

test('without name server or file: not validating, without an error', async () => {
  assert.equal(await probe('search example.com\n', {}), false);
  assert.equal(
    (await probeResolver({ network: network({}), resolvConf: '/nonexistent' })).validates,
    false,
  );
});
