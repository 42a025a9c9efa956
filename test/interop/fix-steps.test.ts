import assert from 'node:assert/strict';
import test from 'node:test';
import { parseDomain } from '../../src/base/index.js';
import { check } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import { createResolver, lookupAddresses } from '../../src/dns/index.js';
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
  'ghost-mx.example',
  'no-final-dot.example',
  'address-mx.example',
  'null-mx-beside.example',
  'sts-alias.example',
];

/** Changes the MX records as a step describes; undefined for any other step. */
function changeMx(scenario: Scenario, text: string, code: string): Scenario | undefined {
  const { zone = {} } = scenario;
  const lines = (zone.records ?? '').split('\n');
  const withRecords = (records: readonly string[]): Scenario => ({
    ...scenario,
    zone: { ...zone, records: records.join('\n') },
  });
  const relative = (name: string): string => name.replace(`.${scenario.domain}.`, '');
  const deleted = /^\S+ IN MX (\d+) (\S+)$/.exec(code);
  if (deleted && /^Delete this|delete this record\.$/.test(text)) {
    const line = `@ MX ${deleted[1]} ${relative(deleted[2] ?? '')}`;
    assert.ok(lines.includes(line), text);
    return withRecords(lines.filter((l) => l !== line));
  }
  if (/delete its null MX record/.test(text)) {
    const rest = lines.filter((l) => !/^@ MX \d+ \.$/.test(l));
    assert.ok(rest.length < lines.length, text);
    return withRecords(rest);
  }
  const named = /^\S+ \d+ IN MX (\d+) (\S+)$/.exec(code);
  if (named && /it replaces the one/.test(text)) {
    const rest = lines.filter((l) => !l.startsWith(`@ MX ${named[1]} `));
    return withRecords([`@ MX ${named[1]} ${named[2]}`, ...rest]);
  }
  // The operator chooses the name; this test uses the name of every mail host in the lab.
  if (/^Publish an A or AAAA record with the public address/.test(text))
    return { ...scenario, hosts: [{}] };
  if (/^In the MX record, replace \S+ with the name of that record/.test(text))
    return { ...scenario, zone: {} };
  return undefined;
}

/**
 * Returns the scenario after an administrator followed a step literally; undefined
 * without a change. Fails on a step that an administrator cannot follow.
 */
function follow(scenario: Scenario, step: FixStep): Scenario | undefined {
  const { kind, code = '', instruction: text = step.text } = step;
  // Operators paste the code of a step, so the code has no prose, no outer blanks and no
  // remark in brackets.
  assert.equal(code.trim(), code);
  assert.doesNotMatch(code, / {3}\(|^On |^Postfix/);
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
  if (text.startsWith('Serve this text at https://mta-sts.')) {
    const { habit: _, certificate: __, ...rest } = sts;
    const mode = /^mode: (enforce|testing)$/m.exec(code)?.[1] as 'enforce' | 'testing';
    return {
      ...scenario,
      sts: { ...rest, mode, mx: [...code.matchAll(/^mx: (\S+)$/gm)].map((m) => m[1] as string) },
    };
  }
  if (kind === 'dns') {
    const changed = changeMx(scenario, text, code);
    if (changed) return changed;
    if (/^Delete every TXT record at _mta-sts/.test(text))
      return { ...scenario, sts: { ...sts, copies: 0 } };
    if (/^_mta-sts\.\S+ \d+ IN TXT "v=STSv1; id=[A-Za-z0-9]{1,32}"$/.test(code))
      return { ...scenario, sts: { ...sts, copies: 1 } };
    if (/^_smtp\._tls\.\S+ \d+ IN TXT "v=TLSRPTv1; rua=mailto:\S+"$/.test(code))
      return { ...scenario, rpt: true };
    if (/^_25\._tcp\.\S+ \d+ IN TLSA 3 1 1 [0-9a-f]{64}$/.test(code))
      return hosts((h) => ({ ...h, tlsa: [...(h.tlsa ?? []), 'ee'] }));
    if (/^Delete the TLSA records/.test(text))
      return hosts((h) => ({ ...h, tlsa: (h.tlsa ?? []).filter((t) => t === 'ee') }));
    if (/^Publish the DS record/.test(text))
      return { ...scenario, zone: { ...scenario.zone, signed: {} } };
  }
  if (kind === 'command') {
    // A command that only reads changes nothing.
    if (/^(dig|openssl|certbot renew --dry-run|postfix check; )/.test(code)) return undefined;
    if (/^certbot certonly/.test(code)) return undefined;
    if (/reload postfix/.test(code))
      return hosts(({ habit: _, ...h }) => ({ ...h, certificate: 'trusted' }));
  }
  // A saved configuration takes effect with the next reload.
  if (
    kind === 'config' &&
    /^(location = |smtpd_tls_|$)/.test(code) &&
    /(\bSet (this|in) .*:$|^Keep this key at renewal|enable DNSSEC)/.test(text)
  )
    return undefined;
  return assert.fail(`the step cannot be followed: "${step.text}" (${kind})`);
}

/** Returns the hosts that the steps of a result use as a mail host or policy host. */
function namedBy({ findings }: CheckResult): readonly string[] {
  const texts = findings.flatMap((f) => f.steps.map((s) => s.text));
  const policy = texts.flatMap((text) => [...text.matchAll(/^mx: (\S+)$/gm)]);
  const records = texts.flatMap((text) => [...text.matchAll(/^\S+ \d+ IN MX \d+ (\S+)\.$/gm)]);
  return [...policy, ...records].flatMap(([, name]) => (name?.startsWith('*') ? [] : (name ?? [])));
}

async function look(scenario: Scenario): Promise<CheckResult> {
  const lab = await createLab({ scenarios: [scenario] });
  try {
    const result = await check(scenario.domain, labOptions(lab));
    const resolver = createResolver(lab);
    for (const name of namedBy(result)) {
      const parsed = parseDomain(name);
      assert.ok(parsed.ok, name);
      const { status } = await lookupAddresses(resolver, parsed.value);
      assert.equal(status, 'found', `a step leads mail or a policy to ${name}`);
    }
    return result;
  } finally {
    await lab.close();
  }
}

for (const domain of broken) {
  test(`the steps printed for ${domain}, in order, never defer mail and end in pass`, async () => {
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
        const before = Object.values(result.exposure).map((row) => row.none);
        const { exposure } = await look(scenario);
        for (const [i, [sender, row]] of Object.entries(exposure).entries())
          // If no mail is delivered, the first of two steps may not restore delivery.
          assert.ok(
            row.none !== 'deferred' || before[i] === 'deferred',
            `${sender} is deferred after "${step.text}"`,
          );
      }
      result = await look(scenario);
    }
    assert.equal(result.verdict, 'pass', result.findings.map((f) => f.id).join());
  });
}
