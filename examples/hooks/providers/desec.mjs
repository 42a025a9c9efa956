import { relativeName } from '../apply-change.mjs';
import { apiAddress, callApi, readToken } from '../call-api.mjs';

/**
 * The API of deSEC. A token may be restricted to single RRsets (token policies).
 * Filters of the list, bulk PUT: https://desec.readthedocs.io/en/latest/dns/rrsets.html
 *
 * The smallest TTL of a domain is 3600 unless deSEC lowered it: `--least-ttl`.
 */
export function connect({
  zone,
  'token-file': file,
  api = 'https://desec.io',
  'least-ttl': leastTtl = '3600',
}) {
  const url = `${apiAddress(api)}/api/v1/domains/${zone}/rrsets/`;
  const headers = { authorization: `Token ${readToken(file)}` };
  return {
    async read(name, type) {
      // An absent RRset is an empty list here, and an absent domain is an error.
      const query = `subname=${relativeName(name, zone)}&type=${type}`;
      const { json } = await callApi('GET', `${url}?${query}`, { headers });
      return { records: json[0]?.records ?? [], ttl: json[0]?.ttl };
    },
    async write({ name, type, to, ttl }) {
      // One PUT creates, replaces or, without records, deletes the RRset.
      const rrset = {
        subname: relativeName(name, zone),
        type,
        ttl: Math.max(ttl, Number(leastTtl)),
        records: to,
      };
      await callApi('PUT', url, { headers, body: [rrset] });
    },
  };
}
