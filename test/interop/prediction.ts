import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Receivers } from '../../src/cli/sender/open-receivers.js';
import { runSenderTest } from '../../src/cli/sender/run-test.js';
import { submitOverSmtp, type Submit } from '../../src/cli/sender/submit.js';
import { nodeNetwork } from '../../src/net/index.js';
import {
  comparePrediction,
  openableCases,
  predictSender,
  senderCases,
  type SenderModel,
  type SenderPrediction,
  type SenderTestResult,
} from '../../src/sender/index.js';

/** The resolver of the receivers, for the resolv.conf of a mail server. */
export const RECEIVERS_RESOLVER = '127.51.100.253';

/** A mail server that accepts messages on a loopback port. */
export interface TestedServer {
  /** Local part of the envelope sender, which selects a configuration of the server. */
  readonly name: string;
  readonly port: number;
  /** Runs once the receivers accept connections, before any message is delivered. */
  onOpen(receivers: Receivers): void | Promise<void>;
}

/**
 * Makes a mail server deliver to every case, and judges the observations of the
 * receivers.
 */
export function observe({ name, port, onOpen }: TestedServer): Promise<SenderTestResult> {
  const handOver = submitOverSmtp({ address: '127.0.0.1', port }, nodeNetwork());
  const submit = (receivers: Receivers): Submit => {
    const ready = Promise.resolve(onOpen(receivers));
    return async (message) => {
      await ready;
      return handOver(message);
    };
  };
  return runSenderTest({
    exposed: true,
    submit,
    from: `${name}@sender.example`,
    durationMs: 60_000,
    patienceMs: 1000,
    withdrawAfterMs: 500,
    concurrency: 4,
    signal: new AbortController().signal,
  });
}

/** Returns the TLS library of the Postfix of this machine, as an operator prints it. */
export function tlsLibraryHere(): string {
  const printed = [
    ['postconf', '-T', 'run-version'],
    ['openssl', 'version', '-a'],
  ].map(([program = '', ...args]) => execFileSync(program, args, { encoding: 'utf8' }));
  return [...printed, readFileSync('/etc/ssl/openssl.cnf', 'utf8')].join('\n');
}

/** Predicts the cases that the receivers can simulate. */
export function predict(model: SenderModel): SenderPrediction {
  return predictSender(model, openableCases(senderCases, { ipv6: false }));
}

/** The verdicts of STARTTLS, MTA-STS and DANE that the manual of the server promises. */
export type Promised = readonly [starttls: string, mtaSts: string, dane: string];

/** The compared cells, and the cells that the configuration does not decide. */
export const counts = { cells: 0, open: 0 };

/**
 * Fails unless the receivers observed the prediction in every cell and the mechanisms
 * have the verdicts of the manual.
 */
export function assertSame(
  prediction: SenderPrediction,
  observed: SenderTestResult,
  promised: Promised,
): void {
  const compared = comparePrediction(prediction, observed);
  counts.cells += compared.length;
  counts.open += compared.filter(({ agrees }) => agrees === 'not-predicted').length;
  const differences = compared.filter(
    ({ agrees }) => agrees !== 'yes' && agrees !== 'not-predicted',
  );
  assert.deepEqual(differences, []);
  for (const [index, mechanism] of (['starttls', 'mta-sts', 'dane'] as const).entries()) {
    const expected = promised[index];
    const predicted = prediction.mechanisms.find((one) => one.mechanism === mechanism)?.verdict;
    const seen = observed.mechanisms.find((one) => one.mechanism === mechanism)?.verdict;
    assert.equal(predicted, expected, `${mechanism}, predicted`);
    assert.equal(seen, expected, `${mechanism}, seen`);
  }
}
