/** Tests of queries for ANY, and of records that represent a missing name. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { ResourceRecord } from '../../types.js';
import { signRrset } from '../sign/index.js';
import { Name } from '../../../base/index.js';
import {
  nsec3,
  record,
  SignedWorld,
  type Responses,
} from '../../../../test/support/signed-zones.js';

const world = new SignedWorld(['example', 'a.example']);

async function outcome(asked: string, response: Responses[string]): Promise<string> {
  const otherwise = (): Responses[string] => ({
    authorities: world.by('a.example', 'mx.a.example. NSEC n.a.example. A TXT RRSIG NSEC'),
  });
  const { status, dnssec, failure, records } = await world.ask(
    asked,
    { [asked]: response },
    { otherwise },
  );
  return [status, dnssec, failure?.code ?? records.length].join(' ');
}

const address = world.by('a.example', 'mx.a.example. A 192.0.2.1');
const text = world.by('a.example', 'mx.a.example. TXT "x"');

test('an answer to ANY is as secure as its worst RRset', async () => {
  assert.equal(
    await outcome('mx.a.example ANY', { answers: [...address, ...text] }),
    'found secure 2',
  );
  const unsigned = record('mx.a.example. TXT "x"');
  assert.equal(
    await outcome('mx.a.example ANY', { answers: [...address, unsigned] }),
    'failed bogus dnssec-signature-missing',
  );
  const forged = address.map((one, index) => ({
    ...one,
    rdata: index === 0 ? Uint8Array.of(1, 2, 3, 4) : one.rdata,
  }));
  assert.equal(
    await outcome('mx.a.example ANY', { answers: [...text, ...forged] }),
    'failed bogus dnssec-signature-invalid',
  );
});

test('an alias answers ANY itself and is not resolved', async () => {
  const alias = world.by('a.example', 'w.a.example. CNAME mx.a.example.');
  assert.equal(
    await outcome('w.a.example ANY', { answers: [...alias, ...address] }),
    'found secure 1',
  );
});

test('a name with records of other types exists', async () => {
  const denial = (types: string): ResourceRecord[] =>
    world.by('a.example', `mx.a.example. NSEC n.a.example. ${types}`);
  const asked = 'mx.a.example ANY';
  assert.match(await outcome(asked, { authorities: denial('A RRSIG NSEC') }), /^failed bogus/);
  assert.match(await outcome(asked, { authorities: denial('RRSIG NSEC') }), /^nodata secure/);
  const hashed = (types: string): ResourceRecord[] =>
    world.signed('a.example', [nsec3('a.example', 'mx.a.example', { matches: true, types })]);
  assert.match(await outcome(asked, { authorities: hashed('MX RRSIG') }), /^failed bogus/);
  assert.match(await outcome(asked, { authorities: hashed('') }), /^nodata secure/);
});

test('RFC 4035 §2.2: an answer with only signatures proves nothing', async () => {
  assert.equal(
    await outcome('mx.a.example RRSIG', { answers: address.slice(1) }),
    'failed indeterminate dnssec-type-unsigned',
  );
});

test('RFC 9824 §3.1 [9824-3.1-1]: NXNAME denies the name itself', async () => {
  const compact = (types: string): ResourceRecord[] =>
    world.by('a.example', `gone.a.example. NSEC \\000.gone.a.example. ${types}`);
  const asked = async (types: string, rcode = 0): Promise<string> => {
    const said = await outcome('gone.a.example MX', { rcode, authorities: compact(types) });
    return said.replace(/ 0$/, '');
  };
  assert.equal(await asked('RRSIG NSEC NXNAME'), 'nxdomain secure');
  assert.equal(await asked('RRSIG NSEC NXNAME', 3), 'nxdomain secure');
  assert.equal(await asked('RRSIG NSEC'), 'nodata secure');
  assert.equal(await asked('A RRSIG NSEC'), 'nodata secure');
});

test('RFC 9276 §3.2 [9276-3.2-1]: costly NSEC3 records prove no wildcard answer', async () => {
  const wildcard = [record('*.a.example. A 192.0.2.1')];
  const { type, rdata } = signRrset(
    wildcard,
    world.key('a.example'),
    Name.of('a.example'),
    world.window,
  );
  const owner = record('mx.a.example. A 192.0.2.1');
  const answers = [owner, { ...owner, type, rdata }];
  const asked = (iterations: number): Promise<string> => {
    const span = nsec3('a.example', 'mx.a.example', { iterations });
    return outcome('mx.a.example A', { answers, authorities: world.signed('a.example', [span]) });
  };
  assert.equal(await asked(0), 'found secure 1');
  assert.equal(await asked(51), 'found insecure 1');
  assert.equal(await asked(501), 'failed bogus dnssec-iterations');
  assert.equal(await asked(65_535), 'failed bogus dnssec-iterations');
});
