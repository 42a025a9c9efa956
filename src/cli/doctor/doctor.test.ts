import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import type { DaemonStatus } from '../../server/index.js';
import { examinePostfix, type PostfixState } from './examine-postfix.js';
import { examineSystem, type SystemState } from './examine-system.js';
import { nodeMachine } from '../setup/machine.js';
import { examineService, readService, type ServiceState } from './examine-service.js';
import { importance } from './fault.js';

const NOW = Date.parse('2026-12-01T00:00:00Z');
const DAY = 86_400_000;
const MAP = 'socketmap:inet:127.0.0.1:8461:hermetic';

const status: DaemonStatus = {
  schema: 'hermetic.status/1',
  version: '0.1.0',
  node: '24.0.0',
  pid: 1,
  startedAt: '2026-11-30T00:00:00Z',
  uptimeSeconds: 86_400,
  ready: true,
  degraded: [],
  jobs: ['postfix'],
  listening: [{ what: 'postfix', at: '127.0.0.1:8461' }],
};

const healthy: SystemState = {
  status,
  unreachable: undefined,
  installedVersion: '0.1.0',
  nodeVersion: '24.0.0',
  secrets: [{ path: '/etc/hermetic/dns.key', mode: 0o640, readable: true }],
  unreadable: [],
  formerConfig: false,
  configChanged: Date.parse('2026-11-29T00:00:00Z'),
  freeBytes: 10e9,
  freeFiles: 1_000_000,
  clockSynchronised: true,
  clockBehind: 0,
  certificates: [{ path: '/etc/hermetic/web.pem', notBefore: 0, notAfter: NOW + 60 * DAY }],
  observe: false,
  endedExemptions: [],
  foreignFiles: [],
  stateMode: 0o700,
  writable: [],
  hasOwnUnit: false,
  lostCommands: [],
  isWatchMute: false,
  now: NOW,
};

const postfix: PostfixState = {
  version: '3.7.11',
  resolvConf: '/var/spool/postfix/etc/resolv.conf',
  policyMaps: [MAP],
  queueFolder: '/var/spool/postfix',
  inChroot: false,
  overrides: [''],
  settings: {
    smtp_dns_support_level: 'dnssec',
    smtp_host_lookup: 'dns',
    smtp_tls_security_level: 'may',
  },
  hasRoots: true,
  resolvConfs: ['nameserver 127.0.0.1\n', 'nameserver 127.0.0.1\noptions edns0\n'],
  probe: { validates: true, says: '' },
  section: { version: '3.7', resolverFile: '/var/spool/postfix/etc/resolv.conf' },
};

test('a healthy machine has no fault', () => {
  assert.deepEqual(examineSystem(healthy), []);
  assert.deepEqual(examinePostfix(postfix, status), []);
});

test('a map may name the listening address in another form', () => {
  for (const [map, at] of [
    ['socketmap:inet:localhost:8461:hermetic', '127.0.0.1:8461'],
    ['socketmap:inet:localhost:8461:hermetic', '[::1]:8461'],
    ['socketmap:inet:[::1]:8461:hermetic', '[::1]:8461'],
    ['socketmap:inet:192.0.2.1:8461:hermetic', '0.0.0.0:8461'],
    ['socketmap:unix:/run/hermetic/map:hermetic', 'unix:/run/hermetic/map'],
  ] as const) {
    const listening = { ...status, listening: [{ what: 'postfix', at }] };
    assert.deepEqual(examinePostfix({ ...postfix, policyMaps: [map] }, listening), [], map);
  }
});

test('a period of one day is written in the singular', () => {
  const certificates = [{ path: '/c', notBefore: 0, notAfter: NOW + 1.5 * DAY }];
  assert.match(examineSystem({ ...healthy, certificates })[0]?.message ?? '', /in 1 day$/);
});

test('a machine that uses Postfix without Hermetic has no fault of Postfix', () => {
  const apart = { ...postfix, policyMaps: [], section: undefined, hasRoots: false };
  assert.deepEqual(examinePostfix(apart, status), []);
});

const systemFaults: readonly (readonly [id: string, change: Partial<SystemState>])[] = [
  ['daemon-down', { status: undefined, unreachable: 'the daemon is not running' }],
  ['job-degraded', { status: { ...status, degraded: [{ job: 'report', code: 'store-full' }] } }],
  ['daemon-is-old', { installedVersion: '0.2.0' }],
  [
    'reload-refused',
    {
      status: {
        ...status,
        lastReload: {
          at: '2026-11-30T01:00:00Z',
          problems: [{ code: 'config-invalid', message: 'x', fix: 'Correct x.' }],
        },
      },
    },
  ],
  ['config-not-loaded', { configChanged: Date.parse('2026-11-30T12:00:00Z') }],
  ['config-unreadable', { unreadable: ['/etc/hermetic/conf.d/publish.yaml'] }],
  ['secret-exposed', { secrets: [{ path: '/k', mode: 0o644, readable: true }] }],
  ['secret-exposed', { secrets: [{ path: '/k', mode: 0o602, readable: true }] }],
  ['secret-unreadable', { secrets: [{ path: '/k', mode: 0o600, readable: false }] }],
  ['state-owner', { foreignFiles: ['/var/lib/hermetic/hermetic.db-wal'] }],
  ['state-exposed', { stateMode: 0o755 }],
  ['state-exposed', { stateMode: 0o701 }],
  ['config-writable', { writable: ['/etc/hermetic/hermetic.yaml'] }],
  [
    'certificate-not-yet-valid',
    { certificates: [{ path: '/c', notBefore: NOW + 60_000, notAfter: NOW + 60 * DAY }] },
  ],
  [
    'certificate-without-host',
    {
      certificates: [
        { path: '/c', notBefore: 0, notAfter: NOW + 60 * DAY, unnamedHost: 'mx.example.com' },
      ],
    },
  ],
  ['certificate-expired', { certificates: [{ path: '/c', notBefore: 0, notAfter: NOW - DAY }] }],
  ['certificate-expired', { certificates: [{ path: '/c', notBefore: 0, notAfter: NOW - 1 }] }],
  [
    'certificate-expires',
    { certificates: [{ path: '/c', notBefore: 0, notAfter: NOW + 3 * DAY }] },
  ],
  ['former-config', { formerConfig: true }],
  ['disk-full', { freeBytes: 5_000_000 }],
  ['disk-full', { freeBytes: 0 }],
  ['disk-without-inodes', { freeFiles: 0 }],
  ['unit-replaced', { hasOwnUnit: true }],
  ['token-command-unusable', { lostCommands: ['/etc/hermetic/microsoft-token'] }],
  ['watch-without-receiver', { isWatchMute: true }],
  ['clock-wrong', { clockBehind: 3600 }],
  ['clock-free', { clockSynchronised: false }],
  ['node-end-of-life', { nodeVersion: '20.19.2' }],
  ['exemption-ended', { endedExemptions: ['example.com'] }],
  ['observe-mode', { observe: true }],
];

for (const [id, change] of systemFaults)
  test(`doctor reports only ${id} (${Object.keys(change).join()})`, () => {
    const found = examineSystem({ ...healthy, ...change });
    assert.deepEqual(
      found.map((fault) => fault.id),
      [id],
    );
    for (const { message, fix } of found) assert.ok(message.length > 10 && fix.length > 5);
  });

const postfixFaults: readonly (readonly [id: string, change: Partial<PostfixState>])[] = [
  ['postfix-without-map', { policyMaps: [] }],
  ['postfix-without-map', { policyMaps: ['hash:/etc/postfix/tls_policy'] }],
  ['map-without-daemon', { section: undefined }],
  ['map-at-other-address', { policyMaps: ['socketmap:inet:127.0.0.1:8462:hermetic'] }],
  ['map-at-other-address', { policyMaps: ['socketmap:unix:/run/hermetic/map:hermetic'] }],
  ['map-at-other-address', { policyMaps: ['socketmap:inet:127.0.0.1:84610:hermetic'] }],
  ['map-at-other-address', { policyMaps: ['socketmap:inet:127.0.0.1:461:hermetic'] }],
  ['map-at-other-address', { policyMaps: ['socketmap:inet:192.0.2.1:8461:hermetic'] }],
  ['map-not-first', { policyMaps: ['hash:/etc/postfix/tls_policy', MAP] }],
  ['postfix-version', { version: '3.10.5' }],
  ['resolver-file', { resolvConf: '/etc/resolv.conf' }],
  ['resolver-does-not-validate', { probe: { validates: false, says: 'no AD', fix: 'do it' } }],
  ['resolver-copy-is-old', { resolvConfs: ['nameserver 127.0.0.1', 'nameserver 192.0.2.1'] }],
  ['postfix-without-dnssec', { settings: { ...postfix.settings, smtp_dns_support_level: '' } }],
  ['postfix-native-lookup', { settings: { ...postfix.settings, smtp_host_lookup: 'dns, native' } }],
  ['postfix-without-tls', { settings: { ...postfix.settings, smtp_tls_security_level: '' } }],
  ['postfix-without-roots', { hasRoots: false }],
  ['postfix-service-override', { overrides: ['smtp/unix/smtp_tls_policy_maps = '] }],
  ['postfix-service-override', { overrides: ['relay/unix/smtp_tls_security_level = none'] }],
  [
    'postfix-level-mandatory',
    { settings: { ...postfix.settings, smtp_tls_security_level: 'secure' } },
  ],
  [
    'postfix-relayhost',
    { settings: { ...postfix.settings, relayhost: '[smarthost.example]:587' } },
  ],
];

for (const [id, change] of postfixFaults)
  test(`doctor reports only ${id} (${JSON.stringify(change).slice(0, 40)})`, () => {
    assert.deepEqual(
      examinePostfix({ ...postfix, ...change }, status).map((fault) => fault.id),
      [id],
    );
  });

test('a map without a running daemon is the most important fault', () => {
  const [fault] = examinePostfix(postfix, undefined);
  assert.equal(fault?.id, 'map-without-daemon');
  assert.equal(fault.importance, importance.mailDeferred);
});

const service: ServiceState = {
  weakened: [],
  enabled: 'enabled',
  uid: 990,
  hasUser: true,
  openFiles: 65_536,
  metrics: ['127.0.0.1:9461'],
};

const serviceFaults: readonly (readonly [id: string, change: Partial<ServiceState>])[] = [
  ['unit-weakened', { weakened: [{ file: '/o.conf', line: 'ProtectSystem=no' }] }],
  ['unit-disabled', { enabled: 'disabled' }],
  ['unit-disabled', { enabled: 'masked' }],
  ['daemon-as-root', { uid: 0 }],
  ['open-files-few', { openFiles: 256 }],
  ['metrics-public', { metrics: ['0.0.0.0:9461'] }],
  ['metrics-public', { metrics: ['[::]:9461'] }],
];

for (const [id, change] of serviceFaults)
  test(`doctor reports only ${id} (${JSON.stringify(change).slice(0, 40)})`, () => {
    const found = examineService({ ...service, ...change });
    assert.deepEqual(
      found.map((fault) => fault.id),
      [id],
    );
  });

test('a daemon as root without the user hermetic, or without systemd, has no fault', () => {
  assert.deepEqual(examineService(service), []);
  assert.deepEqual(examineService({ ...service, uid: 0, hasUser: false, enabled: undefined }), []);
});

test('doctor finds drop-ins that weaken the unit', () => {
  const root = mkdtempSync(join(tmpdir(), 'hermetic-doctor-'));
  const folder = join(root, 'etc/systemd/system/hermetic.service.d');
  mkdirSync(folder, { recursive: true });
  const lines = ['[Service]', 'User = root', 'ProtectSystem=false', 'SystemCallFilter='];
  const harmless = ['LoadCredential=dns.key:/etc/bind/key', 'ProtectHome=yes', 'LimitNOFILE=1'];
  writeFileSync(join(folder, 'override.conf'), [...lines, ...harmless].join('\n'));
  writeFileSync(join(folder, 'notes.txt'), 'PrivateTmp=no');
  const { weakened } = readService(nodeMachine(root), undefined);
  assert.deepEqual(
    weakened.map(({ line }) => line),
    ['User=root', 'ProtectSystem=false', 'SystemCallFilter='],
  );
  rmSync(root, { recursive: true });
});

test('only a socket inside the chroot of Postfix is reached', () => {
  const found = (map: string, at: string, inChroot: boolean): readonly string[] =>
    examinePostfix(
      { ...postfix, policyMaps: [`socketmap:unix:${map}:hermetic`], inChroot },
      { ...status, listening: [{ what: 'postfix', at: `unix:${at}` }] },
    ).map(({ id }) => id);
  const inside = '/var/spool/postfix/hermetic/map';
  assert.deepEqual(found('/run/hermetic/map', '/run/hermetic/map', false), []);
  assert.deepEqual(found('/run/hermetic/map', '/run/hermetic/map', true), ['map-outside-chroot']);
  assert.deepEqual(found('/hermetic/map', inside, true), []);
  assert.deepEqual(found('hermetic/map', inside, true), []);
  assert.deepEqual(found('hermetic/map', inside, false), []);
  assert.deepEqual(found('/hermetic/map', inside, false), ['map-at-other-address']);
});
