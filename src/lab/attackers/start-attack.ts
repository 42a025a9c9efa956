import { formatIp, Name } from '../../base/index.js';
import { readMx, RRType, type ResourceRecord } from '../../dns/index.js';
import type { Endpoint } from '../../net/index.js';
import type { Issued } from '../../pki/index.js';
import { mailServer, type ReceivedMail } from '../actors/mail-server.js';
import type { PolicyHost, PolicySite } from '../actors/policy-host.js';
import type { DnsFault, LabDns } from '../dns/lab-dns.js';
import type { LabNetwork } from '../network/lab-network.js';
import { places, type LabPki } from '../actors/pki.js';
import { injectAfterStarttls } from './inject-after-starttls.js';
import { stripStarttls } from './strip-starttls.js';

/**
 * Attacks on the mail of one domain by an on-path attacker, who also controls unsigned
 * DNS answers.
 */
export const labAttacks = [
  'strip', // the STARTTLS line is removed
  'mangle', // the keyword is overwritten
  'answer-in-clear', // another server without STARTTLS answers instead
  'swap-certificate', // another server answers instead, with a certificate from an untrusted CA
  'tls10', // the attacker offers at most TLS 1.0
  'inject', // a plaintext reply after the acceptance of STARTTLS
  'spoof-mx', // a forged MX
  'spoof-address', // forged addresses of the hosts
  'drop-tlsa', // TLSA queries get no answer
  'forge-tlsa', // forged TLSA records, for the attacker's key
  'deny-tlsa', // a forged denial of TLSA
  'block-first-mx', // the most preferred host is unreachable
  'sts-nxdomain', // a forged denial of _mta-sts
  'sts-servfail', // lookups of _mta-sts fail
  'sts-new-id', // a forged record with a new id
  'sts-stale-id', // the old record is replayed next to a new policy
  'policy-down', // the policy host is unreachable
  'policy-hangs', // the policy host accepts the connection and stays silent
  'policy-not-found', // 404
  'policy-redirects', // 301
  'policy-wrong-certificate', // the certificate of the policy host is for another name
] as const;
export type LabAttack = (typeof labAttacks)[number];

/** The parts of the lab that an attack changes. */
export interface AttackContext {
  readonly pki: LabPki;
  readonly network: LabNetwork;
  readonly dns: LabDns;
  readonly policyHost: PolicyHost;
  readonly onMail: (receivedMail: ReceivedMail) => void;
  /** Receives each command line that the attacker's own server reads. */
  readonly onAttackerCommand: (command: string) => void;
}

type Undo = () => void;

const SMTP = 25;
/** An address without a service. */
const nowhere = '203.0.113.99';

/**
 * Starts an attack on a domain, at its own hosts or at the hosts given. Resolves to a
 * function that ends the attack. Several attacks may run at once; the caller ends them in
 * reverse order.
 */
export async function mountAttack(
  attack: LabAttack,
  domainName: string,
  field: AttackContext,
  targets?: readonly MailHostAddress[],
): Promise<Undo> {
  const { dns, pki } = field;
  const hosts = targets ?? mailHostAddresses(domainName, dns);
  const policyName = `mta-sts.${domainName}`;
  const fault = (question: string, answer: DnsFault): Undo => dns.fault(question, answer);
  const forEachHost = (attackHost: (hostName: string) => Undo): Undo =>
    undoAll([...new Set(hosts.map(({ name }) => name))].map(attackHost));
  switch (attack) {
    case 'strip':
    case 'mangle':
      return manInTheMiddle(
        hosts,
        field,
        (target) =>
          target &&
          stripStarttls(field.network.outside, target, attack === 'strip' ? 'remove' : 'mangle'),
      );
    case 'inject':
      return manInTheMiddle(
        hosts,
        field,
        (target) => target && injectAfterStarttls(field.network.outside, target),
      );
    case 'answer-in-clear':
      return manInTheMiddle(hosts, field, (_target, hostName) =>
        attackersServer(hostName, field, []),
      );
    case 'swap-certificate':
      return manInTheMiddle(hosts, field, (_target, hostName) =>
        attackersServer(hostName, field, [pki.forgedCertificate(hostName)]),
      );
    case 'tls10':
      return manInTheMiddle(hosts, field, (_target, hostName) =>
        mailServer({
          name: hostName,
          certificates: pki.shownBy(hostName),
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1',
          onMail: field.onMail,
        }),
      );
    case 'spoof-mx':
      return fault(`${domainName} MX`, {
        forge: [`${domainName}. 60 IN MX 5 mx.attacker.example.`],
      });
    case 'spoof-address':
      return forEachHost((hostName) =>
        undoAll([
          fault(`${hostName} A`, { forge: [`${hostName}. 60 IN A ${places.attacker}`] }),
          fault(`${hostName} AAAA`, 'nodata'),
        ]),
      );
    case 'drop-tlsa':
      return forEachHost((hostName) => fault(`_${SMTP}._tcp.${hostName} TLSA`, 'drop'));
    case 'deny-tlsa':
      return forEachHost((hostName) => fault(`_${SMTP}._tcp.${hostName} TLSA`, 'nxdomain'));
    case 'forge-tlsa':
      return forEachHost((hostName) =>
        fault(`_${SMTP}._tcp.${hostName} TLSA`, {
          forge: [`_${SMTP}._tcp.${hostName}. 60 IN TLSA 3 1 1 ${'a7'.repeat(32)}`],
        }),
      );
    case 'block-first-mx': {
      const first = hosts.filter(({ name }) => name === hosts[0]?.name);
      return undoAll(
        first.map(({ ip }) => {
          const undo = field.network.keep(ip, SMTP);
          field.network.block(ip, SMTP, 'refuse');
          return undo;
        }),
      );
    }
    case 'sts-nxdomain':
      return fault(`_mta-sts.${domainName} TXT`, 'nxdomain');
    case 'sts-servfail':
      return fault(`_mta-sts.${domainName} TXT`, 'servfail');
    case 'sts-new-id':
      return fault(`_mta-sts.${domainName} TXT`, {
        forge: [`_mta-sts.${domainName}. 60 IN TXT "v=STSv1; id=forged1"`],
      });
    case 'sts-stale-id': {
      const policySite = field.policyHost.site(policyName);
      return changeSite(
        policyName,
        field,
        policySite ? { policy: `${policySite.policy}mx: mx3.${domainName}\r\n` } : {},
      );
    }
    case 'policy-down':
      field.network.block(nowhere, 443, 'refuse');
      return undoAll([
        fault(`${policyName} A`, { forge: [`${policyName}. 60 IN A ${nowhere}`] }),
        fault(`${policyName} AAAA`, 'nodata'),
      ]);
    case 'policy-hangs':
      return changeSite(policyName, field, { habit: 'silent' });
    case 'policy-not-found':
      return changeSite(policyName, field, { habit: 'not-found' });
    case 'policy-redirects':
      return changeSite(policyName, field, { habit: 'redirects' });
    case 'policy-wrong-certificate': {
      const [certificate] = pki.certificatesFor(policyName, 'wrong-name');
      return changeSite(policyName, field, certificate ? { certificate } : {});
    }
  }
}

/** One address of an MX host. */
export interface MailHostAddress {
  readonly name: string;
  readonly ip: string;
}

/** Returns the mail hosts of a domain with their addresses, unaffected by DNS attacks. */
export function mailHostAddresses(domainName: string, labDns: LabDns): readonly MailHostAddress[] {
  const names = records(labDns, domainName, RRType.MX)
    .flatMap((resourceRecord) => {
      const mx = readMx(resourceRecord);
      return mx.ok ? [mx.value] : [];
    })
    .sort((left, right) => left.preference - right.preference)
    .map(({ exchange }) => exchange.toLower());
  return (names.length > 0 ? names : [domainName]).flatMap((hostName) =>
    [...records(labDns, hostName, RRType.A), ...records(labDns, hostName, RRType.AAAA)].map(
      ({ rdata }) => ({
        name: hostName,
        ip: formatIp({ family: rdata.length === 4 ? 4 : 6, bytes: rdata }),
      }),
    ),
  );
}

function records(labDns: LabDns, hostName: string, recordType: number): readonly ResourceRecord[] {
  const parsed = Name.parse(hostName);
  if (!parsed.ok || parsed.value.isRoot) return [];
  return labDns
    .honest(parsed.value, recordType)
    .answers.filter((resourceRecord) => resourceRecord.type === recordType);
}

/** Replaces the server at each address of the hosts by a server of the attacker. */
async function manInTheMiddle(
  hosts: readonly MailHostAddress[],
  { network }: AttackContext,
  serve: (
    target: Endpoint | undefined,
    hostName: string,
  ) => Parameters<LabNetwork['listenTcp']>[2] | undefined,
): Promise<Undo> {
  const undone: Undo[] = [];
  for (const { name, ip } of hosts) {
    const attacker = serve(network.targetOf(ip, SMTP), name);
    if (!attacker) continue;
    undone.push(network.keep(ip, SMTP));
    await network.listenTcp(ip, SMTP, attacker);
  }
  return undoAll(undone);
}

function attackersServer(
  name: string,
  { onMail, onAttackerCommand }: AttackContext,
  certificates: readonly Issued[],
): ReturnType<typeof mailServer> {
  return mailServer({
    name,
    certificates,
    onMail: (receivedMail) => onMail({ ...receivedMail, server: 'attacker' }),
    onCommand: onAttackerCommand,
  });
}

function changeSite(
  hostName: string,
  { policyHost }: AttackContext,
  change: Partial<PolicySite>,
): Undo {
  const policySite = policyHost.site(hostName);
  if (!policySite) return () => undefined;
  policyHost.add(hostName, { ...policySite, ...change });
  return () => policyHost.add(hostName, policySite);
}

function undoAll(undone: readonly Undo[]): Undo {
  return () => [...undone].reverse().forEach((undo) => undo());
}
