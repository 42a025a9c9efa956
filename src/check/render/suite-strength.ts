import { suites, type Suite } from '../../tls/index.js';
import { isBroken, isWeak } from '../profiles/sets.js';

/** Suites by their IANA names, the form that results store. */
const byName: ReadonlyMap<string, Suite> = new Map(
  [...suites.values()].map((cipherSuite) => [cipherSuite.name, cipherSuite]),
);

/**
 * Modes with authenticated encryption. CBC is not broken in TLS 1.2, but has had several
 * padding oracle attacks.
 */
const authenticated: ReadonlySet<Suite['mode']> = new Set(['GCM', 'CCM', 'CCM_8', 'POLY1305']);

/**
 * Returns the mark of a suite in lists. `weak`: an attacker can break it (NULL, export,
 * RC4, 3DES, anonymous). `dated`: no forward secrecy or no authenticated encryption (RFC
 * 9325 §4.2). `strong`: all other suites. Undefined for a name that is not in the IANA
 * registry.
 */
export function suiteStrength(name: string): 'strong' | 'dated' | 'weak' | undefined {
  const cipherSuite = byName.get(name);
  if (cipherSuite === undefined) return undefined;
  if (isBroken(cipherSuite) || isWeak(cipherSuite) || cipherSuite.authentication === 'none')
    return 'weak';
  return cipherSuite.forwardSecrecy && authenticated.has(cipherSuite.mode) ? 'strong' : 'dated';
}
