import { apiAddress, callApi, readToken } from '../call-api.mjs';

/**
 * The HTTP API of the PowerDNS authoritative server, with `api=yes` and `api-key`.
 * Zones, RRsets, `changetype`: https://doc.powerdns.com/authoritative/http-api/zone.html
 */
export function connect({
  zone,
  'token-file': file,
  api = 'http://127.0.0.1:8081',
  server = 'localhost',
}) {
  const url = `${apiAddress(api)}/api/v1/servers/${encodeURIComponent(server)}/zones/${zone}.`;
  const headers = { 'x-api-key': readToken(file) };
  return {
    async read(name, type) {
      // Versions before 4.8 ignore the query and send the whole zone.
      const query = `rrset_name=${name}.&rrset_type=${type}`;
      const { json } = await callApi('GET', `${url}?${query}`, { headers });
      const found = json.rrsets.find(
        (rrset) => rrset.name.toLowerCase() === `${name}.` && rrset.type === type,
      );
      const records = found?.records.filter(({ disabled }) => !disabled) ?? [];
      return { records: records.map(({ content }) => content), ttl: found?.ttl };
    },
    async write({ name, type, to, ttl }) {
      const records = to.map((content) => ({ content, disabled: false }));
      const rrset =
        to.length === 0
          ? { name: `${name}.`, type, changetype: 'DELETE' }
          : { name: `${name}.`, type, ttl, changetype: 'REPLACE', records };
      await callApi('PATCH', url, { headers, body: { rrsets: [rrset] } });
    },
  };
}
