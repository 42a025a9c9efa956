import { collect, collectOptions, grade, nameOf } from '../../src/check/index.js';
import { labOptions } from '../../src/cli/lab.js';
import type { AddressEvidence, CheckResult, Evidence } from '../../src/evidence/index.js';
import { createLab, type Lab, type LabAttack, type Scenario } from '../../src/lab/index.js';
import { attacks, senders, type Attack, type DeliveryResult } from '../../src/tls-policy/index.js';
import { observe, tapOn } from './observe.js';
import { freshResolvers, primed, senderOf } from './sender-classes.js';

/** The attacker's actions for each column. The worst outcome is compared. */
export const waysOf: Readonly<Record<Attack, readonly (readonly LabAttack[])[]>> = {
  none: [[]],
  stripStarttls: [['strip'], ['mangle'], ['answer-in-clear']],
  swapCertificate: [['swap-certificate']],
  spoofMx: [
    ['spoof-mx', 'sts-nxdomain'],
    ['spoof-address', 'deny-tlsa', 'sts-nxdomain'],
  ],
  suppress: [
    ['strip', 'sts-servfail', 'policy-down', 'drop-tlsa'],
    ['answer-in-clear', 'sts-servfail', 'policy-down', 'drop-tlsa'],
  ],
};

const worstFirst: readonly DeliveryResult[] = [
  'cleartext',
  'to-attacker',
  'deferred',
  'unverified',
  'verified',
  'not-applicable',
];

export interface Comparison {
  readonly cells: number;
  /**
   * Number of cells that are not compared: cells that the check cannot predict, attacks
   * on domains without mail, and servers that refuse the sixth concurrent client.
   */
  readonly left: number;
  readonly differing: readonly string[];
}

/**
 * Compares the prediction of a check with the outcome of a real delivery, for each
 * domain, class of sender and attack.
 */
export async function compare(
  scenarios: readonly Scenario[],
  columns: readonly Attack[] = attacks,
): Promise<Comparison> {
  const lab = await createLab();
  try {
    const all: Cell[] = [];
    const chosen = lab.scenarios.filter((s) =>
      scenarios.some(({ domain }) => nameOf(domain).toLower() === s.domain),
    );
    const waiting = chosen.filter((s) => !meetsAttacker(s));
    const busy = new Set<string>();
    const work = async (): Promise<void> => {
      for (let next = take(); next; next = take()) {
        const ips = lab.hostsOf(next.domain).map(({ ip }) => ip);
        ips.forEach((ip) => busy.add(ip));
        all.push(...(await compareDomain(next, lab, columns)));
        ips.forEach((ip) => busy.delete(ip));
      }
    };
    // Prevents concurrent attacks on domains that share a host.
    const take = (): Scenario | undefined => {
      const at = waiting.findIndex(
        ({ domain }) => !lab.hostsOf(domain).some(({ ip }) => busy.has(ip)),
      );
      return at < 0 ? undefined : waiting.splice(at, 1)[0];
    };
    await Promise.all(Array.from({ length: MAX_CONCURRENT }, work));
    for (const last of [...waiting, ...chosen.filter(meetsAttacker)])
      all.push(...(await compareDomain(last, lab, columns)));
    return {
      cells: all.length,
      left: all.filter(({ compared }) => !compared).length,
      differing: all.flatMap(({ where, predicted, observed, compared }) =>
        !compared || predicted === observed
          ? []
          : [`${where}: predicted ${predicted}, observed ${observed}`],
      ),
    };
  } finally {
    await lab.close();
  }
}

/**
 * Returns whether a forged MX leads to the attacker's own host. All domains share that
 * host, so attacks on it would affect the other domains.
 */
function meetsAttacker({ attack }: Scenario): boolean {
  return Object.keys(attack?.faults ?? {}).some((question) => question.endsWith(' MX'));
}

interface Cell {
  readonly where: string;
  readonly compared: boolean;
  readonly predicted: DeliveryResult;
  readonly observed: DeliveryResult;
}

/**
 * Maximum number of concurrent comparisons: with more, this machine rather than the lab
 * causes timeouts.
 */
const MAX_CONCURRENT = 6;

async function compareDomain(
  { domain, attack: inForce, hosts }: Scenario,
  lab: Lab,
  columns: readonly Attack[],
): Promise<readonly Cell[]> {
  const evidence = await collect(
    nameOf(domain),
    collectOptions({ ...labOptions(lab), depth: 'triage' }),
  );
  const { exposure }: CheckResult = grade(evidence);
  const met = evidence.hosts.flatMap(({ name, addresses }) =>
    addresses.map((address) => ({ name, ip: address.ip, sealed: offersTls(address) })),
  );
  const sealed = met.filter((at) => at.sealed);
  const known = await primed(domain, lab);
  const cells: Cell[] = [];
  for (const attack of columns) {
    const seen = new Map<string, DeliveryResult[]>(senders.map((sender) => [sender, []]));
    for (const way of waysOf[attack]) {
      const undo: (() => void)[] = [];
      for (const one of way)
        undo.push(await lab.attack(domain, one, one === 'swap-certificate' ? sealed : met));
      for (const alone of attack === 'none' ? firstChoices(evidence) : leftAlone(domain, lab)) {
        const back =
          alone === undefined ? [] : others(domain, lab, alone).map((ip) => lab.cutOff(ip));
        const resolvers = freshResolvers(lab);
        const outcomes = await Promise.all(
          senders.map(async (sender) => {
            const tap = tapOn(lab.network);
            const { outcome, seen: asSeen } = await observe(
              domain,
              senderOf(sender, lab, resolvers, known, tap.network),
              lab,
              tap,
            );
            // If the scenario itself has an attacker, a check cannot identify its peer.
            return [
              sender,
              inForce && attack !== 'swapCertificate' && attack !== 'spoofMx' ? asSeen : outcome,
            ] as const;
          }),
        );
        for (const [sender, outcome] of outcomes) seen.get(sender)?.push(outcome);
        back.reverse().forEach((put) => put());
      }
      undo.reverse().forEach((end) => end());
    }
    for (const sender of senders) {
      const came = seen.get(sender) ?? [];
      // Without an attack, a sender tries the next server if one accepts no mail.
      const ended = attack === 'none' ? came.filter((outcome) => outcome !== 'deferred') : came;
      const observed =
        worstFirst.find((outcome) => (ended.length > 0 ? ended : came).includes(outcome)) ??
        'unknown';
      const predicted = exposure[sender][attack];
      // The result of one attempt at such a server is random, or a permanent refusal
      // (521) instead of a deferral.
      const byChance =
        attack === 'none' &&
        hosts?.some(
          ({ admits, habit }) => admits || habit === 'sometimes-tls' || habit === 'takes-no-mail',
        );
      const compared =
        predicted !== 'unknown' &&
        !(predicted === 'not-applicable' && attack !== 'none') &&
        !byChance;
      cells.push({ where: `${domain} ${sender} ${attack}`, compared, predicted, observed });
    }
  }
  return cells;
}

/**
 * Returns whether a host may offer TLS: an attacker can swap a certificate only if one
 * exists, and can replace an unreachable server.
 */
function offersTls({ connections }: AddressEvidence): boolean {
  return !connections.some(
    ({ starttls, starttlsReply }) =>
      starttls === 'absent' ||
      starttls === 'mangled' ||
      // RFC 3207 §4: after 454 the server offers TLS at another time.
      (starttls === 'refused' && (starttlsReply?.code ?? 500) >= 500),
  );
}

/**
 * Returns the servers that a sender may try first: each server of the best preference
 * that has an address, separately, and then undefined, which leaves all servers
 * unchanged.
 */
function firstChoices({ hosts }: Evidence): readonly (string | undefined)[] {
  const tried = hosts.filter(({ addresses }) => addresses.length > 0);
  const best = Math.min(...tried.map(({ preference }) => preference));
  const ips = tried.flatMap((host) =>
    host.preference === best
      ? host.addresses.filter(({ status }) => status !== 'skipped').map(({ ip }) => ip)
      : [],
  );
  return ips.length > 1 ? [...ips, undefined] : [undefined];
}

/**
 * Returns the addresses that remain reachable, one at a time: the attacker may block all
 * addresses but one.
 */
function leftAlone(domain: string, lab: Lab): readonly (string | undefined)[] {
  const ips = lab.hostsOf(domain).map(({ ip }) => ip);
  return ips.length > 1 ? ips : [undefined];
}

function others(domain: string, lab: Lab, alone: string): readonly string[] {
  return lab.hostsOf(domain).flatMap(({ ip }) => (ip === alone ? [] : [ip]));
}
