import { parseIp } from '../base/index.js';
import { quote, type PolicyLine } from './policy-lines.js';

/** Faults in the characters of a value, which can occur in any field. */
const valueFaults: readonly (readonly [RegExp, string])[] = [
  [/\b(version|mode|mx|max_age)\s*[:=]/i, 'each field stands on a line of its own'],
  [/\s(#|\/\/)/, 'a policy file has no comments'],
  [/["']/, 'a policy file has no quotation marks'],
  [/^[^\s,;]+[;,]$/, 'no comma or semicolon follows the value'],
];

/**
 * Explains a value that holds extra text, such as the fields of a whole policy on one
 * line. Returns undefined for other faults.
 */
export function explainValue(policyLine: PolicyLine): string | undefined {
  const reason = valueFaults.find(([pattern]) => pattern.test(policyLine.value))?.[1];
  return reason && `${quote(policyLine)}: ${reason}`;
}

/** Explains an invalid value of `mode`. */
export function explainMode(policyLine: PolicyLine): string {
  const known = ['enforce', 'testing', 'none'].includes(policyLine.value.toLowerCase());
  const reason = known
    ? 'values are case-sensitive, write'
    : 'the modes are enforce, testing, none, not';
  return `${quote(policyLine)}: ${reason} ${known ? policyLine.value.toLowerCase() : `"${policyLine.value.slice(0, 40)}"`}`;
}

/** Explains an mx value that is not a host name or a wildcard. */
export function explainMx(policyLine: PolicyLine): string {
  const reason = mxFaults.find(([pattern]) => pattern.test(policyLine.value))?.[1];
  return `${quote(policyLine)}: ${reason ?? 'mx is one host name, or *. and a domain'}`;
}

const mxFaults: readonly (readonly [RegExp, string])[] = [
  [/^$/, 'the value is empty'],
  [/[^ -~]/, 'write the host name in A-labels, as xn--...'],
  [/[\s,;]/, 'each host has an mx line of its own'],
  [/@/, 'mx is a host name, not a mail address'],
  [/^\[|^[0-9a-f]*:[0-9a-f:.]+$/i, 'mx is a host name, not an address'],
  [/:/, 'mx is a host name without port or scheme'],
  [/\.$/, 'the host name is written without final dot'],
  [/^\*$|^\*\.$/, 'a wildcard needs a domain: *.example.com'],
  [/\*/, '* stands for the whole left-most label only, once'],
  [/^\./, 'write *. for every host of a domain'],
  [/_/, 'a host name has no underscore'],
  [/^-|-$|-\.|\.-|\.\./, 'a label is not empty and does not begin or end with a hyphen'],
];

/**
 * Returns true for an `mx` value that is an IP address. An IP address has the form of a
 * host name, but matches no MX host.
 */
export function isAddress(value: string): boolean {
  return parseIp(value) !== undefined;
}
