import { acmeFailures } from '../acme/index.js';
import { nameFailures, type FailureCatalogue } from '../base/index.js';
import { checkFailures } from '../check/index.js';
import { daneFailures } from '../dane/index.js';
import { dnssecFailures, transportFailures, updateFailures, wireFailures } from '../dns/index.js';
import { httpFailures } from '../http/index.js';
import { stsFailures } from '../mta-sts/index.js';
import { netFailures } from '../net/index.js';
import { serverFailures } from '../tls-policy/index.js';
import { publishFailures } from '../publish/index.js';
import { sendFailures } from '../send/index.js';
import { reportingFailures } from '../tls-rpt-send/index.js';
import { intakeFailures } from '../tls-rpt-receive/index.js';
import { scanFailures } from '../scan/index.js';
import { smtpFailures } from '../smtp/index.js';
import { storeFailures } from '../store/index.js';
import { builderFailures, reportFailures, reportQuirks, tlsRptFailures } from '../tls-rpt/index.js';
import { tlsFailures } from '../tls/index.js';
import { slotFailures } from '../sender/index.js';
import { webFailures } from '../web/index.js';
import { x509Failures } from '../x509/index.js';
import { cliFailures } from './cli-failures.js';
import { daemonFailures } from './daemon-failures.js';

/**
 * The failure catalogue of every part, under its heading in `docs/errors.md`. The
 * catalogues of protocols come before those of programs. A new part adds its catalogue
 * here, and a test requires that every code is declared once in the whole tree: a code in
 * a log line must have one meaning.
 */
export const allFailures: readonly (readonly [string, FailureCatalogue<string>])[] = [
  ['Names', nameFailures],
  ['Connections', netFailures],
  ['DNS messages', wireFailures],
  ['DNS transport', transportFailures],
  ['DNSSEC', dnssecFailures],
  ['DNS updates', updateFailures],
  ['Certificates', x509Failures],
  ['SMTP', smtpFailures],
  ['TLS', tlsFailures],
  ['HTTPS', httpFailures],
  ['MTA-STS', stsFailures],
  ['DANE', daneFailures],
  ['TLS-RPT records', tlsRptFailures],
  ['TLS-RPT reports refused', reportFailures],
  ['TLS-RPT reports repaired', reportQuirks],
  ['TLS-RPT reports to be written', builderFailures],
  ['Certificates from a CA (ACME)', acmeFailures],
  ['Publishing', publishFailures],
  ['Observations of a server', serverFailures],
  ['Sending', sendFailures],
  ['Reporting', reportingFailures],
  ['Reading reports', intakeFailures],
  ['Checking', checkFailures],
  ['Scanning', scanFailures],
  ['Pages', webFailures],
  ['Sender test', slotFailures],
  ['Store', storeFailures],
  ['Daemon', daemonFailures],
  ['Command line', cliFailures],
];
