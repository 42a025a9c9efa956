import type { ResourceRecord } from '../types.js';
import { RRType } from '../wire/types-registry.js';

/** One property of a CAA RRset (RFC 8659 §4.1). */
export interface CaaProperty {
  /** Whether a CA that does not understand the tag must not issue (RFC 8659 §4.1). */
  readonly critical: boolean;
  /** Tag of the property in lower case. Tags are compared without regard to case. */
  readonly tag: string;
  readonly value: string;
}

/** The value of an `issue` or `issuewild` property (RFC 8659 §4.2). */
export interface IssueValue {
  /** Domain name of the CA in lower case; empty if the property permits no CA. */
  readonly issuer: string;
  /** Parameters in the order in which the value lists them, with tags in lower case. */
  readonly parameters: readonly (readonly [tag: string, value: string])[];
}

const CRITICAL = 0x80;

/**
 * Reads CAA RDATA (RFC 8659 §4.1). Returns undefined if the record cannot be parsed.
 *
 *   octets   field
 *   1        flags: 0x80 critical
 *   1        length of the tag, at least 1
 *   ...      tag: letters and digits
 *   ...      value
 */
export function readCaa({ type, rdata }: ResourceRecord): CaaProperty | undefined {
  const [flags = 0, length = 0] = rdata;
  if (type !== RRType.CAA || length === 0 || rdata.length < 2 + length) return undefined;
  const tag = Buffer.from(rdata.subarray(2, 2 + length)).toString('latin1');
  const value = Buffer.from(rdata.subarray(2 + length)).toString('latin1');
  if (!/^[a-z0-9]+$/i.test(tag)) return undefined;
  return { critical: (flags & CRITICAL) !== 0, tag: tag.toLowerCase(), value };
}

/** Formats a property as zone file data: `0 issue "ca.example"`. */
export function formatCaa({ critical, tag, value }: CaaProperty): string {
  return `${critical ? CRITICAL : 0} ${tag} "${value.replace(/["\\]/g, '\\$&')}"`;
}

const LABEL = '[a-z0-9](?:-*[a-z0-9])*';
const issuerForm = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*)?$`, 'i');
const tagForm = new RegExp(`^${LABEL}$`, 'i');

/**
 * Parses the value of an `issue` or `issuewild` property according to the grammar of
 * RFC 8659 §4.2. Returns undefined for an invalid value: a property with an invalid value
 * permits no CA [8659-4.2-1].
 */
export function parseIssueValue(value: string): IssueValue | undefined {
  const [head = '', ...parts] = value.split(';').map(trimmed);
  if (!issuerForm.test(head)) return undefined;
  const issuer = head.toLowerCase();
  // `ca.example;` has no parameters. Any other empty part violates the grammar.
  if (parts.length === 1 && parts[0] === '') return { issuer, parameters: [] };
  const parameters = parts.map((part): readonly [string, string] | undefined => {
    const at = part.indexOf('=');
    const [tag, text] = [trimmed(part.slice(0, at)), trimmed(part.slice(at + 1))];
    if (at < 0 || !tagForm.test(tag) || !/^[\x21-\x7e]*$/.test(text)) return undefined;
    return [tag.toLowerCase(), text];
  });
  if (parameters.includes(undefined)) return undefined;
  return { issuer, parameters: parameters.filter((one) => one !== undefined) };
}

/** Removes leading and trailing spaces and tabs, the only white space in the grammar. */
function trimmed(text: string): string {
  return text.replace(/^[ \t]+|[ \t]+$/g, '');
}
