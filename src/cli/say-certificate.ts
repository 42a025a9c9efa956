import { formatTime, wrap } from '../base/index.js';
import type { HostCertificate } from '../publish/index.js';

/** The certificate of a mail host's key in a few lines, each ended. */
export function sayCertificate(certificate: HostCertificate, width: number): string {
  return wrap(`  cert  ${sayAll(certificate)}`, width, '', '        ')
    .map((line) => `${line}\n`)
    .join('');
}

function sayAll({
  key,
  use,
  pinned,
  issuer,
  notAfter,
  renewed,
  installed,
  told,
  shown,
}: HostCertificate): string {
  const parts = [
    `${key}, ${use}, ${pinned ? 'pinned' : 'not pinned'}`,
    ...(issuer === undefined || notAfter === undefined
      ? ['no certificate at hand']
      : [
          `until ${formatTime(notAfter)} by ${issuer}`,
          ...(renewed === undefined ? [] : [`renewed ${formatTime(renewed)}`]),
        ]),
    ...(installed === undefined ? [] : [`in ${installed}`]),
    ...(told === undefined ? [] : [`server told ${formatTime(told)}`]),
    ...(shown === undefined
      ? []
      : [shown ? 'shown at every address' : 'not shown at every address']),
  ];
  return parts.join('; ');
}
