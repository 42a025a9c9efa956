import { domainToASCII, domainToUnicode } from 'node:url';

/**
 * Letters of Latin labels that are safe to show: ASCII, and Latin-1 and Latin
 * Extended-A letters without those that look like another letter (dotless i, kra, long s,
 * n with apostrophe).
 */
const latin = /^[a-z0-9\u00df-\u00f6\u00f8-\u0130\u0132-\u0137\u0139-\u0148\u014a-\u017e-]+$/u;
const greek = /^[\u03ac-\u03ce0-9-]+$/u;
const cyrillic = /^[\u0430-\u045f\u04910-9-]+$/u;
/** A prolonged sound mark looks like a hyphen unless it follows a kana. */
const japanese =
  /^(?!\u30fc)(?:[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}0-9-]|(?<=[\p{sc=Hiragana}\p{sc=Katakana}\u30fc])\u30fc)+$/u;
const korean = /^[\uac00-\ud7a30-9-]+$/u;
const thai = /^[\p{sc=Thai}0-9-]+$/u;
const devanagari = /^[\p{sc=Devanagari}0-9-]+$/u;

/** Greek and Cyrillic letters that look like ASCII letters or digits. */
const lookalikes = /^[αβγεηικνορτυχωϲаьбвгдеѕзіјӏкһмнопгрстухъҽѵѡәц0-9-]+$/u;
/** Characters that look like a slash, a hyphen, a zero or a dot next to anything else. */
const punctuationLike = /[ノ一丿〇ニ工ロ丶ヽ〳・]/u;

/**
 * Returns a domain name in both forms: the A-label form, and the U-label form in brackets
 * if that form cannot be mistaken for another name. Names without internationalised
 * labels are returned as they are.
 *
 * The U-label form is omitted for a label that mixes scripts, consists of lookalikes of
 * Latin letters, runs from right to left, holds an invisible character, or is not
 * converted back to the same A-label (RFC 5891 §5.4, Unicode Technical Standard 39 §5.2).
 */
export function displayName(domainName: string): string {
  const unicode = safeUnicode(domainName);
  if (unicode === undefined) return domainName;
  return `${domainName} (${unicode})`;
}

/**
 * Returns the U-label form of a name, if the form differs from the name and is safe to
 * show.
 */
export function safeUnicode(domainName: string): string | undefined {
  if (!/(^|\.)xn--/i.test(domainName)) return undefined;
  const unicode = domainToUnicode(domainName);
  if (unicode === '' || unicode === domainName || domainToASCII(unicode) !== domainName)
    return undefined;
  if (unicode.split('.').every(isSafeLabel)) return unicode;
  return undefined;
}

function isSafeLabel(label: string): boolean {
  if (/^[a-z0-9-]+$/.test(label)) return !label.startsWith('xn--');
  if (latin.test(label)) return true;
  if (greek.test(label) || cyrillic.test(label)) return !lookalikes.test(label);
  if (japanese.test(label)) return !punctuationLike.test(label) || /^[^0-9-]{2,}$/u.test(label);
  return [korean, thai, devanagari].some((script) => script.test(label));
}
