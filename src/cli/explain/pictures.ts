import { exposureLines } from '../../check/index.js';
import type { ConnectionEvidence, MailAddress } from '../../evidence/index.js';
import type { SenderClass } from '../../tls-policy/index.js';
import type { StagedCheck } from './stage.js';

/**
 * Explanations of conversation lines: the first match applies, and each explanation is
 * shown once.
 *
 * The patterns match a direction (`S`, `C` or `-`), a space and the text of the line.
 */
const remarks: readonly (readonly [RegExp, string])[] = [
  [/^S 220 2\.0\.0/, 'TLS handshake from here on'],
  [/^S 220/, 'the server greets, in plaintext'],
  [/^C EHLO/, 'the client asks for the extensions'],
  [/^S 250[- ]STARTTLS$/, 'the server offers TLS'],
  [/^S 250[- ][X*#]{5,}/, 'STARTTLS, overwritten on the path'],
  [/^S 454/, 'the offered TLS is refused'],
  [/^C STARTTLS/, 'the client asks for TLS'],
  [/^- TLS$/, 'encrypted: EHLO is sent again'],
  [/^C QUIT/, 'a sender would deliver its mail here'],
];

/**
 * Returns the lines of one SMTP conversation, with remarks next to the lines.
 *
 * Lines after the handshake are marked as encrypted: an on-path attacker cannot read or
 * change them. The lines come from the transcript of the first connection of the check.
 */
export function conversation({ evidence }: StagedCheck): string[] {
  const spoken = evidence.hosts[0]?.addresses[0]?.connections[0]?.transcript ?? [];
  const said = new Set<string>();
  // A note of this program (`-`) marks the handshake; every line after it is under TLS.
  let encrypted = false;
  return spoken.map(({ from, text }) => {
    const remark = remarks.find(
      ([pattern, words]) => pattern.test(`${from} ${text}`) && !said.has(words),
    )?.[1];
    if (remark) said.add(remark);
    const cover = encrypted ? '(encrypted) ' : '';
    const textLine = from === '-' ? `[ ${text} handshake ]` : `${from}: ${cover}${text}`;
    if (from === '-') encrypted = true;
    if (remark) return `${textLine.padEnd(37)} # ${remark}`;
    return textLine;
  });
}

/** Width of the pictures, in columns; they appear in text of 80 columns. */
const WIDTH = 78;

/** Returns the rows of the exposure table for these senders. */
export function exposurePicture(
  checkResult: StagedCheck['result'],
  senders: readonly SenderClass[],
): readonly string[] {
  return exposureLines(checkResult.exposure, { width: WIDTH, senders });
}

/** Returns the first address of the first host. */
export function address({ result }: StagedCheck): MailAddress | undefined {
  return result.hosts[0]?.addresses[0];
}

/**
 * Returns the certificate of a domain in one line.
 *
 * The line states the results of the check: trust of the chain, match of the name, dates.
 * `shown` is the certificate of the first handshake, so the picture shows one certificate
 * of a server with two keys.
 */
export function certificateLine(seen: StagedCheck): string {
  const shown = address(seen)?.certificates[0];
  const domainName = seen.result.domain.padEnd(30);
  if (!shown) return `${domainName} no certificate`;
  const { chain, nameMatch, validity } = shown;
  const end = shown.notAfter.slice(0, 10);
  const date = validity === 'valid' ? `until ${end}` : `${validity} (${end})`;
  return `${domainName} ${chain}, ${nameMatch === 'match' ? '' : 'other name, '}${date}`;
}

/**
 * Returns the connection that completed the handshake.
 *
 * Undefined when no handshake was completed.
 */
export function completedHandshake({ evidence }: StagedCheck): ConnectionEvidence['handshake'] {
  return evidence.hosts[0]?.addresses[0]?.connections.find((connection) => connection.handshake)
    ?.handshake;
}
