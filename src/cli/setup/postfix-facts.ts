import { HermeticError } from '../../base/index.js';
import { programError, type Machine } from './machine.js';

/** The folder of Postfix's configuration. */
export const POSTFIX_FOLDER = '/etc/postfix';

/** The address of the socketmap that setup configures. */
export const MAP_ADDRESS = '127.0.0.1:8461';
export const POLICY_MAP = `socketmap:inet:${MAP_ADDRESS}:hermetic`;

/** The settings of Postfix that enforcement needs, without the policy map. */
export const NEEDED_SETTINGS = {
  smtp_tls_security_level: 'may',
  smtp_dns_support_level: 'dnssec',
  smtp_host_lookup: 'dns',
  smtp_tls_dane_insecure_mx_policy: 'dane',
  smtp_tls_CAfile: '/etc/ssl/certs/ca-certificates.crt',
  smtp_tls_loglevel: '1',
} as const;

export interface PostfixFacts {
  readonly version: string;
  /** The resolv.conf that the SMTP client reads: the client may run in a chroot. */
  readonly resolvConf: string;
  readonly queueFolder: string;
  /** The SMTP client runs in a chroot of the queue directory. */
  readonly inChroot: boolean;
  /** Settings of services in master.cf: `smtp/unix/NAME = VALUE`. */
  readonly overrides: readonly string[];
  /** The policy maps of the SMTP client, in the order of their lookup. */
  readonly policyMaps: readonly string[];
  setting(name: string): string;
}

/**
 * Reads the facts from the installed Postfix. Throws HermeticError if Postfix is not
 * installed.
 */
export function readPostfixFacts(machine: Machine): PostfixFacts {
  const postconf = (...args: readonly string[]): string => {
    const { status, out, err } = machine.run([
      'postconf',
      '-c',
      machine.path(POSTFIX_FOLDER),
      ...args,
    ]);
    if (status === 127)
      throw new HermeticError('postfix-absent', 'Postfix is not installed', {
        fix: 'Install it: apt-get install postfix',
      });
    if (status !== 0)
      throw new HermeticError('postfix-unreadable', programError('postconf', err), {
        fix: 'Run the command as root, and correct main.cf.',
      });
    return out.trim();
  };
  const setting = (name: string): string => postconf('-h', name);
  const inChroot = /= y$/.test(postconf('-F', 'smtp/unix/chroot'));
  const queueFolder = setting('queue_directory');
  return {
    version: setting('mail_version'),
    resolvConf: `${inChroot ? queueFolder : ''}/etc/resolv.conf`,
    queueFolder,
    inChroot,
    overrides: postconf('-P').split('\n'),
    policyMaps: splitMaps(setting('smtp_tls_policy_maps')),
    setting,
  };
}

function splitMaps(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((map) => map !== '');
}
