import { spawnSync } from 'node:child_process';

const inside = 'HERMETIC_OWN_NETWORK';

/**
 * Goes on in a network and a mount namespace of its own, with a loopback that has these addresses beside 127.0.0.1: every port is free there, and nothing outside can be
 * reached. To be called before anything else of a test file; the process it is called from ends with the one inside. Needs root.
 */
export function ownNetwork(addresses: readonly string[]): void {
  if (process.env[inside] === '1') return;
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
    env: { ...process.env, [inside]: '1' },
  });
  process.exit(status ?? 1);
}
