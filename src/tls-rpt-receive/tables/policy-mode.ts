/**
 * The mode in the text of an MTA-STS policy as a reporter quotes it; empty where there is
 * none. Only `enforce` keeps mail back.
 */
export function policyMode(strings: readonly string[]): '' | 'enforce' | 'testing' | 'none' {
  for (const textLine of strings) {
    const mode = /^mode[ \t]*:[ \t]*(enforce|testing|none)[ \t]*$/.exec(textLine)?.[1];
    if (mode !== undefined) return mode as 'enforce' | 'testing' | 'none';
  }
  return '';
}
