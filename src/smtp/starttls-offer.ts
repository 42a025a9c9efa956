/**
 * Whether an EHLO reply offers STARTTLS. `mangled`: an unreadable keyword replaces
 * STARTTLS.
 */
export type StarttlsOffer =
  | { readonly status: 'offered' }
  | { readonly status: 'absent' }
  | { readonly status: 'mangled'; readonly mangledAs: string };

const KEYWORD = 'STARTTLS';

/**
 * Searches the lines of an EHLO reply for STARTTLS (RFC 3207 §2; keywords ignore case).
 * Middleboxes that strip TLS often overwrite the keyword in place (`XXXXXXXA`,
 * `XXXXTTLS`), since the length of the packet must not change.
 */
export function starttlsOffer(lines: readonly string[]): StarttlsOffer {
  const keywords = lines.slice(1).map((replyLine) => replyLine.trim().split(/[\s=]/)[0] ?? '');
  if (keywords.some((keyword) => keyword.toUpperCase() === KEYWORD)) return { status: 'offered' };
  const mangled = keywords.find(looksMangled);
  if (mangled === undefined) return { status: 'absent' };
  return { status: 'mangled', mangledAs: mangled };
}

function looksMangled(keyword: string): boolean {
  const upper = keyword.toUpperCase();
  if (/^X{5,}[A-Z]?$/.test(upper) || /^[*#?.\-_ ]{8}$/.test(upper)) return true;
  return (
    Math.abs(upper.length - KEYWORD.length) <= 1 &&
    distance(upper, KEYWORD) <= (upper.length === KEYWORD.length ? 4 : 1) &&
    sharesShape(upper)
  );
}

/**
 * Returns whether at least half of the letters match in position; other keywords
 * (CHUNKING, 8BITMIME, REQUIRETLS) have fewer matches.
 */
function sharesShape(upper: string): boolean {
  let same = 0;
  for (let index = 0; index < KEYWORD.length; index++) if (upper[index] === KEYWORD[index]) same++;
  return same >= 4 || (upper.length !== KEYWORD.length && distance(upper, KEYWORD) <= 1);
}

/** Returns the Levenshtein distance of two short texts. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let index = 1; index <= left.length; index++) {
    const next = [index];
    for (let position = 1; position <= right.length; position++)
      next[position] = Math.min(
        (row[position] ?? 0) + 1,
        (next[position - 1] ?? 0) + 1,
        (row[position - 1] ?? 0) + (left[index - 1] === right[position - 1] ? 0 : 1),
      );
    row = next;
  }
  return row[right.length] ?? 0;
}
