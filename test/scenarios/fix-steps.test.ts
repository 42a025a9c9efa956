import assert from 'node:assert/strict';
import test from 'node:test';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/commands/lab-options.js';
import type { CheckResult, FixStep } from '../../src/evidence/index.js';
import { allScenarios, createLab, type Scenario } from '../../src/lab/index.js';

type Host = NonNullable<Scenario['hosts']>[number];

const broken = [
  'opportunistic.example',
  'plaintext.example',
  'refused-tls.example',
  'expired.example',
  'self-signed.example',
  'wrong-host.example',
  'missing-intermediate.example',
  'testing-mode.example',
  'sts-none.example',
  'sts-redirect.example',
  'sts-wrong-type.example',
  'sts-bad-cert.example',
  'sts-duplicate-record.example',
  'sts-mx-mismatch.example',
  'tlsa-unusable.example',
  'insecure-delegation.example',
  'signed-only.example',
  'weak-rsa.example',
  'near-expiry.example',
];

/** What an administrator does who follows a step to the letter; undefined where nothing changes. Fails on a step that nobody could follow. */
function follow(scenario: Scenario, { kind, text }: FixStep): Scenario | undefined {
  const hosts = (change: (host: Host) => Host): Scenario => ({
    ...scenario,
    hosts: (scenario.hosts ?? [{}]).map(change),
  });
  const sts = scenario.sts ?? { mode: 'none' as const, copies: 0 };
  if (kind === 'wait') return undefined;
  if (kind === 'confirm')
    return text.startsWith('First give a certificate')
      ? hosts((h) => ({ ...h, certificate: 'trusted' }))
      : undefined;
  if (text.startsWith('Serve at https://mta-sts.')) {
    const { habit: _, certificate: __, ...rest } = sts;
    const mode = /^mode: (enforce|testing)$/m.exec(text)?.[1] as 'enforce' | 'testing';
    return {
      ...scenario,
      sts: { ...rest, mode, mx: [...text.matchAll(/^mx: (\S+)$/gm)].map((m) => m[1] as string) },
    };
  }
  if (kind === 'dns') {
    if (/^Delete every _mta-sts/.test(text)) return { ...scenario, sts: { ...sts, copies: 0 } };
    if (/^_mta-sts\.\S+ \d+ IN TXT "v=STSv1; id=[A-Za-z0-9]{1,32}"$/.test(text))
      return { ...scenario, sts: { ...sts, copies: 1 } };
    if (/^_smtp\._tls\.\S+ \d+ IN TXT "v=TLSRPTv1; rua=mailto:\S+"$/.test(text))
      return { ...scenario, rpt: true };
    if (/^Beside the present records: _25\._tcp\.\S+ \d+ IN TLSA 3 1 1 [0-9a-f]{64}$/.test(text))
      return hosts((h) => ({ ...h, tlsa: [...(h.tlsa ?? []), 'ee'] }));
    if (/^Then delete the TLSA records/.test(text))
      return hosts((h) => ({ ...h, tlsa: (h.tlsa ?? []).filter((t) => t === 'ee') }));
    if (/^Publish the DS record/.test(text))
      return { ...scenario, zone: { ...scenario.zone, signed: {} } };
  }
  if (kind === 'command') {
    // Looking is not changing.
    if (/^(openssl|On \S+: openssl|certbot renew --dry-run|postfix check; grep)/.test(text))
      return undefined;
    if (/^certbot certonly/.test(text)) return undefined;
    if (/reload postfix/.test(text))
      return hosts(({ habit: _, ...h }) => ({ ...h, certificate: 'trusted' }));
  }
  // A configuration that is written takes effect with the reload that follows it.
  if (
    kind === 'config' &&
    /^(nginx: |Postfix, main\.cf: smtpd_tls_|Keep this key at renewal|Switch DNSSEC on)/.test(text)
  )
    return undefined;
  return assert.fail(`nobody can follow "${text}" (${kind})`);
}

async function look(scenario: Scenario): Promise<CheckResult> {
  const lab = await createLab({ scenarios: [scenario] });
  try {
    return await check(scenario.domain, labOptions(lab));
  } finally {
    await lab.close();
  }
}

for (const domain of broken) {
  test(`the steps printed for ${domain}, in order, never hold mail back and end in pass`, async () => {
    let scenario = allScenarios.find((s) => s.domain === domain);
    assert.ok(scenario);
    let result = await look(scenario);
    assert.notEqual(result.verdict, 'pass');
    for (let round = 0; result.verdict !== 'pass' && round < 4; round++) {
      const [worst] = result.findings;
      assert.ok(worst && (worst.severity === 'fail' || worst.severity === 'warn'));
      for (const step of worst.steps) {
        const changed = follow(scenario, step);
        if (!changed) continue;
        scenario = changed;
        const { exposure } = await look(scenario);
        for (const [sender, row] of Object.entries(exposure))
          assert.notEqual(row.none, 'deferred', `${sender} waits after "${step.text}"`);
      }
      result = await look(scenario);
    }
    assert.equal(result.verdict, 'pass', result.findings.map((f) => f.id).join());
  });
}
