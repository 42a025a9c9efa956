/** Chains with a certificate that cannot be read: the reason names this certificate. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { createCa, createIntermediate, issue } from '../../pki/index.js';
import type { Evidence, Finding } from '../../evidence/index.js';
import {
  plantedConnection,
  plantedAddress,
  plantedEvidence,
  plantedHandshake,
  plantedHost,
  plantedPolicy,
} from '../../../test/support/check/planted-evidence.js';
import { grade } from './grade.js';

const name = 'mx.planted.example';
const middle = createIntermediate(createCa({ name: 'Root' }), { name: 'Middle' });
const leaf = issue(middle, { names: [name] });
const junk = Uint8Array.of(0x30, 0x80, 0, 0);

function evidenceOf(chain: readonly Uint8Array[], mode?: 'enforce'): Evidence {
  const pkix = { chain: 'incomplete', problems: ['x509-issuer-missing'] } as const;
  const handshake = plantedHandshake(chain, chain[0] === junk ? { chain: 'unknown' } : pkix);
  const connections = [plantedConnection({ handshake })];
  return plantedEvidence({
    hosts: [plantedHost({ addresses: [plantedAddress({}, { connections })] })],
    ...(mode ? { mtaSts: plantedPolicy(mode) } : {}),
  });
}

function findingOf(evidence: Evidence, id: string): Finding | undefined {
  return grade(evidence).findings.find((finding) => finding.id === id);
}

test('an intermediate that cannot be read is not called missing', () => {
  const sent = findingOf(evidenceOf([leaf.der, junk]), 'cert-chain-incomplete');
  assert.equal(sent?.title, 'An intermediate certificate cannot be read');
  assert.match(sent.reason ?? '', /^certificate 2 of the chain cannot be read: indefinite/);
  const missing = findingOf(evidenceOf([leaf.der]), 'cert-chain-incomplete');
  assert.equal(missing?.title, 'The certificate chain ends before a known CA');
  assert.match(missing.reason ?? '', /: it was issued by CN=.*, which the server did not send and/);
});

test("a server's certificate that cannot be read: could not tell, with the reason", () => {
  const evidence = evidenceOf([junk, middle.der], 'enforce');
  assert.equal(grade(evidence).verdict, 'inconclusive');
  const finding = findingOf(evidence, 'mx-inconclusive');
  assert.match(finding?.reason ?? '', /^certificate 1 of the chain cannot be read/);
  assert.equal(grade(evidenceOf([junk])).verdict, 'warn', 'without a policy no sender looks');
});
