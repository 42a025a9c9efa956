import type { DaemonStatus } from '../../server/index.js';
import type { ProbeState } from '../../send/index.js';
import { importance, type InstallationFault } from './fault.js';

/** Facts about Postfix, the resolver it uses, and the section `postfix`. */
export interface PostfixState {
  readonly version: string;
  /** The resolv.conf that the SMTP client reads. */
  readonly resolvConf: string;
  readonly policyMaps: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Whether the file of `smtp_tls_CAfile` exists. */
  readonly hasRoots: boolean;
  /** Contents of the system's resolv.conf and of that in the chroot. */
  readonly resolvConfs: readonly [system: string, chroot: string];
  readonly probe: ProbeState;
  /** Undefined without a section `postfix`. */
  readonly section: { readonly version: string; readonly resolverFile: string } | undefined;
}

/** Compares Postfix with the daemon. `status`: undefined while no daemon answers. */
export function examinePostfix(
  postfix: PostfixState,
  status: DaemonStatus | undefined,
): readonly InstallationFault[] {
  const { policyMaps, section } = postfix;
  const maps = policyMaps.filter((map) => map.startsWith('socketmap:'));
  if (maps.length === 0 && !section) return [];
  return [
    ...examineMap(maps, postfix, status),
    ...(section ? examineSection(postfix, section) : []),
    ...examineResolver(postfix),
    ...examineSettings(postfix),
  ];
}

function examineMap(
  maps: readonly string[],
  { policyMaps, section }: PostfixState,
  status: DaemonStatus | undefined,
): readonly InstallationFault[] {
  const [map] = maps;
  if (map === undefined)
    return [
      {
        id: 'postfix-without-map',
        importance: importance.protectionLost,
        message: 'Postfix does not ask the daemon: smtp_tls_policy_maps has no socketmap',
        fix: 'Run: hermetic setup postfix',
      },
    ];
  if (!section || !status)
    return [
      {
        id: 'map-without-daemon',
        importance: importance.mailDeferred,
        message: `Postfix asks ${map}, and no daemon answers: all mail is deferred`,
        fix: section
          ? 'Start the daemon: systemctl start hermetic'
          : 'Add the section postfix (hermetic setup postfix), or remove the map from main.cf.',
      },
    ];
  const ports = status.listening.filter(({ what }) => what === 'postfix').map(({ at }) => at);
  if (!ports.some((at) => reaches(map, at)))
    return [
      {
        id: 'map-at-other-address',
        importance: importance.mailDeferred,
        message: `Postfix asks ${map}, and the daemon listens at ${ports.join(', ') || 'no address'}`,
        fix: 'Write the same address into postfix.listen and smtp_tls_policy_maps.',
      },
    ];
  return policyMaps[0] === map
    ? []
    : [
        {
          id: 'map-not-first',
          importance: importance.advice,
          message: `Postfix asks ${policyMaps[0]} before the daemon: its entries replace policies`,
          fix: 'Keep only domains there whose policies must not apply.',
        },
      ];
}

/**
 * Whether a map `socketmap:inet:HOST:PORT:NAME` or `socketmap:unix:PATH:NAME` leads to a
 * listening address: `HOST:PORT` or `unix:PATH`.
 */
function reaches(map: string, at: string): boolean {
  const [, kind, address = ''] = /^socketmap:(inet|unix):(.*):[^:]*$/.exec(map) ?? [];
  if (kind === 'unix') return at === `unix:${address}`;
  const [host, port] = splitPort(address);
  const [listening, listeningPort] = splitPort(at);
  if (port !== listeningPort) return false;
  const loopback = ['127.0.0.1', '::1'];
  if (listening === '0.0.0.0' || listening === '::') return true;
  return host === 'localhost' ? loopback.includes(listening) : host === listening;
}

function splitPort(address: string): readonly [host: string, port: string] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon).replace(/^\[(.*)\]$/, '$1'), address.slice(colon + 1)];
}

function examineSection(
  { version, resolvConf }: PostfixState,
  section: NonNullable<PostfixState['section']>,
): readonly InstallationFault[] {
  const faults: InstallationFault[] = [];
  if (!`${version}.`.startsWith(`${section.version}.`))
    faults.push({
      id: 'postfix-version',
      importance: importance.mailDeferred,
      message: `Postfix is ${version}, and postfix.version is ${section.version}`,
      fix: `Set postfix.version: "${version}".`,
    });
  if (section.resolverFile !== resolvConf)
    faults.push({
      id: 'resolver-file',
      importance: importance.protectionLost,
      message: `the SMTP client reads ${resolvConf}, and the daemon tests ${section.resolverFile}`,
      fix: `Set postfix.resolver: {file: ${resolvConf}}.`,
    });
  return faults;
}

function examineResolver({ probe, resolvConfs }: PostfixState): readonly InstallationFault[] {
  const faults: InstallationFault[] = [];
  if (!probe.validates)
    faults.push({
      id: 'resolver-does-not-validate',
      importance: importance.mailDeferred,
      message: `${probe.says}: mail to domains with DANE is deferred`,
      fix: `Install a validating resolver here (docs/postfix.md, step 1), or ${probe.fix}.`,
    });
  const [system, chroot] = resolvConfs;
  if (serversOf(system) !== serversOf(chroot))
    faults.push({
      id: 'resolver-copy-is-old',
      importance: importance.protectionLost,
      message: 'the resolv.conf in the chroot of Postfix differs from /etc/resolv.conf',
      fix: 'Make Postfix copy it: systemctl restart postfix',
    });
  return faults;
}

function serversOf(text: string): string {
  return (text.match(/^nameserver\s+\S+/gm) ?? []).join().replaceAll(/\s+/g, ' ');
}

function examineSettings({ settings, hasRoots }: PostfixState): readonly InstallationFault[] {
  const faults: InstallationFault[] = [];
  const fault = (id: string, message: string, setting: string): void => {
    const fix = `Run: postconf -e '${setting}' && postfix reload`;
    faults.push({ id, importance: importance.protectionLost, message, fix });
  };
  if (settings['smtp_dns_support_level'] !== 'dnssec')
    fault(
      'postfix-without-dnssec',
      'Postfix does not ask for DNSSEC, so it treats DANE as absent',
      'smtp_dns_support_level = dnssec',
    );
  if (/native/.test(settings['smtp_host_lookup'] ?? ''))
    fault(
      'postfix-native-lookup',
      'smtp_host_lookup has native, which returns no DNSSEC status',
      'smtp_host_lookup = dns',
    );
  const level = settings['smtp_tls_security_level'] ?? '';
  if (level === '' || level === 'none')
    fault(
      'postfix-without-tls',
      'Postfix sends mail to domains without a policy in plaintext',
      'smtp_tls_security_level = may',
    );
  if (!hasRoots)
    fault(
      'postfix-without-roots',
      'smtp_tls_CAfile names no file: mail to domains with MTA-STS is deferred',
      'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
    );
  return faults;
}
