import assert from 'node:assert/strict';
import test from 'node:test';
import { check, renderTerminal, type CheckOptions } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { CheckResult } from '../../src/evidence/index.js';
import { createLab, type Lab, type Scenario, type SmtpHabit } from '../../src/lab/index.js';

const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;
const domain = 'x.example';

/** Checks `x.example` in a lab without other domains. */
async function checkAlone(
  scenario: Partial<Scenario>,
  prepare: (lab: Lab) => CheckOptions | undefined = () => undefined,
): Promise<CheckResult> {
  const lab = await createLab({ scenarios: [{ domain, says: '', expect, ...scenario }] });
  try {
    return await check(domain, { ...labOptions(lab), ...prepare(lab) });
  } finally {
    await lab.close();
  }
}

/**
 * Options with a short timeout, which does not change the result because the peers never
 * answer.
 */
const impatient = (): CheckOptions => ({ timeoutMs: 1500 });
const ids = (result: CheckResult): string[] => result.findings.map((f) => f.id);
const shown = (result: CheckResult): string => renderTerminal(result, { width: 80, color: false });

for (const habit of [
  'silent',
  'garbage',
  'endless',
  'hangs-up',
  'hangs-up-at-ehlo',
  'hangs-up-at-starttls',
  'closed',
] satisfies SmtpHabit[]) {
  test(`a mail server that is ${habit}: could not tell, and no claim about its TLS`, async () => {
    const result = await checkAlone({ hosts: [{ habit }] }, impatient);
    assert.equal(result.verdict, 'inconclusive');
    assert.ok(ids(result).includes('mx-inconclusive'), ids(result).join());
    assert.ok(!ids(result).some((id) => /^(starttls|tls|cert)-/.test(id)));
  });
}

test('a server that breaks the handshake after 220 fails with that handshake', async () => {
  const result = await checkAlone({ hosts: [{ habit: 'breaks-tls' }] });
  assert.equal(result.verdict, 'fail');
  assert.ok(ids(result).includes('tls-handshake-failed'));
});

for (const habit of ['endless', 'silent'] as const) {
  test(`a policy host whose body is ${habit} ends within the time limit`, async () => {
    const began = performance.now();
    const result = await checkAlone({ sts: { mode: 'enforce', habit } }, impatient);
    assert.ok(performance.now() - began < 60_000);
    assert.ok(
      ids(result).some((id) => id === 'sts-policy-unreachable' || id === 'sts-policy-invalid'),
      ids(result).join(),
    );
  });
}

test('ESC, bidi and control characters of a greeting never reach the terminal', async () => {
  const result = await checkAlone({ hosts: [{ greeting: '220 \x1b[31mmx\u202e\x07 ESMTP' }] });
  // eslint-disable-next-line no-control-regex
  assert.doesNotMatch(shown(result), /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
});

test('a resolver that strips DNSSEC is reported, and only DNSSEC facts are unknown', async () => {
  const result = await checkAlone(
    { zone: { signed: {} }, hosts: [{ tlsa: ['ee'] }], sts: { mode: 'enforce' } },
    (lab) => {
      lab.resolverHabit('strips');
      return undefined;
    },
  );
  assert.equal(result.verdict, 'inconclusive');
  assert.ok(ids(result).includes('resolver-no-dnssec'));
  assert.match(shown(result), /--resolver/);
  assert.deepEqual(new Set(Object.values(result.exposure.dane).slice(0, 1)), new Set(['unknown']));
  assert.equal(result.exposure.mtaStsCached.none, 'verified');
  assert.equal(result.exposure.opportunistic.stripStarttls, 'cleartext');
  assert.deepEqual(
    result.findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id),
    [],
  );
});

test('a resolver that is silent or refuses: could not tell', async () => {
  for (const fault of ['drop', 'refused', 'servfail'] as const) {
    const result = await checkAlone({}, (lab) => {
      for (const type of ['MX', 'A', 'AAAA']) lab.fault(`${domain} ${type}`, fault);
      return undefined;
    });
    assert.equal(result.verdict, 'inconclusive', fault);
    assert.ok(
      ids(result).includes('mx-lookup-failed') || ids(result).includes('dnssec-indeterminate'),
      `${fault}: ${ids(result).join()}`,
    );
  }
});

test('forged answers to any question of a signed chain never become "no DANE"', async () => {
  const scenario: Partial<Scenario> = { zone: { signed: {} }, hosts: [{ tlsa: ['ee'] }] };
  for (const question of [
    `_25._tcp.mx.${domain} TLSA`,
    `${domain} DS`,
    `${domain} DNSKEY`,
    'example DS',
    'example DNSKEY',
    '. DNSKEY',
  ]) {
    for (const fault of ['nxdomain', 'nodata', 'servfail', 'refused'] as const) {
      const result = await checkAlone(scenario, (lab) => {
        lab.fault(question, fault);
        return undefined;
      });
      const what = `${fault} for ${question}: ${result.verdict} ${ids(result).join()}`;
      assert.ok(result.verdict === 'fail' || result.verdict === 'inconclusive', what);
      assert.ok(
        !ids(result).some((id) => ['sts-absent', 'no-enforcement', 'dane-good'].includes(id)),
        what,
      );
      assert.ok(
        ids(result).some((id) =>
          /^(dane|dnssec)-(bogus|tempfail|indeterminate)$|^resolver-no-dnssec$|^mx-/.test(id),
        ),
        what,
      );
      for (const cell of Object.values(result.exposure.dane))
        assert.ok(cell === 'deferred' || cell === 'unknown', `${what} ${cell}`);
    }
  }
});

test('a domain that does not exist is reported as such', async () => {
  const lab = await createLab({ scenarios: [] });
  const result = await check('nowhere.example', labOptions(lab));
  await lab.close();
  assert.deepEqual([result.verdict, ids(result)], ['not-applicable', ['domain-nonexistent']]);
});

test('no IPv6 here: the address is skipped and the verdict does not change', async () => {
  const result = await checkAlone({ hosts: [{ v6: true }], sts: { mode: 'enforce' } });
  assert.equal(result.verdict, 'pass');
  assert.deepEqual(
    result.hosts[0]?.addresses.map((a) => a.status),
    ['reachable', 'skipped'],
  );
});
