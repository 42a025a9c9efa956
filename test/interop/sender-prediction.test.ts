import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import type { Receivers } from '../../src/cli/sender/open-receivers.js';
import { readPostfix, type SenderPrediction } from '../../src/sender/index.js';
import { ownNetwork } from './own-network.js';
import { Postfix } from './postfix.js';
import {
  assertSame,
  counts,
  observe,
  predict,
  RECEIVERS_RESOLVER,
  tlsLibraryHere,
  type Promised,
} from './prediction.js';
import { freePort } from '../support/free-port.js';
import { accepts, Daemon, until } from './process.js';

ownNetwork([]);

/** A configuration of the SMTP client, and the verdicts that postconf(5) promises for it. */
interface Configuration {
  readonly name: string;
  readonly options: readonly string[];
  /** The promised verdicts of STARTTLS, MTA-STS and DANE. */
  readonly verdicts: Promised;
  /** Whether `hermetic serve` answers the policy table. */
  readonly served?: true;
}

const [observes, enforces, unused] = ['observes-only', 'enforces', 'does-not-use'];
const dnssec = 'smtp_dns_support_level=dnssec';
const dane = ['smtp_tls_security_level=dane', dnssec];
const folder = mkdtempSync(join(tmpdir(), 'hermetic-prediction-'));
const caFile = (name: string): string => join(folder, `ca-${name}.pem`);
const mapPort = await freePort();
const socketmap = `smtp_tls_policy_maps=socketmap:inet:127.0.0.1:${mapPort}:hermetic`;

/** The configurations to test. With `--full` they include those of sender.test.ts. */
const all: readonly Configuration[] = [
  {
    name: 'none',
    options: ['smtp_tls_security_level=none'],
    verdicts: [unused, unused, unused],
  },
  { name: 'may', options: ['smtp_tls_security_level=may'], verdicts: [observes, unused, unused] },
  {
    name: 'encrypt',
    options: ['smtp_tls_security_level=encrypt', 'smtp_tls_mandatory_protocols=>=TLSv1.2'],
    verdicts: [enforces, unused, unused],
  },
  { name: 'dane', options: dane, verdicts: [observes, unused, enforces] },
  {
    name: 'dane-plain',
    options: ['smtp_tls_security_level=dane'],
    verdicts: [observes, unused, unused],
  },
  {
    name: 'secure',
    options: ['smtp_tls_security_level=secure', `smtp_tls_CAfile=${caFile('secure')}`],
    verdicts: [enforces, unused, unused],
  },
  {
    name: 'verify-sni',
    options: [
      'smtp_tls_security_level=verify',
      'smtp_tls_servername=hostname',
      'smtp_tls_mandatory_protocols=>=TLSv1.2',
      `smtp_tls_CAfile=${caFile('verify-sni')}`,
    ],
    verdicts: [enforces, unused, unused],
  },
  {
    name: 'table',
    options: [
      ...dane,
      '{ smtp_tls_policy_maps = inline:{ { .sender.example = may protocols=!TLSv1.3 } } }',
    ],
    verdicts: [observes, unused, unused],
  },
  {
    name: 'served',
    options: [
      'smtp_tls_security_level=may',
      dnssec,
      'smtp_tls_dane_insecure_mx_policy=dane',
      socketmap,
      `smtp_tls_CAfile=${caFile('served')}`,
    ],
    verdicts: [observes, enforces, enforces],
    served: true,
  },
];

const common = ['none', 'may', 'dane', 'secure', 'served'];
const full = process.env['HERMETIC_FULL'] === '1';
const configurations = all.filter(({ name }) => full || !common.includes(name));

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
let postfix: Postfix;
let port = 0;
/** The parameters and services of the running Postfix, as an operator prints them. */
let printed = '';
let daemon: Daemon | undefined;

before(async () => {
  port = await freePort();
  const resolvConf = file('resolv.conf', `nameserver ${RECEIVERS_RESOLVER}\n`);
  const routes = configurations.map(({ name }) => `{ ${name}@sender.example = smtp-${name}: }`);
  postfix = new Postfix(folder, port, { resolvConf });
  await postfix.start(
    [{ address: '127.0.0.1' }],
    [
      'mynetworks = 127.0.0.0/8',
      'smtp_connect_timeout = 3',
      'smtp_helo_timeout = 5',
      `sender_dependent_default_transport_maps = inline:{${routes.join(', ')}}`,
      'notify_classes =',
    ],
    configurations.map(({ name, options }) =>
      [`smtp-${name} unix - - n - - smtp`, ...options.map((option) => `-o ${option}`)].join(' '),
    ),
  );
  for (const option of ['-n', '-M', 'mail_version'])
    printed += (await postfix.tool('postconf', [option])).out;
});

after(async () => {
  await daemon?.stop();
  await postfix.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Predicts the outcome as if the configuration applied to all mail. */
function predicted({ name, served }: Configuration): SenderPrediction {
  const lines = ['sender_dependent_default_transport_maps =', `default_transport = smtp-${name}`];
  const model = readPostfix({
    text: [printed, ...lines].join('\n'),
    readTable: () => ({ ok: false, reason: 'not read' }),
    domain: 'case.me.sender.example',
    policyServer: served && 'hermetic',
    resolver: 'validates',
    tlsLibrary: tlsLibraryHere(),
  });
  return predict(model);
}

/** Starts the policy server of Postfix in front of the receivers. */
async function serve({ resolver, anchorLine, rootPem }: Receivers): Promise<void> {
  const config = `resolver: {addresses: ["${resolver.address}"], trustAnchor: ${file('anchor', anchorLine)}}
roots: {replace: ${file('roots.pem', rootPem)}}
network: {privateAddresses: allow}
store: {file: ${join(folder, 'hermetic.db')}}
postfix:
  listen: 127.0.0.1:${mapPort}
  version: "3.7"
  resolver: {file: ${join(folder, 'resolv.conf')}}
`;
  const main = resolve('dist/src/cli/main.js');
  daemon = new Daemon(
    process.execPath,
    [main, 'serve', '--config', file('hermetic.yaml', config)],
    folder,
  );
  await until(
    'hermetic serve',
    () => accepts('127.0.0.1', mapPort),
    () => daemon?.log ?? '',
  );
}

for (const configuration of configurations)
  test(`Postfix, ${configuration.name}: the prediction equals the observation`, async () => {
    const { name, served, verdicts } = configuration;
    const observed = await observe({
      name,
      port,
      onOpen(receivers) {
        writeFileSync(caFile(name), receivers.rootPem);
        return served && serve(receivers);
      },
    });
    assertSame(predicted(configuration), observed, verdicts);
  });

test('at most three cells in a hundred cannot be predicted', () => {
  assert.ok(counts.cells > 40 * configurations.length);
  assert.ok(counts.open / counts.cells <= 0.03, `${counts.open} of ${counts.cells}`);
});
