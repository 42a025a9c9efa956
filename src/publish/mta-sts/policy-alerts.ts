import { matchMx } from '../../mta-sts/index.js';
import type { Alert } from '../actions.js';
import { countedReports } from './judge-promotion.js';
import { agreed, currentPolicy, hostOf, isStsRecord } from './apply-observation.js';
import type { PolicyReading, PolicyState, DesiredPolicy } from './types.js';

/** What a person should look at. However many reports say the same, it is one alert. */
export function policyAlerts(
  state: PolicyState,
  seen: PolicyReading,
  wish: DesiredPolicy,
): readonly Alert[] {
  const { domain } = state;
  const current = currentPolicy(state);
  const alerts: Alert[] = [];
  const failing = seen.hosts.flatMap(({ host, addresses }) =>
    addresses.filter((a) => a.verdict === 'fail').map((a) => ({ host, ...a })),
  );
  if (current && current.mode !== 'none')
    for (const { host, address, why } of failing)
      alerts.push({ code: 'publish-mx-failing', subject: `${host} [${address}]`, detail: why });
  const told = seen.reports.filter(({ failures }) => failures > 0);
  if (told.length > 0 && failing.length === 0) {
    const signed = countedReports({ ...seen, reports: told }, wish).length;
    const detail = `${told.length} reports tell of failures, ${signed} of them signed by a configured reporter; our own probe finds none`;
    alerts.push({ code: 'publish-reports-failing', subject: domain, detail });
  }
  const allowed = [...wish.mx.map((host) => host.toLowerCase()), ...(current?.mx ?? [])];
  for (const host of agreed(seen.mx)?.records.map(hostOf) ?? [])
    if (!allowed.some((pattern) => matchMx(pattern, host)))
      alerts.push({ code: 'publish-mx-unlisted', subject: domain, detail: host });
  const records = agreed(seen.txt)?.records.filter(isStsRecord) ?? [];
  if (records.length > 1)
    alerts.push({
      code: 'publish-record-multiple',
      subject: `_mta-sts.${domain}`,
      detail: `${records.length} records`,
    });
  return alerts;
}
