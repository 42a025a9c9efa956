import { fail, ok, parseDomain, parseIp, type Result } from '../base/index.js';
import { smtpFailures } from './failures.js';

/** A mail address in two parts. */
export interface Mailbox {
  /** The local part as written, quotes included. */
  readonly local: string;
  /** The domain as A-labels in lower case; an address literal includes its brackets. */
  readonly domain: string;
  readonly literal: boolean;
  /** The local part is not ASCII: it needs SMTPUTF8 (RFC 6531). */
  readonly utf8: boolean;
}

const dotString =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{80}-\u{10ffff}-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u{80}-\u{10ffff}-]+)*$/u;
const quotedString = /^"([\x20\x21\x23-\x5b\x5d-\x7e\u{80}-\u{10ffff}]|\\[\x20-\x7e])*"$/u;

/**
 * Reads an address as written in an envelope, without angle brackets (RFC 5321 §4.1.2).
 * An accepted address cannot end a command line.
 */
export function parseMailbox(addressText: string): Result<Mailbox> {
  const invalid = (): Result<Mailbox> =>
    fail(smtpFailures.make('smtp-mailbox-invalid', addressText.slice(0, 100)));
  const separator = addressText.lastIndexOf('@');
  const local = addressText.slice(0, separator);
  const hostName = addressText.slice(separator + 1);
  if (
    separator < 1 ||
    Buffer.byteLength(local) > 64 ||
    !(dotString.test(local) || quotedString.test(local))
  )
    return invalid();
  // eslint-disable-next-line no-control-regex
  const utf8 = /[^\x00-\x7f]/.test(local);
  const inner = /^\[(?:IPv6:)?(.*)\]$/i.exec(hostName)?.[1];
  if (inner !== undefined) {
    if (parseIp(inner)) return ok({ local, domain: hostName, literal: true, utf8 });
    return invalid();
  }
  const domain = parseDomain(hostName);
  if (domain.ok) return ok({ local, domain: domain.value.toLower(), literal: false, utf8 });
  return invalid();
}
