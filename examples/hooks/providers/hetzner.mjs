import { setTimeout } from 'node:timers/promises';
import { relativeName } from '../apply-change.mjs';
import { apiAddress, callApi, readToken } from '../call-api.mjs';

/**
 * The DNS of Hetzner's Cloud API. The former API at dns.hetzner.com is not supported.
 * Zone RRsets: https://docs.hetzner.cloud/reference/cloud#zone-rrsets
 * Their actions: https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions
 */
export function connect({
  zone,
  'token-file': file,
  api = 'https://api.hetzner.cloud',
  'least-ttl': leastTtl = '60',
}) {
  const base = `${apiAddress(api)}/v1`;
  const headers = { authorization: `Bearer ${readToken(file)}` };
  const rrsets = `${base}/zones/${zone}/rrsets`;
  const nameOf = (name) => relativeName(name, zone) || '@';
  const change = async (method, url, body) => {
    const { json } = await callApi(method, url, { headers, body });
    await finished(json.action);
  };
  /**
   * Changes are asynchronous: until a change completes, reads return the former records.
   */
  const finished = async (action) => {
    for (let tries = 0; action.status === 'running'; tries++) {
      if (tries === MAX_POLLS) throw new Error('the change did not end within a minute');
      if (tries > 0) await setTimeout(POLL_MS);
      action = (await callApi('GET', `${base}/actions/${action.id}`, { headers })).json.action;
    }
    if (action.status !== 'success') throw new Error(action.error?.message ?? 'the change failed');
  };
  return {
    async read(name, type) {
      // An absent RRset is an empty list here, and an absent zone is an error.
      const query = `name=${nameOf(name)}&type=${type}`;
      const { json } = await callApi('GET', `${rrsets}?${query}`, { headers });
      const [found] = json.rrsets;
      return { records: found?.records.map(({ value }) => value) ?? [], ttl: found?.ttl };
    },
    async write({ name, type, to, ttl }, present) {
      const url = `${rrsets}/${nameOf(name)}/${type}`;
      const records = to.map((value) => ({ value }));
      const seconds = Math.max(ttl, Number(leastTtl));
      if (to.length === 0) return change('DELETE', url);
      if (present.records.length === 0)
        return change('POST', rrsets, {
          name: nameOf(name),
          type,
          ttl: seconds,
          records,
        });
      if (present.ttl !== seconds)
        await change('POST', `${url}/actions/change_ttl`, { ttl: seconds });
      return change('POST', `${url}/actions/set_records`, { records });
    },
  };
}

const POLL_MS = 500;
const MAX_POLLS = 120;
