import { grade, renderTerminal } from '../src/check/index.js';
import type { CheckResult, Evidence } from '../src/evidence/index.js';
import { allScenarios, createLab, type Scenario } from '../src/lab/index.js';
import { checkDomains } from '../src/cli/check-domains.js';
import { differences } from './expectation.js';

const shownInFull = ['good.example', 'stripped.example'];
const marks: Readonly<Record<CheckResult['verdict'], string>> = {
  pass: 'pass',
  warn: 'warn',
  fail: 'FAIL',
  inconclusive: '?',
  'not-applicable': '-',
};

/**
 * Checks every domain of the lab, prints the results, and resolves to every difference
 * from the expectation.
 */
export async function demo(
  scenarios: readonly Scenario[],
  print: (text: string) => void,
  width = 80,
): Promise<readonly string[]> {
  print(
    'A mail internet in this process: signed DNS, mail servers, policy hosts, and people on the path.\n\n',
  );
  const seen = await checkAll(scenarios, true);
  const calm = scenarios.filter((s) => s.calm);
  const seenCalm = await checkAll(calm, false, scenarios);
  const found: string[] = [];
  const results = new Map<string, CheckResult>();
  for (const [scenario, result] of seen) {
    results.set(scenario.domain, result);
    print(line(scenario.domain, result, width));
    found.push(...differences(result, scenario.expect));
    const twin = scenario.calm && seenCalm.get(scenario);
    if (!twin) continue;
    print(line(`  attacker off`, twin, width));
    found.push(...differences(twin, scenario.calm));
    if (twin.verdict === result.verdict)
      found.push(`${scenario.domain}: its verdict is the same with the attacker off`);
  }
  for (const domain of shownInFull) {
    const result = results.get(domain);
    if (result)
      print(`\n${'─'.repeat(width)}\n\n${renderTerminal(result, { width, color: false })}`);
  }
  return found;
}

async function checkAll(
  scenarios: readonly Scenario[],
  attackers: boolean,
  built: readonly Scenario[] = scenarios,
): Promise<ReadonlyMap<Scenario, CheckResult>> {
  const lab = await createLab({ scenarios: built, attackers });
  try {
    const seen = await Promise.all(
      checkDomains(
        lab,
        scenarios.map(({ domain }) => domain),
      ),
    );
    return new Map(scenarios.map((s, i) => [s, grade(seen[i] as Evidence)]));
  } finally {
    await lab.close();
  }
}

function line(domain: string, { verdict, findings }: CheckResult, width: number): string {
  const ids = [
    ...new Set(
      findings.filter((f) => f.severity === 'fail' || f.severity === 'warn').map((f) => f.id),
    ),
  ];
  const text = `${domain.padEnd(36)} ${marks[verdict].padEnd(5)} ${ids.join(', ')}`.trimEnd();
  return `${text.length > width ? `${text.slice(0, width - 1)}…` : text}\n`;
}

if (process.argv[1] === import.meta.filename) {
  const began = performance.now();
  const found = await demo(allScenarios, (text) => void process.stdout.write(text));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const twins = allScenarios.filter((s) => s.calm).length;
  if (found.length === 0)
    console.log(
      `\n${allScenarios.length} domains and ${twins} with the attacker off: every verdict, finding and cell as expected (${seconds} s).`,
    );
  else {
    console.error(
      `\n${found.join('\n')}\n\n${found.length} differences from what the scenarios expect (${seconds} s).`,
    );
    process.exitCode = 1;
  }
}
