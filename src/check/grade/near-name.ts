/**
 * Explains a name of a certificate that was probably meant for a host; undefined for an
 * unrelated name (RFC 9525 §6.3).
 *
 * @param dnsName as in subjectAltName
 * @param hostName in A-labels
 */
export function explainNearName(dnsName: string, hostName: string): string | undefined {
  const name = dnsName.toLowerCase();
  const quoted = `"${dnsName}" in subjectAltName`;
  if (name === `${hostName}.`)
    return `${quoted} ends with a dot, and a name of a certificate has none`;
  if (/[^\x21-\x7e]/.test(name) && name.startsWith(hostName))
    return `${quoted} holds a character that no host name has`;
  const star = name.indexOf('*');
  if (star < 0) return undefined;
  const base = name.slice(2);
  const isWhole = name.startsWith('*.') && !base.includes('*');
  if (isWhole && !base.includes('.') && hostName.split('.').length === 2)
    return hostName.endsWith(`.${base}`)
      ? `${quoted} does not match: *. is followed by at least two labels`
      : undefined;
  if (isWhole && (hostName === base || hostName.endsWith(`.${base}`)))
    return `${quoted} does not match: *. stands for exactly one label`;
  const [before = '', after = '', ...more] = name.split('*');
  if (!isWhole && more.length === 0 && hostName.startsWith(before) && hostName.endsWith(after))
    return `${quoted} does not match: * must be the whole left-most label`;
  return undefined;
}
