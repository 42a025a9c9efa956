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
  'strip', // the STARTTLS line taken out
  'mangle', // the keyword overwritten
  'answer-in-clear', // another server in its place, without STARTTLS
  'swap-certificate', // another server in its place, with a certificate of no trusted CA
  'tls10', // no more than TLS 1.0
  'inject', // plaintext behind the agreement to TLS
  'spoof-mx', // a forged MX
  'spoof-address', // forged addresses of the hosts
  'drop-tlsa', // TLSA answers do not come
  'forge-tlsa', // forged TLSA records, for the attacker's key
  'deny-tlsa', // a forged denial of TLSA
  'block-first-mx', // the most preferred host cannot be reached
  'sts-nxdomain', // a forged denial of _mta-sts
  'sts-servfail', // _mta-sts answers fail
  'sts-new-id', // a forged record with a new id
  'sts-stale-id', // the old record replayed beside a new policy
  'policy-down', // the policy host cannot be reached
  'policy-hangs', // it accepts, and says nothing
  'policy-not-found', // 404
  'policy-redirects', // 301
  'policy-wrong-certificate', // its certificate is for another name
] as const;
export type LabAttack = (typeof labAttacks)[number];

/** The parts of the lab that an attack changes. */
export interface AttackContext {
  readonly pki: LabPki;
  readonly network: LabNetwork;
  readonly dns: LabDns;
  readonly policyHost: PolicyHost;
  readonly onMail: (mail: ReceivedMail) => void;
  /** Receives each command line that the attacker's own server reads. */
  readonly onAttackerCommand: (command: string) => void;
}

type Undo = () => void;

const SMTP = 25;
/** An address without a service. */
const nowhere = '203.0.113.99';

/**
 * Starts an attack on a domain, at its own hosts or at the hosts given. Resolves to a
 * function that ends it. Several attacks may run at once; end them in reverse order.
 */
export async function mountAttack(
  attack: LabAttack,
  domain: string,
  field: AttackContext,
  targets?: readonly MailHostAddress[],
): Promise<Undo> {
  const { dns, pki } = field;
  const hosts = targets ?? mailHosts(domain, dns);
  const policyName = `mta-sts.${domain}`;
  const fault = (question: string, answer: DnsFault): Undo => dns.fault(question, answer);
  const forEachHost = (attackHost: (host: string) => Undo): Undo =>
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
      return manInTheMiddle(hosts, field, (_target, name) => attackersServer(name, field, []));
    case 'swap-certificate':
      return manInTheMiddle(hosts, field, (_target, name) =>
        attackersServer(name, field, [pki.forgedCertificate(name)]),
      );
    case 'tls10':
      return manInTheMiddle(hosts, field, (_target, name) =>
        mailServer({
          name,
          certificates: pki.shownBy(name),
          minVersion: 'TLSv1',
          maxVersion: 'TLSv1',
          onMail: field.onMail,
        }),
      );
    case 'spoof-mx':
      return fault(`${domain} MX`, { forge: [`${domain}. 60 IN MX 5 mx.attacker.example.`] });
    case 'spoof-address':
      return forEachHost((name) =>
        undoAll([
          fault(`${name} A`, { forge: [`${name}. 60 IN A ${places.attacker}`] }),
          fault(`${name} AAAA`, 'nodata'),
        ]),
      );
    case 'drop-tlsa':
      return forEachHost((name) => fault(`_${SMTP}._tcp.${name} TLSA`, 'drop'));
    case 'deny-tlsa':
      return forEachHost((name) => fault(`_${SMTP}._tcp.${name} TLSA`, 'nxdomain'));
    case 'forge-tlsa':
      return forEachHost((name) =>
        fault(`_${SMTP}._tcp.${name} TLSA`, {
          forge: [`_${SMTP}._tcp.${name}. 60 IN TLSA 3 1 1 ${'a7'.repeat(32)}`],
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
      return fault(`_mta-sts.${domain} TXT`, 'nxdomain');
    case 'sts-servfail':
      return fault(`_mta-sts.${domain} TXT`, 'servfail');
    case 'sts-new-id':
      return fault(`_mta-sts.${domain} TXT`, {
        forge: [`_mta-sts.${domain}. 60 IN TXT "v=STSv1; id=forged1"`],
      });
    case 'sts-stale-id': {
      const site = field.policyHost.site(policyName);
      return changeSite(
        policyName,
        field,
        site ? { policy: `${site.policy}mx: mx3.${domain}\r\n` } : {},
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
export function mailHosts(domain: string, dns: LabDns): readonly MailHostAddress[] {
  const names = records(dns, domain, RRType.MX)
    .flatMap((record) => {
      const mx = readMx(record);
      return mx.ok ? [mx.value] : [];
    })
    .sort((left, right) => left.preference - right.preference)
    .map(({ exchange }) => exchange.toLower());
  return (names.length > 0 ? names : [domain]).flatMap((name) =>
    [...records(dns, name, RRType.A), ...records(dns, name, RRType.AAAA)].map(({ rdata }) => ({
      name,
      ip: formatIp({ family: rdata.length === 4 ? 4 : 6, bytes: rdata }),
    })),
  );
}

function records(dns: LabDns, name: string, type: number): readonly ResourceRecord[] {
  const parsed = Name.parse(name);
  if (!parsed.ok || parsed.value.isRoot) return [];
  return dns.honest(parsed.value, type).answers.filter((record) => record.type === type);
}

/** Replaces the server at each address of the hosts by one of the attacker. */
async function manInTheMiddle(
  hosts: readonly MailHostAddress[],
  { network }: AttackContext,
  serve: (
    target: Endpoint | undefined,
    name: string,
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
    onMail: (mail) => onMail({ ...mail, server: 'attacker' }),
    onCommand: onAttackerCommand,
  });
}

function changeSite(
  name: string,
  { policyHost }: AttackContext,
  change: Partial<PolicySite>,
): Undo {
  const site = policyHost.site(name);
  if (!site) return () => undefined;
  policyHost.add(name, { ...site, ...change });
  return () => policyHost.add(name, site);
}

function undoAll(undone: readonly Undo[]): Undo {
  return () => [...undone].reverse().forEach((undo) => undo());
}
