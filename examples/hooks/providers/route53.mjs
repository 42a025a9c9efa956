import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { apiAddress, callApi } from '../call-api.mjs';

/**
 * Amazon Route 53. `--token-file` has the form of ~/.aws/credentials; the key needs
 * ListResourceRecordSets and ChangeResourceRecordSets for the hosted zone.
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
 *
 * One change batch deletes the former set and creates the new one. Route 53 applies the
 * batch as a whole or not at all, and refuses to delete a set with other values: an
 * atomic compare and set.
 */
export function connect({
  'zone-id': zoneId,
  'token-file': file,
  api = 'https://route53.amazonaws.com',
}) {
  if (!/^[A-Z0-9]{1,32}$/.test(zoneId ?? '')) throw new Error('add --zone-id: as Z0123456789ABC');
  const credentials = readCredentials(file);
  const url = `${apiAddress(api)}/2013-04-01/hostedzone/${zoneId}/rrset`;
  const call = (method, target, body) =>
    callApi(method, target, { headers: signedHeaders(method, target, body, credentials), body });
  return {
    async read(name, type) {
      const { text } = await call('GET', `${url}?maxitems=1&name=${name}.&type=${type}`);
      const [, set = ''] = /<ResourceRecordSet>(.*?)<\/ResourceRecordSet>/s.exec(text) ?? [];
      // If the set does not exist, the list begins with the next name.
      if (member(set, 'Name') !== `${name}.` || member(set, 'Type') !== type)
        return { records: [] };
      if (/<(AliasTarget|SetIdentifier)>/.test(set))
        throw new Error(`${name} ${type} is an alias or has a routing policy`);
      const values = [...set.matchAll(/<Value>(.*?)<\/Value>/gs)];
      return { records: values.map(([, value]) => decode(value)), ttl: Number(member(set, 'TTL')) };
    },
    async write({ name, type, to, ttl }, present) {
      const changes = [
        changeOf('DELETE', name, type, present.records, present.ttl),
        changeOf('CREATE', name, type, to, ttl),
      ];
      await call(
        'POST',
        url,
        `<?xml version="1.0" encoding="UTF-8"?>
<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeBatch><Changes>${changes.join('')}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`,
      );
    },
  };
}

function changeOf(action, name, type, records, ttl) {
  if (records.length === 0) return '';
  const values = records.map(
    (record) => `<ResourceRecord><Value>${encode(record)}</Value></ResourceRecord>`,
  );
  return `<Change><Action>${action}</Action><ResourceRecordSet><Name>${name}.</Name><Type>${type}</Type><TTL>${ttl}</TTL><ResourceRecords>${values.join('')}</ResourceRecords></ResourceRecordSet></Change>`;
}

function member(xml, name) {
  return decode(new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? '');
}

const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text) {
  return text.replaceAll(/&(?:#(\d+)|(\w+));/g, (all, code, name) =>
    code ? String.fromCharCode(Number(code)) : (entities[name] ?? all),
  );
}

function encode(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function readCredentials(file) {
  if (!file) throw new Error('add --token-file: a file in the form of ~/.aws/credentials');
  const text = readFileSync(file, 'utf8');
  const value = (name) => new RegExp(`^\\s*${name}\\s*=\\s*(\\S+)\\s*$`, 'm').exec(text)?.[1];
  const [id, secret] = [value('aws_access_key_id'), value('aws_secret_access_key')];
  if (!id || !secret)
    throw new Error(`${file}: has no aws_access_key_id and aws_secret_access_key`);
  return { id, secret, session: value('aws_session_token') };
}

function signedHeaders(method, url, body, credentials) {
  const headers = {
    ...(credentials.session ? { 'x-amz-security-token': credentials.session } : {}),
    ...(body === undefined ? {} : { 'content-type': 'text/xml' }),
  };
  const now = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
  // Route 53 is one service for all regions; its requests are signed for us-east-1.
  const scope = { region: 'us-east-1', service: 'route53' };
  return sign({ method, url, body, headers, now, ...scope }, credentials);
}

/**
 * The headers of a request with its signature, version 4:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function sign(request, { id, secret }) {
  const { method, url, body = '', now, region, service } = request;
  const { host, pathname, searchParams } = new URL(url);
  const headers = { ...request.headers, host, 'x-amz-date': now };
  const names = Object.keys(headers).sort();
  const query = [...searchParams].map((pair) => pair.map(percent).join('=')).sort();
  const canonical = [
    method,
    pathname,
    query.join('&'),
    ...names.map((name) => `${name}:${headers[name].trim()}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const scope = [now.slice(0, 8), region, service, 'aws4_request'];
  const toSign = ['AWS4-HMAC-SHA256', now, scope.join('/'), sha256(canonical)].join('\n');
  const key = scope.reduce((parent, part) => hmac(parent, part), `AWS4${secret}`);
  const signature = hmac(key, toSign).toString('hex');
  const { host: _host, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${id}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function percent(text) {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text).digest();
}
