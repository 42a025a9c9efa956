import { matchMx } from '../../mta-sts/index.js';
import type { Alert } from '../actions.js';
import { countedReports } from './judge-promotion.js';
import { agreedRrset, currentPolicy, hostOf, isStsRecord } from './apply-observation.js';
import type { PolicyObservation, PolicyState, DesiredPolicy } from './types.js';

/**
 * Returns the conditions that need the operator. All reports with failures together cause
 * one alert.
 */
export function policyAlerts(
  policyState: PolicyState,
  observed: PolicyObservation,
  desired: DesiredPolicy,
): readonly Alert[] {
  const { domain } = policyState;
  const current = currentPolicy(policyState);
  const alerts: Alert[] = [];
  const failing = observed.hosts.flatMap(({ host, addresses }) =>
    addresses
      .filter(({ verdict }) => verdict === 'fail')
      .map(({ address, why }) => ({ host, address, why })),
  );
  if (current && current.mode !== 'none')
    for (const { host, address, why } of failing)
      alerts.push({ code: 'publish-mx-failing', subject: `${host} [${address}]`, detail: why });
  const reports = observed.reports.filter(({ failures }) => failures > 0);
  if (reports.length > 0 && failing.length === 0) {
    const signed = countedReports({ ...observed, reports }, desired).length;
    const detail = `${reports.length} reports show failures, ${signed} of them signed by a configured reporter; our own probe finds no failure`;
    alerts.push({ code: 'publish-reports-failing', subject: domain, detail });
  }
  const allowed = [...desired.mx.map((hostName) => hostName.toLowerCase()), ...(current?.mx ?? [])];
  for (const hostName of agreedRrset(observed.mx)?.records.map(hostOf) ?? [])
    if (!allowed.some((pattern) => matchMx(pattern, hostName)))
      alerts.push({ code: 'publish-mx-unlisted', subject: domain, detail: hostName });
  const records = agreedRrset(observed.txt)?.records.filter(isStsRecord) ?? [];
  if (records.length > 1)
    alerts.push({
      code: 'publish-record-multiple',
      subject: `_mta-sts.${domain}`,
      detail: `${records.length} records`,
    });
  return alerts;
}
