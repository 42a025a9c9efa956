import { known, unknown, type SenderModel, type TlsRules } from './sender-model.js';

/** Conditions of a prediction that the configuration of a mail server does not state. */

/** The DNSSEC validation of the resolver, as the operator states it. */
export const resolverStates = ['validates', 'does-not'] as const;
export type ResolverState = (typeof resolverStates)[number];

/**
 * Returns the state of the resolver. A configuration that uses DANE relies on validation,
 * so the prediction states validation as an assumption; otherwise the state is unknown.
 */
export function resolverFact(
  stated: ResolverState | undefined,
  { dane }: Pick<TlsRules, 'dane'>,
): { readonly fact: SenderModel['resolver']; readonly assumptions: readonly string[] } {
  const setting = 'resolver';
  if (stated !== undefined)
    return {
      fact: known(stated, { setting, line: `the resolver ${resolverPhrases[stated]}` }),
      assumptions: [],
    };
  if (dane.known && dane.value.use !== 'no')
    return {
      fact: known('validates', { setting, line: 'the resolver validates DNSSEC (assumed)' }),
      assumptions: [
        'The resolver validates DNSSEC, and no attacker is between it and the mail server. --resolver states it.',
      ],
    };
  return {
    fact: unknown('the configuration does not state whether the resolver validates DNSSEC', {
      setting,
      line: 'resolver: not stated',
    }),
    assumptions: [],
  };
}

const resolverPhrases: Readonly<Record<ResolverState, string>> = {
  validates: 'validates DNSSEC',
  'does-not': 'does not validate DNSSEC',
};

/** Returns the condition that the trusted CAs issue the certificates of the receivers. */
export function assumedRoots({ certificate, mtaSts, roots }: TlsRules): readonly string[] {
  const verifies =
    (certificate.known && certificate.value.kind === 'ca') ||
    (mtaSts.known && mtaSts.value.use === 'enforce');
  if (!verifies || !roots.known || roots.value === 'none') return [];
  return [`The CAs of "${roots.source.line}" include the issuer of each valid certificate.`];
}
