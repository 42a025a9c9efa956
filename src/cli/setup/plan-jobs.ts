import { misuse } from '../options.js';
import { jobFile, type PlannedFile } from './job-file.js';

/** The flags of setup, except the flags about Postfix. */
export interface JobAnswers {
  readonly domain?: readonly string[];
  readonly host?: readonly string[];
  readonly policyHost?: string;
  readonly reportTo?: string;
  readonly dnsServer?: string;
  readonly dnsZone?: string;
  readonly dnsKey?: string;
  readonly directory: string;
  readonly agree?: boolean;
  readonly recipient?: readonly string[];
  readonly listen?: string;
  readonly alarmTo?: string;
  readonly mailServer: string;
  readonly webhook?: string;
}

/** Returns the shared HTTPS port. */
export function planWeb({ listen }: JobAnswers): PlannedFile {
  return jobFile('web', 'opens the HTTPS port of policy hosts and reports', {
    web: { listen: listen === undefined ? ['0.0.0.0:443', '[::]:443'] : [listen] },
  });
}

/** Plans the policies, certificates and TLSA records of domains. */
export function planPublish(answers: JobAnswers): PlannedFile {
  const { domain = [], host = [], policyHost, reportTo, directory } = answers;
  if (!answers.agree)
    throw misuse(
      '--agree',
      'the CA issues certificates only to accounts that agree to its terms',
      'Read the terms of the CA, then add --agree.',
    );
  const dns = dnsOf(answers);
  const way = dns ? 'own' : 'print';
  return jobFile('publish', 'publishes policies, certificates and TLSA records', {
    publish: {
      keys: '/var/lib/hermetic/keys',
      acme: { directory, agreed: true, challenge: dns ? 'dns-01' : 'tls-alpn-01' },
      ...(dns ? { dns: { own: dns } } : {}),
      hosts: Object.fromEntries(
        host.map((name) => [
          name,
          {
            adopt: ['/etc/postfix/tls/first/key.pem'],
            certificates: 'acme',
            install: { folder: '/etc/postfix/tls' },
            dns: way,
          },
        ]),
      ),
      domains: Object.fromEntries(
        domain.map((name) => [
          name,
          { mx: host, policyHost, reports: [reportTo ?? `mailto:tlsrpt@${name}`], dns: way },
        ]),
      ),
    },
  });
}

function dnsOf({ dnsServer, dnsZone, dnsKey, domain = [] }: JobAnswers): object | undefined {
  if (dnsServer === undefined) return undefined;
  return {
    kind: 'rfc2136',
    server: dnsServer,
    zone: dnsZone ?? domain[0],
    key: dnsKey ?? '/etc/hermetic/dns.key',
  };
}

/**
 * Plans the drop-in that permits the daemon to write the keys of the mail server, and no
 * other file outside its folders.
 */
export function planKeyAccess(): PlannedFile {
  return {
    path: '/etc/systemd/system/hermetic.service.d/publish.conf',
    purpose: 'permits the daemon to write the keys of Postfix',
    text: '# Written by hermetic setup publish.\n[Service]\nReadWritePaths=/etc/postfix/tls\n',
  };
}

/** Plans the file that receives TLS reports, by mail if `recipient` is given. */
export function planReport({ domain = [], recipient = [], listen }: JobAnswers): PlannedFile {
  return jobFile('report', 'receives TLS reports', {
    report: {
      domains: domain,
      ...(recipient.length === 0
        ? {}
        : { smtp: { listen: listen ?? '0.0.0.0:25', recipients: recipient } }),
    },
  });
}

/** Plans the file that checks domains on an interval, with alarms by mail and webhook. */
export function planWatch({ domain = [], alarmTo, mailServer, webhook }: JobAnswers): PlannedFile {
  const host = alarmTo?.slice(alarmTo.lastIndexOf('@') + 1);
  const mail = alarmTo && { from: `hermetic@${host}`, to: alarmTo, server: mailServer };
  return jobFile('watch', 'checks domains and reports what changes', {
    watch: { domains: domain, notify: { webhook, mail } },
  });
}
