import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request, and the answer of an API to it. */
interface ApiRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}
type Api = (request: ApiRequest) => ApiAnswer;

/** One RRset as a test reads it. */
export interface StoredRrset {
  ttl: number;
  records: string[];
}

/** The zone behind an API: RRsets by `NAME TYPE`. */
export type StoredZone = Map<string, StoredRrset>;

/** An API of a provider on loopback, with the zone `one.example` that it changes. */
export interface ProviderApi {
  readonly address: string;
  readonly zone: StoredZone;
  /** `METHOD PATH` of each request, in order. */
  readonly requests: readonly string[];
  /**
   * Runs after each answer; it simulates another program that changes the zone at that
   * moment.
   */
  afterAnswer: () => void;
  close(): void;
}

/** The content of the token file that an API accepts. */
export const tokens: Readonly<Record<string, string>> = {
  desec: 'desec-token',
  cloudflare: 'cloudflare-token',
  hetzner: 'hetzner-token',
  route53: '[default]\naws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = aws/Secret+Key\n',
};

const ZONE = 'one.example';

/** Starts the API of a provider as its documentation describes it. */
export async function serveProviderApi(provider: string): Promise<ProviderApi> {
  const zone: StoredZone = new Map();
  const requests: string[] = [];
  const answer = apis[provider]?.(zone);
  if (!answer) throw new Error(provider);
  const served: ProviderApi = {
    address: '',
    zone,
    requests,
    afterAnswer: () => undefined,
    close: () => void server.close().closeAllConnections(),
  };
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => {
      const { pathname: path, searchParams: query } = new URL(incoming.url ?? '', 'http://a');
      const { method = '', headers } = incoming;
      requests.push(`${method} ${path}`);
      const body = Buffer.concat(parts).toString();
      const { status, body: sent } = answer({ method, path, query, headers, body });
      served.afterAnswer();
      response.writeHead(status).end(typeof sent === 'string' ? sent : JSON.stringify(sent));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(served, { address: `http://127.0.0.1:${port}` });
}

const apis: Readonly<Record<string, (zone: StoredZone) => Api>> = {
  desec: desecApi,
  cloudflare: cloudflareApi,
  hetzner: hetznerApi,
  route53: route53Api,
};

interface RrsetBody {
  readonly subname: string;
  readonly type: string;
  readonly ttl: number;
  readonly records: readonly string[];
}

/** Simulates deSEC: https://desec.readthedocs.io/en/latest/dns/rrsets.html */
function desecApi(zone: StoredZone): Api {
  const keyOf = (subname: string, type: string): string => `${subname}.${ZONE} ${type}`;
  return ({ method, path, query, headers, body }) => {
    if (headers.authorization !== `Token ${tokens['desec']}`)
      return { status: 401, body: { detail: 'Invalid token.' } };
    if (path !== `/api/v1/domains/${ZONE}/rrsets/`)
      return { status: 404, body: { detail: 'Not found.' } };
    if (method === 'GET') {
      const [subname = '', type = ''] = [query.get('subname') ?? '', query.get('type') ?? ''];
      const found = zone.get(keyOf(subname, type));
      const rrset = { domain: ZONE, subname, name: `${subname}.${ZONE}.`, type, ...found };
      return { status: 200, body: found ? [rrset] : [] };
    }
    if (method !== 'PUT' || headers['content-type'] !== 'application/json')
      return { status: 405, body: { detail: `Method "${method}" not allowed.` } };
    const rrsets = JSON.parse(body) as readonly RrsetBody[];
    if (rrsets.some(({ ttl }) => ttl < 3600))
      return {
        status: 400,
        body: [{ ttl: ['Ensure this value is greater than or equal to 3600.'] }],
      };
    for (const { subname, type, ttl, records } of rrsets)
      store(zone, keyOf(subname, type), { ttl, records: records.map(canonical) });
    return { status: 200, body: rrsets };
  };
}

/** Returns a record in canonical form: the digits of TLSA in lower case. */
function canonical(record: string): string {
  return /^\d \d \d [0-9A-Fa-f]+$/.test(record) ? record.toLowerCase() : record;
}

function store(zone: StoredZone, key: string, rrset: StoredRrset): void {
  if (rrset.records.length === 0) zone.delete(key);
  else zone.set(key, rrset);
}

interface CloudflarePost {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly content?: string;
  readonly data?: Readonly<Record<string, number | string>>;
}

/**
 * Simulates Cloudflare:
 * https://developers.cloudflare.com/api/resources/dns/subresources/records/
 */
function cloudflareApi(zone: StoredZone): Api {
  const id = '023e105f4ecef8ad9ca31a8372d0c353';
  const ok = (result: unknown): ApiAnswer => ({
    status: 200,
    body: { success: true, errors: [], messages: [], result },
  });
  const refused = (status: number, code: number, message: string): ApiAnswer => ({
    status,
    body: { success: false, errors: [{ code, message }], messages: [], result: null },
  });
  const idOf = (key: string, record: string): string =>
    createHash('md5').update(`${key} ${record}`).digest('hex');
  return ({ method, path, query, headers, body }) => {
    if (headers.authorization !== `Bearer ${tokens['cloudflare']}`)
      return refused(400, 6003, 'Invalid request headers');
    if (path === '/client/v4/zones')
      return ok(query.get('name') === ZONE ? [{ id, name: ZONE }] : []);
    if (method === 'GET' && path === `/client/v4/zones/${id}/dns_records`) {
      const [name = '', type = ''] = [query.get('name.exact') ?? '', query.get('type') ?? ''];
      const { records = [], ttl } = zone.get(`${name} ${type}`) ?? {};
      const found = records.map((content) => {
        const key = idOf(`${name} ${type}`, content);
        return { id: key, name, type, content, ttl, proxied: false };
      });
      return ok(found);
    }
    if (path !== `/client/v4/zones/${id}/dns_records/batch`)
      return refused(404, 7003, 'Could not route to the path');
    const { deletes = [], posts = [] } = JSON.parse(body) as {
      readonly deletes?: readonly { readonly id: string }[];
      readonly posts?: readonly CloudflarePost[];
    };
    if (posts.some(({ ttl }) => ttl !== 1 && ttl < 60))
      return refused(400, 9021, 'TTL must be between 60 and 86400 seconds, or 1 for Automatic.');
    for (const [key, { ttl, records }] of [...zone]) {
      const kept = records.filter(
        (record) => !deletes.some((gone) => gone.id === idOf(key, record)),
      );
      store(zone, key, { ttl, records: kept });
    }
    for (const { name, type, ttl, content, data } of posts) {
      if ((type === 'TLSA') !== (data !== undefined)) return refused(400, 9101, 'data is missing');
      const words = ['usage', 'selector', 'matching_type', 'certificate'];
      const record = data ? words.map((word) => String(data[word])).join(' ') : (content ?? '');
      const key = `${name} ${type}`;
      store(zone, key, { ttl, records: [...(zone.get(key)?.records ?? []), record] });
    }
    return ok({ deletes, posts, patches: [], puts: [] });
  };
}

interface HetznerBody {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly records: readonly { readonly value: string }[];
}

/** Simulates Hetzner: https://docs.hetzner.cloud/reference/cloud#zone-rrsets */
function hetznerApi(zone: StoredZone): Api {
  let action = 100;
  const pending = new Map<string, () => void>();
  const refused = (status: number, code: string): ApiAnswer => ({
    status,
    body: { error: { code, message: code, details: {} } },
  });
  /** Accepts a change, which takes effect when the client queries its action. */
  const start = (work: () => void): ApiAnswer => {
    action++;
    pending.set(String(action), work);
    return { status: 201, body: { action: { id: action, status: 'running', error: null } } };
  };
  return ({ method, path, query, headers, body }) => {
    if (headers.authorization !== `Bearer ${tokens['hetzner']}`)
      return refused(401, 'unauthorized');
    const [, asked] = /^\/v1\/actions\/(\d+)$/.exec(path) ?? [];
    if (asked !== undefined) {
      pending.get(asked)?.();
      return { status: 200, body: { action: { id: Number(asked), status: 'success' } } };
    }
    const [, name, type, verb] =
      /^\/v1\/zones\/one\.example\/rrsets(?:\/([^/]+)\/([A-Z]+)(?:\/actions\/(\w+))?)?$/.exec(
        path,
      ) ?? [];
    if (!path.startsWith(`/v1/zones/${ZONE}/rrsets`)) return refused(404, 'not_found');
    if (method === 'GET') {
      const [wanted = '', kind = ''] = [query.get('name') ?? '', query.get('type') ?? ''];
      const found = zone.get(`${wanted}.${ZONE} ${kind}`);
      const records = found?.records.map((value) => ({ value, comment: '' })) ?? [];
      const rrset = { id: `${wanted}/${kind}`, name: wanted, type: kind, ttl: found?.ttl, records };
      return { status: 200, body: { rrsets: found ? [rrset] : [] } };
    }
    const sent = (body === '' ? {} : JSON.parse(body)) as HetznerBody;
    const values = sent.records?.map(({ value }) => value) ?? [];
    const key = `${name}.${ZONE} ${type}`;
    const present = zone.get(key);
    if (name === undefined) {
      const created = `${sent.name}.${ZONE} ${sent.type}`;
      if (zone.has(created)) return refused(409, 'uniqueness_error');
      return start(() => store(zone, created, { ttl: sent.ttl, records: values }));
    }
    if (!present) return refused(404, 'not_found');
    if (method === 'DELETE') return start(() => zone.delete(key));
    if (verb === 'set_records') return start(() => void (present.records = values));
    if (verb === 'change_ttl') return start(() => void (present.ttl = sent.ttl));
    return refused(404, 'not_found');
  };
}

/**
 * Simulates Route 53:
 * https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html
 */
function route53Api(zone: StoredZone): Api {
  const xml = (status: number, text: string): ApiAnswer => ({
    status,
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${text}`,
  });
  const refused = (status: number, code: string, message: string): ApiAnswer =>
    xml(
      status,
      `<ErrorResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
    );
  return (request) => {
    if (!isSignedForRoute53(request)) return refused(403, 'SignatureDoesNotMatch', 'signature');
    const { method, path, query, body } = request;
    if (path !== '/2013-04-01/hostedzone/Z0123456789ABC/rrset')
      return refused(404, 'NoSuchHostedZone', 'No hosted zone found with this id');
    if (method === 'GET') {
      const [name = '', type = ''] = [query.get('name') ?? '', query.get('type') ?? ''];
      const wanted = `${name.replace(/\.$/, '')} ${type}`;
      // The first RRset at or after the name and type, in canonical order.
      const [key] = [...zone.keys()].sort().filter((one) => one >= wanted);
      return xml(200, route53List(key, key === undefined ? undefined : zone.get(key)));
    }
    const next: StoredZone = new Map(zone);
    for (const [, action = '', set = ''] of body.matchAll(
      /<Change><Action>(\w+)<\/Action><ResourceRecordSet>(.*?)<\/ResourceRecordSet><\/Change>/gs,
    )) {
      const { key, ttl, records } = readRoute53Set(set);
      const present = next.get(key);
      if (action === 'DELETE') {
        const same =
          present?.ttl === ttl && present.records.slice().sort().join() === records.sort().join();
        if (!same)
          return refused(
            400,
            'InvalidChangeBatch',
            `Tried to delete resource record set ${key} but the values provided do not match the current values`,
          );
        next.delete(key);
      } else {
        if (present)
          return refused(
            400,
            'InvalidChangeBatch',
            `Tried to create resource record set ${key} but it already exists`,
          );
        next.set(key, { ttl, records });
      }
    }
    zone.clear();
    for (const [key, rrset] of next) zone.set(key, rrset);
    return xml(
      200,
      '<ChangeResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ChangeInfo><Id>/change/C1</Id><Status>PENDING</Status></ChangeInfo></ChangeResourceRecordSetsResponse>',
    );
  };
}

function route53List(key = '', rrset?: StoredRrset): string {
  const [name, type] = key.split(' ');
  const values = rrset?.records.map(
    (record) =>
      `<ResourceRecord><Value>${record.replaceAll('"', '&quot;')}</Value></ResourceRecord>`,
  );
  const set = rrset
    ? `<ResourceRecordSet><Name>${name}.</Name><Type>${type}</Type><TTL>${rrset.ttl}</TTL><ResourceRecords>${values?.join('')}</ResourceRecords></ResourceRecordSet>`
    : '';
  return `<ListResourceRecordSetsResponse xmlns="https://route53.amazonaws.com/doc/2013-04-01/"><ResourceRecordSets>${set}</ResourceRecordSets><IsTruncated>false</IsTruncated><MaxItems>1</MaxItems></ListResourceRecordSetsResponse>`;
}

function readRoute53Set(set: string): { key: string; ttl: number; records: string[] } {
  const member = (name: string): string =>
    new RegExp(`<${name}>(.*?)</${name}>`).exec(set)?.[1] ?? '';
  const records = [...set.matchAll(/<Value>(.*?)<\/Value>/gs)].map(([, value = '']) =>
    value.replaceAll('&quot;', '"'),
  );
  const key = `${member('Name').replace(/\.$/, '')} ${member('Type')}`;
  return { key, ttl: Number(member('TTL')), records };
}

/** Computes the signature again from the received request. */
function isSignedForRoute53({ method, path, query, headers, body }: ApiRequest): boolean {
  const [, scope = '', names = '', signature = ''] =
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    ) ?? [];
  const [day = '', region, service] = scope.split('/');
  const time = String(headers['x-amz-date']);
  if (region !== 'us-east-1' || service !== 'route53' || !time.startsWith(day)) return false;
  if (!names.split(';').includes('host')) return false;
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const pairs = [...query].map((pair) => pair.map(encodeURIComponent).join('=')).sort();
  const canonical = [
    `${method}\n${path}\n${pairs.join('&')}`,
    ...names.split(';').map((name) => `${name}:${String(headers[name])}`),
    `\n${names}\n${hash(body)}`,
  ].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (parent, part) => createHmac('sha256', parent).update(part).digest(),
      'AWS4aws/Secret+Key',
    );
  const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash(canonical)}`;
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}
