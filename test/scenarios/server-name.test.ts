import assert from 'node:assert/strict';
import test from 'node:test';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createLab, type Scenario } from '../../src/lab/index.js';

const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;

async function namesSaid(
  zone: Scenario['zone'],
  hosts: Scenario['hosts'],
): Promise<readonly (readonly [string, string])[]> {
  const lab = await createLab({
    scenarios: [
      {
        domain: 'x.example',
        says: '',
        expect,
        ...(zone ? { zone } : {}),
        ...(hosts ? { hosts } : {}),
      },
    ],
  });
  try {
    const result = await check('x.example', labOptions(lab));
    return result.hosts.flatMap((h) =>
      h.addresses.flatMap((a) => a.certificates.map((c) => [c.sni, c.dane] as const)),
    );
  } finally {
    await lab.close();
  }
}

const alias = { withoutMx: true, records: '@ MX 10 mail\nmail CNAME mx' };

test('RFC 7672 §8.1: SNI is the TLSA base domain behind a secure alias', async () => {
  assert.deepEqual(await namesSaid({ ...alias, signed: {} }, [{ tlsa: ['ee'] }]), [
    ['mx.x.example', 'match'],
  ]);
  // The records are at the alias itself: the name in the MX record is the TLSA base
  // domain.
  const own = `${alias.records}\n_25._tcp.mail TLSA 3 1 1 ${'0d'.repeat(32)}`;
  assert.deepEqual(await namesSaid({ ...alias, records: own, signed: {} }, [{}]), [
    ['mail.x.example', 'mismatch'],
  ]);
});

test('without DANE in force SNI is the MX host, alias or not (RFC 8461 §7.1)', async () => {
  assert.deepEqual(await namesSaid(alias, [{ tlsa: ['ee'] }]), [
    ['mail.x.example', 'not-applicable'],
  ]);
  assert.deepEqual(await namesSaid({ ...alias, signed: {} }, [{}]), [
    ['mail.x.example', 'not-applicable'],
  ]);
  assert.deepEqual(await namesSaid({ signed: {} }, [{ tlsa: ['ee'] }]), [
    ['mx.x.example', 'match'],
  ]);
});
