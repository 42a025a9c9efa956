import { senderCases } from '../cases/all-cases.js';
import { openableCases } from '../cases/case-names.js';
import type { SenderCase } from '../cases/sender-case.js';
import type { SenderTestSettings } from '../settings.js';
import { CaseAddresses } from './case-addresses.js';

type Abilities = Pick<SenderTestSettings, 'mailAddresses' | 'mailNetwork' | 'acme'>;

/** Returns the cases that an installation opens. */
export function openCases({ mailAddresses, mailNetwork, acme }: Abilities): readonly SenderCase[] {
  const reachable = openableCases(senderCases, {
    ipv4: mailAddresses.length > 0,
    ipv6: mailNetwork !== undefined,
  });
  return acme ? reachable : reachable.filter(({ policy }) => !policy);
}

/** Returns the addresses of the mail hosts of an installation, by case. */
export function addressesOf(settings: Abilities): CaseAddresses {
  const { mailAddresses, mailNetwork } = settings;
  return new CaseAddresses(openCases(settings), { v4: mailAddresses, v6Network: mailNetwork });
}

/** A case that an installation cannot open, and the missing part. */
export interface ClosedCase {
  readonly senderCase: SenderCase;
  readonly lacks: 'ipv4' | 'ipv6' | 'public-ca';
}

/** Returns the cases that an installation cannot open, each with the missing part. */
export function closedCases(settings: Abilities): readonly ClosedCase[] {
  const open = new Set(openCases(settings));
  return senderCases
    .filter((senderCase) => !open.has(senderCase))
    .map((senderCase) => ({ senderCase, lacks: senderCase.needs ?? 'public-ca' }));
}
