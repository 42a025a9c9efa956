import { formatTime } from '../../base/index.js';
import type { Alert, Step } from '../actions.js';
import type { RingKey } from '../keys/key-ring.js';
import type { KeySlot, RolloverState } from '../tlsa/types.js';
import type { HeldCertificate } from '../keys/judge-chain.js';
import type { CertificateReading, CertificateStep, DesiredCertificates } from './types.js';

const [minute, day] = [60_000, 86_400_000];

/** A server that was told to read its files has so long to show them. */
const PATIENCE = minute;

/**
 * What is due for the certificates of the keys in use: another certificate for the same
 * key changes no record, so it is installed as soon as it is at hand. Which key the
 * server is to use is for the rollover to say, and nothing here makes a server change it.
 */
export function stepCertificates(
  { host, slots }: Pick<RolloverState, 'host' | 'slots'>,
  seen: CertificateReading,
  wish: DesiredCertificates,
): CertificateStep {
  const parts = Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) => {
    const moving = deploying ? next : undefined;
    const used = seen.ring.find(({ sha256 }) => sha256 === (moving ?? current)?.sha256);
    if (!used) return [];
    const { steps, alerts } = stepOne(host, used, seen, wish);
    // That one the rollover deploys.
    return [{ steps: moving ? [] : steps, alerts }];
  });
  const unfit = seen.ring.flatMap(({ name, flaw }) =>
    flaw === undefined
      ? []
      : [
          {
            code: 'publish-certificate-unfit',
            subject: host,
            detail: `the chain of ${name} ${flaw}`,
          },
        ],
  );
  return {
    steps: mergeDeployments(parts.flatMap(({ steps }) => steps)),
    waits: [],
    alerts: [...unfit, ...parts.flatMap(({ alerts }) => alerts)],
  };
}

/**
 * What is due for several keys is deployed at once, so that the server reads its files
 * once.
 */
function mergeDeployments(steps: CertificateStep['steps']): CertificateStep['steps'] {
  const isDeploy = ({ action }: Step<CertifyOrDeploy>): boolean => action.kind === 'deploy';
  const [first, ...rest] = steps.filter(isDeploy);
  if (!first || rest.length === 0) return steps;
  const also = rest.map(({ action }) => action.key);
  return [
    ...steps.filter((step) => !isDeploy(step)),
    { ...first, action: { ...first.action, kind: 'deploy', also } },
  ];
}

function stepOne(
  host: string,
  used: RingKey,
  seen: CertificateReading,
  wish: DesiredCertificates,
): Omit<CertificateStep, 'waits'> {
  const { certificate, name, type } = used;
  if (!certificate) return { steps: wish.acme ? [certify(host, name)] : [], alerts: [] };
  const ending = endsSoon(certificate, seen.at)
    ? [
        {
          code: 'publish-certificate-ending',
          subject: host,
          detail: `that of ${name} ends ${formatTime(certificate.notAfter)}`,
        },
      ]
    : [];
  const told = seen.told[type];
  const others = addressesWithout(used, certificate, seen);
  const isThere = seen.installed
    ? seen.installed.includes(name) && told?.chain === certificate.sha256
    : others.length === 0;
  if (!isThere) return { steps: [deploy(host, name)], alerts: ending };
  const late = told !== undefined && seen.at - told.at >= PATIENCE ? others : [];
  const where = `${wish.folder ?? ''}/${type}`;
  const alerts = late.map((address): Alert => ({
    code: 'publish-certificate-not-shown',
    subject: `${host} [${address}]`,
    detail: `${where} has held it since ${formatTime(told?.at ?? 0)}`,
  }));
  return { steps: [], alerts: [...ending, ...alerts] };
}

/**
 * Addresses that were asked and show the key with another certificate, or another key.
 */
export function addressesWithout(
  { sha256 }: Pick<RingKey, 'sha256'>,
  { notBefore, notAfter }: HeldCertificate,
  { addresses }: CertificateReading,
): readonly string[] {
  return addresses.flatMap(({ address, shown }) =>
    shown === 'unknown' ||
    shown.some((c) => c.key === sha256 && c.notBefore === notBefore && c.notAfter === notAfter)
      ? []
      : [address],
  );
}

/**
 * When less is left than a sixth of the lifetime, at most a fortnight, whoever renews it
 * has missed his time.
 */
function endsSoon({ notBefore, notAfter }: HeldCertificate, at: number): boolean {
  return notAfter - at < Math.min(14 * day, (notAfter - notBefore) / 6);
}

function certify(host: string, key: string): Step<CertifyOrDeploy> {
  return {
    action: { kind: 'certify', host, key },
    because: 'the key in use has no certificate that fits',
    clause: 'RFC 8461 §4.2',
  };
}

function deploy(host: string, key: string): Step<CertifyOrDeploy> {
  return {
    action: { kind: 'deploy', host, key },
    because: 'the key stays, so no record changes',
    clause: 'RFC 7672 §3.1.1',
  };
}

type CertifyOrDeploy = CertificateStep['steps'][number]['action'];
