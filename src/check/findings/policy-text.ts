/** The mode of a policy (RFC 8461 §5). */
export type Mode = 'enforce' | 'testing' | 'none';

/**
 * Returns the policy file, ready to paste. The order of lines follows the example of RFC
 * 8461 §3.2, and line ends are those of the local editor: parsers accept LF and CRLF.
 */
export function policyText(mode: Mode, exchangers: readonly string[], maxAge: number): string {
  return [
    'version: STSv1',
    `mode: ${mode}`,
    ...exchangers.map((name) => `mx: ${name}`),
    `max_age: ${maxAge}`,
  ].join('\n');
}
