import assert from 'node:assert/strict';
import test from 'node:test';
import type { NetworkEvidence } from '../../evidence/index.js';
import {
  plantedAddress,
  plantedEvidence,
  plantedHost,
} from '../../../test/support/check/planted-evidence.js';
import { assembleEvidence } from './assemble-evidence.js';

// RFC 5321 §4.5.4.2: if every connection times out, the network of the check is the
// cause.
test('only an answer from the control host shows that port 25 is open', () => {
  const silent = plantedAddress(
    { starttls: 'unknown', dial: { code: 'net-timeout', detail: '' } },
    { status: 'inconclusive', reason: 'net-timeout' },
  );
  const { network, schema: _, tool: __, trustStores: ___, ...facts } = plantedEvidence();
  const port25 = (code: string | undefined, starttls: 'offered' | 'unknown' = 'unknown') => {
    const failure = code === undefined ? undefined : { code, detail: '' };
    const control: NetworkEvidence['control'] = { host: 'mx.control.example', starttls, failure };
    return assembleEvidence({
      ...facts,
      hosts: [plantedHost({ addresses: [silent] })],
      control,
      resolver: network.resolver,
      sources: [],
      trustStores: [],
    }).network.port25;
  };
  assert.equal(port25('no-address'), 'blocked');
  assert.equal(port25('dns-timeout'), 'blocked');
  assert.equal(port25('net-timeout'), 'blocked');
  assert.equal(port25('net-refused'), 'unknown');
  assert.equal(port25('smtp-busy'), 'open');
  assert.equal(port25(undefined, 'offered'), 'open');
});
