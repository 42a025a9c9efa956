import { attackNames, outcomeWords, senderNames } from '../../check/index.js';
import type { ConnectionEvidence, MailAddress } from '../../evidence/index.js';
import { attacks, type SenderClass } from '../../tls-policy/index.js';
import type { Seen } from './stage.js';

/**
 * What the lines of a conversation mean, by what they say; the first that fits, each said
 * once.
 */
const remarks: readonly (readonly [RegExp, string])[] = [
  [/^S 220 2\.0\.0/, 'from here on the TLS handshake'],
  [/^S 220/, 'the server greets, in clear'],
  [/^C EHLO/, 'who are you, what can you do?'],
  [/^S 250[- ]STARTTLS$/, 'the server offers TLS'],
  [/^S 250[- ][X*#]{5,}/, 'STARTTLS, overwritten on the way'],
  [/^S 454/, 'offered, and then refused'],
  [/^C STARTTLS/, 'the client asks for it'],
  [/^- TLS$/, 'sealed: all is asked anew'],
  [/^C QUIT/, 'a sender would now give its mail'],
];

/** One SMTP conversation with remarks beside it. */
export function conversation({ evidence }: Seen): string[] {
  const spoken = evidence.hosts[0]?.addresses[0]?.connections[0]?.transcript ?? [];
  const said = new Set<string>();
  let sealed = false;
  return spoken.map(({ from, text }) => {
    const remark = remarks.find(
      ([pattern, words]) => pattern.test(`${from} ${text}`) && !said.has(words),
    )?.[1];
    if (remark) said.add(remark);
    const line =
      from === '-' ? `[ ${text} handshake ]` : `${from}: ${sealed ? '(sealed) ' : ''}${text}`;
    if (from === '-') sealed = true;
    return remark ? `${line.padEnd(37)} # ${remark}` : line;
  });
}

/** Rows of the table: what happens to the mail of these senders. */
export function rows(result: Seen['result'], senders: readonly SenderClass[]): string[] {
  const cells = (words: readonly string[]): string =>
    words
      .map((word) => word.padEnd(11))
      .join('')
      .trimEnd();
  return [
    `${''.padEnd(22)}${cells(attacks.map((a) => attackNames[a]))}`,
    ...senders.map(
      (s) =>
        `${senderNames[s].padEnd(22)}${cells(attacks.map((a) => outcomeWords[result.exposure[s][a]].word))}`,
    ),
  ];
}

/** The first address of the first host. */
export function address({ result }: Seen): MailAddress | undefined {
  return result.hosts[0]?.addresses[0];
}

/** The certificate of a domain in one line. */
export function certificate(seen: Seen): string {
  const c = address(seen)?.certificates[0];
  if (!c) return `${seen.result.domain.padEnd(30)} no certificate`;
  const date =
    c.validity === 'valid'
      ? `until ${c.notAfter.slice(0, 10)}`
      : `${c.validity} (${c.notAfter.slice(0, 10)})`;
  return `${seen.result.domain.padEnd(30)} ${c.chain}, ${c.nameMatch === 'match' ? '' : 'other name, '}${date}`;
}

/** The connection that completed the handshake. */
export function handshake({ evidence }: Seen): ConnectionEvidence['handshake'] {
  return evidence.hosts[0]?.addresses[0]?.connections.find((c) => c.handshake)?.handshake;
}
