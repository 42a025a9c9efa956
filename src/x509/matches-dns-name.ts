import type { Certificate } from './types.js';

/**
 * Returns true when a dNSName of the certificate covers `name` (A-labels, with or without
 * final dot), as RFC 9525 §6.3 defines: `*` stands for exactly the whole left-most label
 * and has at least two labels to its right. The common name is ignored.
 * [8461-3.3-2, 7672-3.2.3-2]
 */
export function matchesDnsName(certificate: Certificate, name: string): boolean {
  const wanted = name.toLowerCase().replace(/\.$/, '');
  if (!/^[\x21-\x7e]+$/.test(wanted) || wanted.includes('*') || /(^|\.)[0-9]+$/.test(wanted))
    return false;
  const parent = wanted.slice(wanted.indexOf('.') + 1);
  const wildcard = /[^.]\.[^.]/.test(parent) && wanted.indexOf('.') > 0 ? `*.${parent}` : undefined;
  return certificate.dnsNames.some((presented) => presented === wanted || presented === wildcard);
}
