import type { DaemonStatus } from '../../server/index.js';
import type { ProbeState } from '../../send/index.js';
import { importance, type InstallationFault } from './fault.js';

/** Facts about Postfix, the resolver it uses, and the section `postfix`. */
export interface PostfixState {
  readonly version: string;
  /** The resolv.conf that the SMTP client reads. */
  readonly resolvConf: string;
  readonly policyMaps: readonly string[];
  /** The queue directory, to which relative paths of sockets refer. */
  readonly queueFolder: string;
  /** The SMTP client runs in a chroot of the queue directory. */
  readonly inChroot: boolean;
  /** Settings of services in master.cf, as `postconf -P` prints them. */
  readonly overrides: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
  /** Whether the file of `smtp_tls_CAfile` exists. */
  readonly hasRoots: boolean;
  /** Contents of the system's resolv.conf, and of the resolv.conf in the chroot. */
  readonly resolvConfs: readonly [system: string, chroot: string];
  readonly probe: ProbeState;
  /** Undefined without a section `postfix`. */
  readonly section: { readonly version: string; readonly resolverFile: string } | undefined;
}

/**
 * Returns the faults of Postfix, by comparison with the daemon. `status`: undefined while
 * no daemon answers.
 */
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
    ...examineRouting(postfix),
  ];
}

function examineMap(
  maps: readonly string[],
  postfix: PostfixState,
  status: DaemonStatus | undefined,
): readonly InstallationFault[] {
  const { policyMaps, section } = postfix;
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
        message: `Postfix asks ${map}, but no daemon answers, so Postfix defers all mail`,
        fix: section
          ? 'Start the daemon: systemctl start hermetic'
          : 'Add the section postfix (hermetic setup postfix), or remove the map from main.cf.',
      },
    ];
  const ports = status.listening.filter(({ what }) => what === 'postfix').map(({ at }) => at);
  if (!ports.some((at) => reaches(map, at, postfix))) {
    const isLost = postfix.inChroot && ports.some((at) => reaches(map, at));
    return [isLost ? outsideChroot(map, postfix) : atOtherAddress(map, ports)];
  }
  return policyMaps[0] === map
    ? []
    : [
        {
          id: 'map-not-first',
          importance: importance.advice,
          message: `Postfix asks ${policyMaps[0]} before the daemon, so entries of that table replace policies`,
          fix: 'Keep only domains in that table whose policies must not apply.',
        },
      ];
}

function atOtherAddress(map: string, ports: readonly string[]): InstallationFault {
  return {
    id: 'map-at-other-address',
    importance: importance.mailDeferred,
    message: `Postfix asks ${map}, and the daemon listens at ${ports.join(', ') || 'no address'}`,
    fix: 'Write the same address into postfix.listen and smtp_tls_policy_maps.',
  };
}

function outsideChroot(map: string, { queueFolder }: PostfixState): InstallationFault {
  return {
    id: 'map-outside-chroot',
    importance: importance.mailDeferred,
    message: `the SMTP client runs in the chroot ${queueFolder}, and cannot reach ${map}`,
    fix: `Set postfix.listen to a socket below ${queueFolder}, or use 127.0.0.1:8461 in postfix.listen and in main.cf.`,
  };
}

/**
 * Returns whether a map `socketmap:inet:HOST:PORT:NAME` or `socketmap:unix:PATH:NAME`
 * refers to a listening address: `HOST:PORT` or `unix:PATH`. Without `postfix`, the path
 * is that of a process outside the chroot.
 */
function reaches(map: string, at: string, postfix?: PostfixState): boolean {
  const [, kind, address = ''] = /^socketmap:(inet|unix):(.*):[^:]*$/.exec(map) ?? [];
  if (kind === 'unix') return at === `unix:${postfix ? socketPath(address, postfix) : address}`;
  const [host, port] = splitPort(address);
  const [listening, listeningPort] = splitPort(at);
  if (port !== listeningPort) return false;
  const loopback = ['127.0.0.1', '::1'];
  if (listening === '0.0.0.0' || listening === '::') return true;
  return host === 'localhost' ? loopback.includes(listening) : host === listening;
}

/** Returns the path of a socket outside the chroot. */
function socketPath(path: string, { queueFolder, inChroot }: PostfixState): string {
  if (!path.startsWith('/')) return `${queueFolder}/${path}`;
  return inChroot ? `${queueFolder}${path}` : path;
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
      message: `Postfix is ${version}, but postfix.version is ${section.version}`,
      fix: `Set postfix.version: "${version}".`,
    });
  if (section.resolverFile !== resolvConf)
    faults.push({
      id: 'resolver-file',
      importance: importance.protectionLost,
      message: `the SMTP client reads ${resolvConf}, but the daemon tests ${section.resolverFile}`,
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
      message: `${probe.says}, so Postfix defers mail to domains with DANE`,
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
      'smtp_host_lookup contains native, which returns no DNSSEC status',
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
      'smtp_tls_CAfile names no file, so Postfix defers mail to domains with MTA-STS',
      'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt',
    );
  return faults;
}

/** Levels at which Postfix refuses to send without TLS, or verifies every server. */
const MANDATORY = /^(encrypt|dane-only|fingerprint|verify|secure)$/;
/** Settings that control TLS, and must not differ between a service and main.cf. */
const DECIDING =
  /^(?<service>[^/]+\/[^/]+)\/(?<name>smtp_(?:tls_policy_maps|tls_security_level|dns_support_level|use_tls|enforce_tls)) *=/;

/**
 * Returns the faults of services in master.cf, and of settings that take precedence over
 * the policies.
 */
function examineRouting({ settings, overrides }: PostfixState): readonly InstallationFault[] {
  const faults: InstallationFault[] = [];
  for (const line of overrides) {
    const { service, name } = DECIDING.exec(line)?.groups ?? {};
    if (service === undefined || name === undefined) continue;
    faults.push({
      id: 'postfix-service-override',
      importance: importance.protectionLost,
      message: `master.cf sets ${line.slice(service.length + 1)} for ${service}, which overrides main.cf`,
      fix: `Unless it is intended, run: postconf -PX ${service}/${name} && postfix reload`,
    });
  }
  const level = settings['smtp_tls_security_level'] ?? '';
  if (MANDATORY.test(level))
    faults.push({
      id: 'postfix-level-mandatory',
      importance: importance.advice,
      message: `with smtp_tls_security_level = ${level}, Postfix defers mail to every domain whose TLS is weaker`,
      fix: "Unless it is intended, run: postconf -e 'smtp_tls_security_level = may' && postfix reload",
    });
  const relay = settings['relayhost'] ?? '';
  if (relay !== '')
    faults.push({
      id: 'postfix-relayhost',
      importance: importance.advice,
      message: `relayhost = ${relay} receives all mail, so only that relay can enforce the policies of recipients`,
      fix: 'Run Hermetic on the relay, or clear relayhost.',
    });
  return faults;
}
