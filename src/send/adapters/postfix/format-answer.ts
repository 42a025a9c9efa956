/**
 * The level and attributes of a policy table entry (postconf(5), smtp_tls_policy_maps),
 * in their order.
 */
export interface Entry {
  readonly level: 'dane' | 'dane-only' | 'secure';
  readonly attributes: readonly (readonly [name: string, value: string])[];
}

/** Longest reply that Postfix accepts (socketmap_max_reply_size). */
const LONGEST = 100_000;

/**
 * Formats `OK LEVEL name=value ...`, with braces around values that contain spaces.
 * Returns undefined for a reply that is too long, and for a value that Postfix could read
 * as several attributes (braces, control or non-ASCII characters, an empty value).
 */
export function formatAnswer({ level, attributes }: Entry): string | undefined {
  let replyText = `OK ${level}`;
  for (const [attributeName, value] of attributes) {
    if (/^[!-z|~]+$/.test(value) && !value.includes(',')) replyText += ` ${attributeName}=${value}`;
    else if (/^[!-z|~]([ -z|~]*[!-z|~])?$/.test(value))
      replyText += ` { ${attributeName} = ${value} }`;
    else return undefined;
  }
  return replyText.length <= LONGEST ? replyText : undefined;
}
