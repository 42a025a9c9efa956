import { junitReport, type JunitCase } from '../../check/index.js';
import type { CaseResult, MechanismResult, SenderTestResult } from '../verdict.js';
import { mechanismReason, mechanismWord, noteText, verdictWord } from './words.js';

/**
 * Renders JUnit XML for the CI of a mail server: a test for MTA-STS, DANE and DNSSEC
 * each, and one for each case. An open case is an error, neither passed nor failed; a
 * case without an expectation passes and shows its result.
 */
export function renderSenderJunit(result: SenderTestResult): string {
  const { judgedAt, sender, cases, mechanisms } = result;
  const required = mechanisms.filter(({ mechanism }) =>
    ['mta-sts', 'dane', 'dnssec'].includes(mechanism),
  );
  return junitReport([
    {
      name: 'hermetic sender test',
      at: judgedAt,
      properties: {
        'ehlo-names': sender?.ehloNames.join(' ') ?? '',
        networks: sender?.networks.join(' ') ?? '',
      },
      cases: [...required.map(mechanismCase), ...cases.map(caseOf)],
    },
  ]);
}

function mechanismCase(result: MechanismResult): JunitCase {
  const name = `mechanism: ${result.mechanism}`;
  if (result.verdict === 'enforces') return { name, outcome: 'passed' };
  const [message] = mechanismWord(result);
  const outcome = result.verdict === 'cannot-tell' ? 'error' : 'failure';
  return { name, outcome, message, text: mechanismReason(result) };
}

function caseOf(result: CaseResult): JunitCase {
  const message = verdictWord(result);
  const text = noteText(result.notes);
  const name = result.case;
  switch (result.met) {
    case 'yes':
    case 'none':
      return { name, outcome: 'passed', message, text };
    case 'no':
      return { name, outcome: 'failure', message, text };
    case 'open':
      return { name, outcome: 'error', message, text };
  }
}
