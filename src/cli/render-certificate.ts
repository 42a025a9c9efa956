import { formatTime, wrap } from '../base/index.js';
import type { HostCertificate } from '../publish/index.js';

/**
 * Renders the certificate of a mail host's key in a few lines, each with its line feed.
 */
export function renderCertificate(certificate: HostCertificate, lineWidth: number): string {
  return wrap(`  cert  ${certificateFacts(certificate).join('; ')}`, lineWidth, '', '        ')
    .map((textLine) => `${textLine}\n`)
    .join('');
}

/**
 * Returns the facts of a certificate in the order of its lifetime: key, dates,
 * installation.
 */
function certificateFacts(certificate: HostCertificate): readonly string[] {
  const { key, use, pinned, issuer, notAfter, renewed, installed, told, shown } = certificate;
  const facts = [`${key}, ${use}, ${pinned ? 'pinned' : 'not pinned'}`];
  if (issuer === undefined || notAfter === undefined) facts.push('no certificate yet');
  else {
    facts.push(`until ${formatTime(notAfter)} by ${issuer}`);
    if (renewed !== undefined) facts.push(`renewed ${formatTime(renewed)}`);
  }
  if (installed !== undefined) facts.push(`in ${installed}`);
  if (told !== undefined) facts.push(`server reloaded ${formatTime(told)}`);
  if (shown !== undefined)
    facts.push(shown ? 'shown at every address' : 'not shown at every address');
  return facts;
}
