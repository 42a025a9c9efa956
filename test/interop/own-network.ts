import { spawnSync } from 'node:child_process';

/**
 * Environment variable that names the network namespace in which packages can be
 * downloaded, if this process runs in an inner namespace.
 */
const OUTER = 'HERMETIC_OUTER_NETWORK';

/**
 * Continues in a separate network and mount namespace, whose loopback also has the given
 * addresses: every port is free there, and other hosts are unreachable. Call this
 * function before anything else. The calling process ends when the inner process ends.
 * `mark` is the name of the environment variable that identifies the inner process. Needs
 * root.
 */
export function ownNetwork(addresses: readonly string[], mark = 'HERMETIC_OWN_NETWORK'): void {
  if (process.env[mark] === '1') return;
  const commands = [
    'set -e',
    'ip link set lo up',
    ...addresses.map((address) => `ip address add ${address}/32 dev lo`),
    'exec "$@"',
  ];
  const args = [
    '--mount',
    '--net',
    'sh',
    '-c',
    commands.join('\n'),
    'sh',
    process.execPath,
    ...process.execArgv,
    ...process.argv.slice(1),
  ];
  const { status } = spawnSync('unshare', args, {
    stdio: 'inherit',
    env: { [OUTER]: `/proc/${process.pid}/ns/net`, ...process.env, [mark]: '1' },
  });
  process.exit(status ?? 1);
}

/**
 * Returns the command wrapped so that it runs in the outer network and can reach other
 * hosts.
 */
export function inOuterNetwork(command: string, args: readonly string[]): readonly string[] {
  const outer = process.env[OUTER];
  return outer === undefined ? [command, ...args] : ['nsenter', `--net=${outer}`, command, ...args];
}
