import { Name } from '../../base/index.js';
import { collect, collectOptions, grade, nameOf } from '../../check/index.js';
import { createResolver, typeNumber, type Proof } from '../../dns/index.js';
import { connect } from '../../send/index.js';
import type { CheckResult, DeliveryOutcome, Depth, Evidence } from '../../evidence/index.js';
import { allScenarios, createLab, type Lab } from '../../lab/index.js';
import { senderCases, type SenderTestResult } from '../../sender/index.js';
import { labOptions } from '../lab.js';
import { runSenderTest } from '../sender/run-test.js';
import { deliverWithOwnSender, TEST_SENDER } from '../sender/submit.js';

/** The evidence of a domain of the lab, and its result. */
export interface StagedCheck {
  readonly evidence: Evidence;
  readonly result: CheckResult;
}

/** Options of one check in a demonstration. */
export interface LookOptions {
  /** Default `triage`. */
  readonly depth?: Depth;
  /** Disables the attacker. */
  readonly calm?: boolean;
  /** Recorded hellos that are sent as well, by id. */
  readonly senders?: readonly string[];
}

/**
 * The labs that demonstrate a topic.
 *
 * Every picture comes from labs of this process: no packet leaves the machine, and each
 * lab has new keys, so digests and key tags differ from run to run.
 */
export interface Stage {
  /** Checks a domain, and returns its evidence and result. */
  look(domainName: string, options?: LookOptions): Promise<StagedCheck>;
  /** Connects to a domain's mail hosts as policy allows, and returns the outcome. */
  send(domainName: string): Promise<DeliveryOutcome>;
  /** Returns the chain of trust of an answer. */
  prove(name: string, type: string): Promise<Proof | undefined>;
  /** Tests the sender of this program against the decisive cases. */
  senderTest(): Promise<SenderTestResult>;
  /** Closes every lab that was opened. */
  close(): Promise<void>;
}

/**
 * Opens labs on demand, each with the scenario of one domain.
 *
 * A lab is opened once for each domain and mode, and kept open until `close`.
 */
export function openStage(signal: AbortSignal): Stage {
  const open = new Map<string, Promise<Lab>>();
  // Evidence, deliveries and proofs of one domain share a lab, so they contain the same
  // keys.
  const labFor = (domainName: string, attackers: boolean): Promise<Lab> => {
    const identity = `${domainName} ${attackers}`;
    const scenarios = allScenarios.filter((scenario) => scenario.domain === domainName);
    const lab = open.get(identity) ?? createLab({ scenarios, attackers });
    open.set(identity, lab);
    return lab;
  };
  return {
    async look(domainName, { depth = 'triage', calm = false, senders } = {}) {
      const lab = await labFor(domainName, !calm);
      const evidence = await collect(
        nameOf(domainName),
        collectOptions({ ...labOptions(lab), depth, senders, signal }),
      );
      return { evidence, result: grade(evidence) };
    },
    async send(domainName) {
      const { network, upstreams, anchors, trustStore } = await labFor(domainName, true);
      // The name of the sending host in EHLO; no scenario depends on it.
      const helo = 'sender.example';
      const sent = await connect(domainName, {
        network,
        upstreams,
        anchors,
        trustStore,
        helo,
        timeoutMs: 5000,
      });
      // The session ends before MAIL FROM: the picture needs the outcome of the
      // connection only.
      if (sent.ok) await sent.session.quit();
      return sent.outcome;
    },
    async prove(name, type) {
      const lab = await labFor(name.split('.').slice(-2).join('.'), true);
      const resolver = createResolver({
        network: lab.network,
        upstreams: lab.upstreams,
        anchors: lab.anchors,
      });
      return (await resolver.ask(Name.of(name), typeNumber(type) ?? 0, { signal })).proof as
        Proof | undefined;
    },
    senderTest: () =>
      runSenderTest({
        cases: senderCases.filter(({ quick }) => quick),
        exposed: false,
        submit: deliverWithOwnSender,
        from: TEST_SENDER,
        durationMs: 60_000,
        patienceMs: 0,
        concurrency: 4,
        signal,
      }),
    async close() {
      await Promise.all([...open.values()].map(async (lab) => (await lab).close()));
    },
  };
}
