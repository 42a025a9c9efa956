import { neutralise } from '../../base/index.js';
import type { Tone } from '../../page/index.js';
import type { DeliveryStep, SenderMechanism } from '../cases/sender-case.js';
import { mechanismWords } from '../predict/render-prediction.js';
import type {
  CaseNote,
  CaseReport,
  CaseResult,
  CaseVerdict,
  MechanismResult,
  SenderTestResult,
} from '../verdict.js';

const verdictWords: Readonly<Record<CaseVerdict, string>> = {
  'delivered-verified': 'delivered, verified',
  'delivered-unverified': 'delivered under TLS',
  'delivered-in-plaintext': 'delivered in PLAINTEXT',
  refused: 'refused',
  deferred: 'deferred',
  'not-seen': 'not seen',
  'not-started': 'not started',
};

const stepWords: Readonly<Record<DeliveryStep, string>> = {
  dns: 'after DNS',
  policy: 'after the policy',
  connection: 'after connecting',
  greeting: 'after the greeting',
  ehlo: 'after EHLO',
  starttls: 'after STARTTLS',
  handshake: 'in the handshake',
  certificate: 'at the certificate',
  mail: 'after MAIL',
  rcpt: 'after RCPT',
  data: 'after DATA',
};

const noteWords: Readonly<Record<CaseNote, string>> = {
  'asked-dns-only': 'DNS questions arrived, and no connection',
  'fetched-policy-only': 'the policy was fetched, and no connection arrived',
  'fetched-policy-later': 'the policy was fetched after the delivery',
  'still-open': 'the sender may still retry',
  'envelope-in-plaintext': 'the envelope was sent in plaintext',
  'fell-back-to-plaintext': 'plaintext followed a failed TLS attempt',
  'receiver-deferred': 'the receiver answered with an error',
  'other-network': 'attempts came from another network or server',
  'not-submitted': 'the sender did not accept the message',
  unexpected: 'not as expected',
};

/** Returns the verdict of a case with the step at which the sender left. */
export function verdictWord({ verdict, step }: CaseResult): string {
  const withStep = verdict === 'refused' || verdict === 'deferred';
  return withStep && step ? `${verdictWords[verdict]} ${stepWords[step]}` : verdictWords[verdict];
}

/** Returns the verdict with its notes, as one line. */
export function verdictText(result: CaseResult): string {
  const notes = noteText(result.notes.filter((note) => note !== 'unexpected'));
  return notes === '' ? verdictWord(result) : `${verdictWord(result)} (${notes})`;
}

/**
 * Returns a TLS report about a case as one sentence: the claim of its reporter, and the
 * observation of the test.
 */
export function reportText({ case: id, attempts }: CaseResult, report: CaseReport): string {
  const { organization, day, authenticated, successes, failures, resultTypes, seen } = report;
  const trust = authenticated ? 'signed' : 'NOT authenticated';
  const types = resultTypes.length === 0 ? '' : ` (${resultTypes.join(', ')})`;
  const when = day === undefined ? '' : ` for ${day}`;
  return [
    `${id}: ${neutralise(organization)}${when}, ${trust}: ${successes} sessions succeeded, `,
    `${failures} failed${types}. The test saw ${day === undefined ? attempts : seen}. `,
    agreementWords[report.agrees],
    senderWords[report.fromSender],
  ].join('');
}

const agreementWords: Readonly<Record<CaseReport['agrees'], string>> = {
  yes: 'The results match the case.',
  no: 'The results do not match the case.',
  open: 'The standard does not define the result of this case.',
};

const senderWords: Readonly<Record<CaseReport['fromSender'], string>> = {
  yes: '',
  no: ' The report names servers outside the network of this test.',
  'not-named': ' The report names no sending server.',
};

/** Returns every TLS report of a result, one sentence each. */
export function reportLines({ cases }: SenderTestResult): readonly string[] {
  return cases.flatMap((one) => (one.reports ?? []).map((report) => reportText(one, report)));
}

/** Returns the notes as a phrase; empty without notes. */
export function noteText(notes: readonly CaseNote[]): string {
  return notes.map((note) => noteWords[note]).join('; ');
}

/**
 * Returns the word and tone for the result of a mechanism. Opportunistic TLS has words of
 * its own, because it has no policy.
 */
export function mechanismWord({ mechanism, verdict }: MechanismResult): readonly [string, Tone] {
  if (mechanism !== 'starttls') return mechanismWords[verdict];
  if (verdict === 'enforces') return ['required', 'good'];
  return verdict === 'observes-only' ? ['where offered', 'quiet'] : mechanismWords[verdict];
}

/** Returns the reason of the verdict of a mechanism, as one line. */
export function mechanismReason({ verdict, proof, faults, missing }: MechanismResult): string {
  const shown = (ids: readonly string[]): string =>
    ids.length > MAX_SHOWN
      ? `${ids.slice(0, MAX_SHOWN).join(', ')} and ${ids.length - MAX_SHOWN} more`
      : ids.join(', ');
  if (verdict === 'cannot-tell')
    return missing.length > 0 ? `open: ${shown(missing)}` : 'the decisive cases have no result';
  if (verdict === 'enforces-wrongly') return `in violation of the standard: ${shown(faults)}`;
  if (faults.length > 0) return `delivered anyway: ${shown(faults)}`;
  return `as the standard requires: ${shown(proof)}`;
}

const MAX_SHOWN = 4;

/** A sentence with the next step for a mechanism that the sender does not enforce. */
const advice: Readonly<Partial<Record<SenderMechanism, string>>> = {
  'mta-sts':
    'Connect a policy service: hermetic setup postfix, or the nodemailer transport of this package.',
  dane: 'Enable DANE. Postfix: smtp_dns_support_level = dnssec and smtp_tls_security_level = dane. Exim: keep hosts_try_dane at its default, and write options trust-ad to resolv.conf.',
  dnssec: 'Use a validating resolver on the mail server, such as unbound at 127.0.0.1.',
};

/** Returns the next step for each mechanism that the sender does not enforce. */
export function adviceFor({ mechanisms, cases }: SenderTestResult): readonly string[] {
  const steps = mechanisms
    .filter(({ verdict }) => verdict !== 'enforces' && verdict !== 'cannot-tell')
    .flatMap(({ mechanism }) => advice[mechanism] ?? []);
  const dane = cases.find((one) => one.case === 'dane');
  // A resolver that strips signatures makes every signed domain fail.
  if (dane?.verdict === 'not-seen' && dane.evidence.dns.some(({ type }) => type === 'TLSA'))
    steps.push(
      'The sender looked up TLSA and did not connect: check that its resolver validates DNSSEC.',
    );
  return steps;
}
