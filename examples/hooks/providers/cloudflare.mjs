import { textOf, without } from '../apply-change.mjs';
import { apiAddress, callApi, readToken } from '../call-api.mjs';

/**
 * The API of Cloudflare, with a token that has the permission `DNS Write` for the zone.
 * List: https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/list/
 * Batch: https://developers.cloudflare.com/api/resources/dns/subresources/records/methods/batch/
 *
 * Cloudflare stores records, not RRsets. One batch is one transaction; it contains only the
 * records that differ, because its propagation is not atomic.
 */
export function connect({
  zone,
  'token-file': file,
  api = 'https://api.cloudflare.com',
  'least-ttl': leastTtl = '60',
}) {
  const base = `${apiAddress(api)}/client/v4/zones`;
  const headers = { authorization: `Bearer ${readToken(file)}` };
  const call = async (method, url, body) => {
    const { json } = await callApi(method, url, { headers, body });
    if (!json?.success) throw new Error(json?.errors?.[0]?.message ?? 'no JSON from the API');
    return json.result;
  };
  let id;
  const zoneUrl = async () => {
    id ??= (await call('GET', `${base}?name=${zone}`))[0]?.id;
    if (id === undefined) throw new Error(`the token does not reach the zone ${zone}`);
    return `${base}/${id}/dns_records`;
  };
  const list = async (name, type) =>
    call('GET', `${await zoneUrl()}?name.exact=${name}&type=${type}&per_page=100`);
  return {
    async read(name, type) {
      const found = await list(name, type);
      return { records: found.map(recordOf), ttl: found[0]?.ttl };
    },
    async write({ name, type, to, ttl }, { records }) {
      const gone = (await list(name, type)).filter(
        (entry) => without(type, [recordOf(entry)], to).length > 0,
      );
      const seconds = Math.max(ttl, Number(leastTtl));
      await call('POST', `${await zoneUrl()}/batch`, {
        deletes: gone.map((entry) => ({ id: entry.id })),
        posts: without(type, to, records).map((record) => ({
          name,
          type,
          ttl: seconds,
          ...entryOf(type, record),
        })),
      });
    },
  };
}

/** An entry of the API as a record of a zone file. */
function recordOf({ type, content, priority }) {
  if (type === 'TXT') return content.startsWith('"') ? content : JSON.stringify(content);
  return type === 'MX' ? `${priority} ${content}.` : content;
}

/** The members of an entry that hold the data of a record. */
function entryOf(type, record) {
  const words = record.split(' ');
  switch (type) {
    case 'TLSA': {
      const [usage, selector, matching] = words.map(Number);
      return { data: { usage, selector, matching_type: matching, certificate: words[3] } };
    }
    case 'MX':
      return { priority: Number(words[0]), content: words[1].replace(/\.$/, '') };
    case 'CNAME':
      return { content: record.replace(/\.$/, ''), proxied: false };
    default:
      return { content: textOf(record).length > 255 ? record : JSON.stringify(textOf(record)) };
  }
}
