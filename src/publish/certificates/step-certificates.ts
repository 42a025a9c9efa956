import { formatTime } from '../../base/index.js';
import type { Alert, Certify, Deploy, Step } from '../actions.js';
import type { RingKey } from '../keys/key-ring.js';
import type { KeySlot, TlsaRolloverState } from '../tlsa/types.js';
import type { RingCertificate } from '../keys/judge-chain.js';
import type { CertificateObservation, CertificateStep, DesiredCertificates } from './types.js';

const [MINUTE, DAY] = [60_000, 86_400_000];

/** Time for a server to present its files after a reload. */
const RELOAD_GRACE = MINUTE;

type CertificateAction = Certify | Deploy;

/**
 * Plans the certificates of the keys in use. Another certificate for the same key changes
 * no TLSA record, so the plan installs it as soon as the ring has it. The rollover alone
 * decides which key the server uses. These steps never change that key. Pure.
 */
export function stepCertificates(
  { host, slots }: Pick<TlsaRolloverState, 'host' | 'slots'>,
  observed: CertificateObservation,
  desired: DesiredCertificates,
): CertificateStep {
  const parts = Object.values(slots).flatMap(({ current, next, deploying }: KeySlot) => {
    const moving = deploying ? next : undefined;
    const used = observed.ring.find(({ sha256 }) => sha256 === (moving ?? current)?.sha256);
    if (!used) return [];
    const { steps, alerts } = stepKey(host, used, observed, desired);
    // The rollover plans the deployment of a key that changes.
    return [{ steps: moving ? [] : steps, alerts }];
  });
  const unfit = observed.ring.flatMap(({ name, flaw }): Alert[] => {
    if (flaw === undefined) return [];
    const detail = `the chain of ${name} ${flaw}`;
    return [{ code: 'publish-certificate-unfit', subject: host, detail }];
  });
  return {
    steps: mergeDeployments(parts.flatMap(({ steps }) => steps)),
    waits: [],
    alerts: [...unfit, ...parts.flatMap(({ alerts }) => alerts)],
  };
}

/** Merges the deployments of several keys, so that the server reloads once. */
function mergeDeployments(steps: CertificateStep['steps']): CertificateStep['steps'] {
  const isDeploy = ({ action }: Step<CertificateAction>): boolean => action.kind === 'deploy';
  const [first, ...further] = steps.filter(isDeploy);
  if (!first || further.length === 0) return steps;
  const also = further.map(({ action }) => action.key);
  return [
    ...steps.filter((step) => !isDeploy(step)),
    { ...first, action: { ...first.action, kind: 'deploy', also } },
  ];
}

/** Plans one key in use: certify the key, deploy its certificate, or report a delay. */
function stepKey(
  hostName: string,
  used: RingKey,
  observed: CertificateObservation,
  desired: DesiredCertificates,
): Omit<CertificateStep, 'waits'> {
  const { certificate, name, type } = used;
  if (!certificate) return { steps: desired.acme ? [certify(hostName, name)] : [], alerts: [] };
  const alerts: Alert[] = [];
  if (endsSoon(certificate, observed.at))
    alerts.push({
      code: 'publish-certificate-ending',
      subject: hostName,
      detail: `the certificate of ${name} ends ${formatTime(certificate.notAfter)}`,
    });
  const reload = observed.reloaded[type];
  const lacking = addressesWithout(used, certificate, observed);
  const isDeployed = observed.installed
    ? observed.installed.includes(name) && reload?.chain === certificate.sha256
    : lacking.length === 0;
  if (!isDeployed) return { steps: [deploy(hostName, name)], alerts };
  if (reload !== undefined && observed.at - reload.at >= RELOAD_GRACE)
    for (const address of lacking)
      alerts.push({
        code: 'publish-certificate-not-shown',
        subject: `${hostName} [${address}]`,
        detail: `${desired.folder ?? ''}/${type} has contained it since ${formatTime(reload.at)}`,
      });
  return { steps: [], alerts };
}

/**
 * Returns the probed addresses that present a different certificate for the key, or a
 * different key.
 */
export function addressesWithout(
  { sha256 }: Pick<RingKey, 'sha256'>,
  { notBefore, notAfter }: RingCertificate,
  { addresses }: CertificateObservation,
): readonly string[] {
  return addresses
    .filter(
      ({ shown }) =>
        shown !== 'unknown' &&
        !shown.some(
          (certificate) =>
            certificate.key === sha256 &&
            certificate.notBefore === notBefore &&
            certificate.notAfter === notAfter,
        ),
    )
    .map(({ address }) => address);
}

/**
 * Returns whether less than a sixth of the lifetime remains, or less than 14 days if that
 * is shorter. Every renewal is due earlier, so in this case a renewal has failed.
 */
function endsSoon({ notBefore, notAfter }: RingCertificate, instant: number): boolean {
  return notAfter - instant < Math.min(14 * DAY, (notAfter - notBefore) / 6);
}

function certify(host: string, key: string): Step<CertificateAction> {
  return {
    action: { kind: 'certify', host, key },
    because: 'the key in use has no matching certificate',
    clause: 'RFC 8461 §4.2',
  };
}

function deploy(host: string, key: string): Step<CertificateAction> {
  return {
    action: { kind: 'deploy', host, key },
    because: 'the key stays, so no record changes',
    clause: 'RFC 7672 §3.1.1',
  };
}
