import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../evidence/index.js';
import { missingRecords, type MissingOptions } from './missing-records.js';
import { lookupRecordOwners } from './record-owners.js';
import { zoneEyes } from '../../../test/support/publish/zone.js';

const domain = 'one.example';
const host = 'mx1.one.example';
const mail = '@ MX 10 mx1\nmx1 A 192.0.2.25\n';

/** A domain with one good, signed mail host and nothing published. */
const result = {
  domain,
  route: { kind: 'mx', dnssec: 'secure' },
  hosts: [
    {
      name: host,
      dnssec: 'secure',
      tlsa: { status: 'absent' },
      addresses: [
        {
          ip: '192.0.2.25',
          starttls: 'offered',
          certificates: [
            {
              chain: 'trusted',
              validity: 'valid',
              nameMatch: 'match',
              spkiSha256: '00'.repeat(32),
            },
          ],
        },
      ],
    },
  ],
  mtaSts: { status: 'absent' },
  tlsRpt: { status: 'absent', rua: [] },
  findings: [],
} as unknown as CheckResult;

async function stepsFor(records: string, options: MissingOptions = {}, at = domain) {
  const owners = await lookupRecordOwners(zoneEyes(mail + records).resolver, at, [host]);
  const steps = missingRecords({ ...result, domain: at }, { ...options, owners });
  return steps.map(({ kind, why, text }) => ({ kind, text: `${text} ${why}` }));
}

const recordsOf = (steps: Awaited<ReturnType<typeof stepsFor>>): readonly string[] =>
  steps.filter(({ kind }) => kind === 'record').map(({ text }) => text.split('. 3600')[0] ?? '');

test('without aliases and wildcards every record is printed', async () => {
  assert.deepEqual(recordsOf(await stepsFor('')), [
    '_smtp._tls.one.example',
    '_mta-sts.one.example',
    '_25._tcp.mx1.one.example',
  ]);
});

for (const [records, name, target] of [
  [
    '_mta-sts CNAME _mta-sts.provider.example.',
    '_mta-sts.one.example',
    '_mta-sts.provider.example',
  ],
  ['_smtp._tls CNAME rpt.provider.example.', '_smtp._tls.one.example', 'rpt.provider.example'],
  ['_25._tcp.mx1 CNAME keys', '_25._tcp.mx1.one.example', 'keys.one.example'],
] as const)
  test(`no record is printed at the alias ${name}`, async () => {
    const steps = await stepsFor(records);
    assert.ok(!recordsOf(steps).includes(name));
    const note = steps.find(({ text }) => text.includes(`${name} is an alias of ${target}`));
    assert.equal(note?.kind, 'note');
    assert.match(note.text, /RFC 1034 §3\.6\.2/);
  });

for (const wildcard of ['* CNAME www\nwww A 192.0.2.99', '* TXT "v=spf1 -all"', '* A 192.0.2.99'])
  test(`"${wildcard.replace('\n', '; ')}" is not an alias of any owner`, async () => {
    const records = recordsOf(await stepsFor(wildcard, { policyHost: 'policy.one.example' }));
    assert.deepEqual(records, [
      '_smtp._tls.one.example',
      'mta-sts.one.example',
      '_mta-sts.one.example',
      '_25._tcp.mx1.one.example',
    ]);
  });

test('a domain that depends on a wildcard gets no record below it', async () => {
  const steps = await stepsFor('* MX 10 mx1', {}, 'sub.one.example');
  assert.ok(recordsOf(steps).every((name) => !name.endsWith('sub.one.example')));
  assert.ok(steps.some(({ text }) => /sub\.one\.example: publish its MX or address/.test(text)));
});

test('the missing records include the address of the policy host', async () => {
  const line = async (records: string, policyHost?: string): Promise<string> => {
    const steps = await stepsFor(records, policyHost === undefined ? {} : { policyHost });
    return (
      steps.find(
        ({ text }) => text.includes('mta-sts.one.example') && !/https:|_mta-sts/.test(text),
      )?.text ?? ''
    );
  };
  assert.match(await line(''), /has no address: add an A or AAAA record/);
  assert.match(await line('', 'policy.one.example.'), /IN CNAME policy\.one\.example\. /);
  assert.match(await line('', '192.0.2.80'), /IN A 192\.0\.2\.80 /);
  assert.match(await line('', '2001:db8::80'), /IN AAAA 2001:db8::80 /);
  assert.equal(await line('mta-sts A 192.0.2.80'), '');
  assert.equal(await line('mta-sts CNAME policy\npolicy A 192.0.2.80', 'policy.one.example'), '');
  assert.match(
    await line('mta-sts A 192.0.2.80', 'policy.one.example'),
    /has addresses of its own: serve the policy there/,
  );
  assert.match(
    await line('mta-sts CNAME www\nwww A 192.0.2.80', 'policy.one.example'),
    /alias of www\.one\.example: make it an alias of policy\.one\.example instead/,
  );
  const www = 'mta-sts CNAME www\nwww A 192.0.2.80';
  for (const address of ['192.0.2.81', '2001:db8::81'])
    assert.match(await line(www, address), /replace the alias by the address \S+:?81 the host/);
  for (const policyHost of [undefined, 'gone.provider.example'])
    assert.match(
      await line('mta-sts CNAME gone.provider.example.', policyHost),
      /alias of gone\.provider\.example, which has no address: add one there/,
    );
  assert.equal(await line(www), '');
});
