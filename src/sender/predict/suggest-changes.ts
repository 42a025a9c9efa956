import type { SenderMechanism } from '../cases/sender-case.js';
import type { MechanismPrediction } from './judge-prediction.js';
import type { SenderModel, SenderProgram } from './sender-model.js';

/** A change of the configuration that improves a verdict. */
export interface SettingChange {
  readonly mechanism: SenderMechanism;
  /** The file or section to change. */
  readonly place: string;
  readonly lines: readonly string[];
  /** A condition of the change, as a sentence. */
  readonly note?: string;
}

/** Suggests a change for each mechanism that the sender does not enforce. Pure. */
export function suggestChanges(
  model: SenderModel,
  mechanisms: readonly MechanismPrediction[],
): readonly SettingChange[] {
  if (!model.smartHost.known || model.smartHost.value !== undefined) return [];
  return mechanisms
    .filter(({ verdict }) => verdict !== 'enforces' && verdict !== 'cannot-tell')
    .flatMap(({ mechanism }) => {
      const change = changes[model.program][mechanism]?.(model);
      return change === undefined ? [] : [{ mechanism, ...change }];
    });
}

type Suggestion = (model: SenderModel) => Omit<SettingChange, 'mechanism'> | undefined;

const changes: Readonly<
  Record<SenderProgram, Readonly<Partial<Record<SenderMechanism, Suggestion>>>>
> = {
  postfix: { starttls: postfixTls, dane: postfixDane, 'mta-sts': postfixSts, dnssec: resolver },
  exim: { starttls: eximTls, dane: eximDane, 'mta-sts': unsupported('MTA-STS'), dnssec: resolver },
  opensmtpd: {
    starttls: openSmtpdTls,
    dane: unsupported('DANE'),
    'mta-sts': unsupported('MTA-STS'),
    dnssec: resolver,
  },
  hermetic: { dane: stopObserving, 'mta-sts': stopObserving },
};

/** Suggests another server for a mechanism that no setting enables. */
function unsupported(mechanism: string): Suggestion {
  return ({ program }) => ({
    place: 'another server',
    lines: [],
    note: `${program === 'exim' ? 'Exim' : 'OpenSMTPD'} does not support ${mechanism}. Relay its mail through a server that supports the mechanism, or require TLS for single domains.`,
  });
}

function eximTls({ rules }: SenderModel): ReturnType<Suggestion> {
  if (rules.tls.known && rules.tls.value === 'never')
    return { place: 'the smtp transport', lines: ['hosts_avoid_tls ='] };
  const { certificate } = rules;
  if (!certificate.known || certificate.value.kind !== 'ca') return undefined;
  return {
    place: 'the smtp transport',
    lines: ['tls_verify_hosts ='],
    note: 'To verify certificates, set hosts_require_tls too: mail to servers without TLS is then deferred.',
  };
}

function eximDane({ rules, resolver: state }: SenderModel): ReturnType<Suggestion> {
  if (state.known && state.value === 'does-not') return resolver();
  const { dane } = rules;
  if (dane.known && dane.value.use === 'mandatory')
    return { place: 'the smtp transport', lines: ['hosts_require_dane =', 'hosts_try_dane = *'] };
  // Exim with OpenSSL defers mail without a usable record: no setting changes that.
  if (dane.known && dane.value.use !== 'no') return undefined;
  return {
    place: 'the dnslookup router, and the smtp transport',
    lines: ['dnssec_request_domains = *', 'hosts_try_dane = *'],
    note: `${RESOLVER_NOTE} /etc/resolv.conf needs "options trust-ad".`,
  };
}

function openSmtpdTls({ rules }: SenderModel): ReturnType<Suggestion> {
  if (!rules.tls.known || rules.tls.value !== 'never') return undefined;
  return { place: 'smtpd.conf', lines: ['action "relay" relay'] };
}

function stopObserving(): ReturnType<Suggestion> {
  return { place: 'hermetic.yaml, section policy', lines: ['observe: false'] };
}

const RESOLVER_NOTE = 'DANE needs a validating resolver on this machine.';

/**
 * Suggests opportunistic TLS to a Postfix without TLS. Required TLS for every domain
 * would defer mail, so only a sender without TLS has a fault.
 */
function postfixTls({ rules }: SenderModel): ReturnType<Suggestion> {
  if (!rules.tls.known || rules.tls.value !== 'never') return undefined;
  return { place: placeOf(rules.tls.source.setting), lines: ['smtp_tls_security_level = may'] };
}

function postfixDane({ rules, resolver: state }: SenderModel): ReturnType<Suggestion> {
  if (state.known && state.value === 'does-not') return resolver();
  if (rules.mtaSts.known && rules.mtaSts.value.use === 'enforce') {
    if (rules.mtaSts.value.withDane !== 'sts-alone') return undefined;
    return {
      place: 'main.cf',
      lines: ['smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:hermetic'],
      note: 'The answer of the current policy server replaces DANE. hermetic serve also answers with DANE policies (docs/postfix.md).',
    };
  }
  return {
    place: 'main.cf',
    lines: [
      'smtp_tls_security_level = dane',
      'smtp_dns_support_level = dnssec',
      'smtp_host_lookup = dns',
      'ignore_mx_lookup_error = no',
      'smtp_dns_resolver_options =',
    ],
    note: RESOLVER_NOTE,
  };
}

function postfixSts({ rules }: SenderModel): ReturnType<Suggestion> {
  const roots = {
    place: 'main.cf',
    lines: ['smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt'],
  };
  const missing = rules.roots.known && rules.roots.value === 'none';
  if (rules.mtaSts.known && rules.mtaSts.value.use !== 'no') return missing ? roots : undefined;
  return {
    place: 'main.cf',
    lines: [
      'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:hermetic',
      ...(missing ? roots.lines : []),
    ],
    note: 'hermetic serve answers Postfix with the policy of each domain (docs/postfix.md). Keep existing tables in front of it.',
  };
}

function resolver(): ReturnType<Suggestion> {
  return {
    place: '/etc/resolv.conf',
    lines: ['nameserver 127.0.0.1'],
    note: 'Install a validating resolver, such as unbound, on this machine first.',
  };
}

/** Returns the file of a setting: the table for a table entry, else main.cf. */
function placeOf(setting: string): string {
  return setting.includes(':') ? setting : 'main.cf';
}
