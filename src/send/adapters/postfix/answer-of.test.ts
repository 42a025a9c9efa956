import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import {
  decideDomain,
  type DecideOptions,
  type DomainFacts,
  type HostFacts,
} from '../../../tls-policy/index.js';
import { answerOf, type PostfixAnswer } from './answer-of.js';
import { daneColumns, stsRows, tableAnswer, type DaneColumn, type StsRow } from './answer-table.js';
import { formatAnswer } from './format-answer.js';
import { nextHopOf } from './next-hop-key.js';
import { postfixVersions, releaseOf, type PostfixVersion } from './postfix-version.js';

const at = Date.parse('2026-11-25T00:00:00Z');
const body = 'version: STSv1\r\nmode: enforce\r\nmx: *.example.com\r\nmax_age: 604800\r\n';

function host(name: string, tlsa: HostFacts['tlsa']['status']): HostFacts {
  return {
    name,
    preference: 10,
    addresses: ['192.0.2.1'],
    dnssec: 'secure',
    tlsa: {
      status: tlsa,
      base: name,
      dnssec: 'secure',
      records: tlsa === 'usable' ? [`3 1 1 ${'ab'.repeat(32)}`] : [],
    },
    until: at + 600_000,
  };
}

interface World {
  readonly mode?: 'enforce' | 'testing' | 'none';
  readonly mx?: readonly string[];
  readonly body?: string;
  readonly record?: 'found' | 'absent' | 'tempfail';
  readonly hosts?: readonly HostFacts[];
  readonly dnssec?: 'secure' | 'insecure';
  readonly options?: DecideOptions;
  readonly kind?: DomainFacts['route']['kind'];
}

function decided(world: World): ReturnType<typeof decideDomain> {
  const {
    mode,
    mx = ['*.example.com'],
    hosts = [host('mx1.example.com', 'usable'), host('mx2.example.com', 'usable')],
  } = world;
  const policy = mode && {
    id: '1',
    mode,
    mx,
    maxAge: 604_800,
    body: world.body ?? body,
    fetchedAt: at,
  };
  return decideDomain(
    {
      domain: 'example.com',
      at,
      route: { kind: world.kind ?? 'mx', dnssec: world.dnssec ?? 'secure' },
      canonicalDomain: 'example.com',
      hosts,
      mtaSts: {
        how: policy ? 'cached' : 'none',
        record: { status: world.record ?? (policy ? 'found' : 'absent') },
        until: at + 300_000,
        ...(policy ? { policy } : {}),
      },
      until: at + 600_000,
      resolverAtFault: false,
    },
    world.options,
  );
}

function answer(world: World, version: PostfixVersion = '3.7', validates = true): PostfixAnswer {
  return answerOf(decided(world), { version, validates });
}

const hostsOf: Readonly<Record<DaneColumn, readonly HostFacts[]>> = {
  all: [host('mx1.example.com', 'usable'), host('mx2.example.com', 'usable')],
  some: [host('mx1.example.com', 'usable'), host('mx2.example.com', 'absent')],
  none: [host('mx1.example.com', 'absent'), host('mx2.example.com', 'absent')],
};

function cell(column: DaneColumn, row: StsRow, validates: boolean): PostfixAnswer {
  const sts =
    row === 'tempfail' ? ({ record: 'tempfail' } as const) : row === 'none' ? {} : { mode: row };
  return answer({ hosts: hostsOf[column], ...sts }, '3.7', validates);
}

test('every cell of the answer table, with and without a validating resolver', () => {
  for (const validates of [true, false])
    for (const column of daneColumns)
      for (const row of stsRows) {
        const { reply, cell: found } = cell(column, row, validates);
        assert.deepEqual([found?.column, found?.row], [column, row]);
        const wanted = tableAnswer(column, row, validates);
        assert.match(
          reply,
          new RegExp(
            wanted === 'NOTFOUND'
              ? '^NOTFOUND $'
              : wanted === 'TEMP'
                ? '^TEMP '
                : `^OK ${wanted}( |$)`,
          ),
        );
      }
});

test('without a validating resolver the answer is never dane', () => {
  for (const column of daneColumns)
    for (const row of stsRows) assert.doesNotMatch(cell(column, row, false).reply, /dane/);
});

test('mode none equals no policy', () => {
  assert.equal(answer({ mode: 'none', hosts: hostsOf.none }).reply, 'NOTFOUND ');
});

test('permitted hosts are listed by name: a wildcard would match at any depth', () => {
  assert.equal(
    answer({ mode: 'enforce', hosts: hostsOf.some }).reply,
    'OK secure match=mx1.example.com:mx2.example.com servername=hostname protocols=>=TLSv1.2',
  );
  const { reply } = answer({
    mode: 'enforce',
    hosts: [host('mx.example.com', 'absent'), host('a.b.example.com', 'absent')],
  });
  assert.match(reply, /match=mx\.example\.com servername/);
});

test('a policy host missing in DNS is in the answer', () => {
  const mx = ['mx1.example.com', 'next.example.com', '*.example.net'];
  assert.match(
    answer({ mode: 'enforce', mx, hosts: [host('mx1.example.com', 'absent')] }).reply,
    /match=mx1\.example\.com:next\.example\.com servername/,
  );
});

test('a host outside the policy: secure lists the others, although DANE permits it', () => {
  const hosts = [host('mx1.example.com', 'usable'), host('mx.elsewhere.example', 'usable')];
  assert.match(answer({ mode: 'enforce', hosts }).reply, /^OK secure match=mx1\.example\.com /);
});

test('an unsigned MX: DANE for the hosts, but never dane-only', () => {
  assert.equal(answer({ dnssec: 'insecure' }).reply, 'OK dane');
  assert.match(answer({ dnssec: 'insecure', mode: 'enforce' }).reply, /^OK secure /);
});

test('one host with a bogus TLSA answer: Postfix looks up the records itself', () => {
  assert.equal(
    answer({ hosts: [host('mx1.example.com', 'absent'), host('mx2.example.com', 'bogus')] }).reply,
    'OK dane',
  );
});

test('no host may be used now: TEMP with the reason', () => {
  assert.match(answer({ hosts: [host('mx1.example.com', 'bogus')] }).reply, /^TEMP example\.com: /);
  assert.match(
    answer({ mode: 'enforce', mx: ['other.example.net'] }).reply,
    /^TEMP example\.com: .*does not list/,
  );
});

test('a domain without mail gets no answer', () => {
  assert.equal(answer({ kind: 'null-mx', hosts: [] }).reply, 'NOTFOUND ');
});

test('an exemption is may, observing gives no answer, and both end with their time', () => {
  const exemption = {
    domain: 'example.com',
    until: '2026-11-25T00:01:00Z',
    reason: 'their certificate',
  };
  assert.deepEqual(answer({ mode: 'enforce', options: { exemptions: [exemption] } }), {
    reply: 'OK may',
    keep: 60,
  });
  assert.equal(answer({ mode: 'enforce', options: { observe: true } }).reply, 'NOTFOUND ');
});

test('attributes match the version: an unknown attribute would stop all mail', () => {
  for (const version of postfixVersions) {
    const { reply } = answer({ mode: 'enforce', hosts: hostsOf.none }, version);
    const release = postfixVersions.indexOf(version);
    assert.equal(
      reply.includes('protocols=>=TLSv1.2'),
      release >= postfixVersions.indexOf('3.6'),
      version,
    );
    assert.equal(
      reply.includes('policy_type=sts'),
      release >= postfixVersions.indexOf('3.10'),
      version,
    );
  }
  assert.deepEqual(['3.7.11', '3.10.13', '3.11-20260101', '3.3.1', '4.0', 'x'].map(releaseOf), [
    '3.7',
    '3.10',
    '3.11',
    undefined,
    undefined,
    undefined,
  ]);
});

test('Postfix 3.10 gets the policy for its reports, and the patterns', () => {
  assert.equal(
    answer({ mode: 'enforce', hosts: hostsOf.none }, '3.10').reply,
    'OK secure match=mx1.example.com:mx2.example.com servername=hostname protocols=>=TLSv1.2 policy_type=sts policy_domain=example.com ' +
      'mx_host_pattern=*.example.com { policy_string = version: STSv1 } { policy_string = mode: enforce } { policy_string = mx: *.example.com } ' +
      '{ policy_string = max_age: 604800 }',
  );
});

test('a policy too long for a reply is enforced without its text', () => {
  const mx = [
    '*.example.com',
    ...Array.from(
      { length: 900 },
      (_, i) => `mx${i}.${'a'.repeat(60)}.${'b'.repeat(60)}.example.com`,
    ),
  ];
  const { reply } = answer({ mode: 'enforce', hosts: hostsOf.none, mx }, '3.11');
  assert.ok(
    reply.startsWith('OK secure match=mx1.example.com:mx2.example.com:') &&
      !reply.includes('policy_type'),
  );
});

/**
 * Reads an answer as Postfix does (mystrtokq, extpar, split_nameval), written from its
 * manual and not from the formatter.
 */
function asPostfixReads(data: string): { level: string; attributes: [string, string][] } {
  const tokens: string[] = [];
  for (let at = 0; at < data.length;) {
    if (/[ \t\r\n,]/.test(data[at] ?? '')) {
      at++;
      continue;
    }
    let depth = 0;
    let end = at;
    for (; end < data.length && (depth > 0 || !/[ \t\r\n,]/.test(data[end] ?? '')); end++) {
      if (data[end] === '{') depth++;
      if (data[end] === '}') depth--;
    }
    tokens.push(data.slice(at, end));
    at = end;
  }
  const [level = '', ...rest] = tokens;
  return {
    level,
    attributes: rest.map((token) => {
      const bare = token.startsWith('{') ? token.slice(1, -1).trim() : token;
      const equals = bare.indexOf('=');
      return [bare.slice(0, equals).trim(), bare.slice(equals + 1).trim()];
    }),
  };
}

test('property: no value can end its attribute and begin another', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(
        'a',
        ' ',
        '{',
        '}',
        ',',
        '=',
        ':',
        '\n',
        '\r',
        '\t',
        '\0',
        '"',
        '\\',
        'ä',
      ),
      maxLength: 20,
    }),
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const attributes = values.map((v, i): [string, string] => [`a${i}`, v]);
      const text = formatAnswer({ level: 'secure', attributes });
      if (text === undefined) return;
      assert.deepEqual(asPostfixReads(text.slice('OK '.length)), { level: 'secure', attributes });
    }),
    { numRuns: 2000 },
  );
});

test('property: any policy and MX records give one secure entry with safe attributes', () => {
  const label = fc.oneof(
    fc.constantFrom('mx', 'ciphers=low', 'a b', '}', '{', 'x,y', 'hostname', '\\032'),
    fc.string({ maxLength: 8 }),
  );
  const line = fc.oneof(
    fc.constantFrom('ciphers: low', 'mx: a ciphers=low', '} ciphers=low {', 'x: {', ''),
    fc.string({ unit: 'binary', maxLength: 30 }),
  );
  const allowed = [
    'match',
    'servername',
    'protocols',
    'policy_type',
    'policy_domain',
    'mx_host_pattern',
    'policy_string',
  ];
  fc.assert(
    fc.property(
      fc.array(label, { maxLength: 4 }),
      fc.array(line, { maxLength: 5 }),
      (labels, lines) => {
        const hosts = ['mx1', ...labels].map((name) => host(`${name}.example.com`, 'absent'));
        const { reply } = answer(
          { mode: 'enforce', hosts, body: `${body}${lines.join('\r\n')}` },
          '3.11',
        );
        const { level, attributes } = asPostfixReads(reply.replace(/^OK /, ''));
        assert.equal(level, 'secure');
        for (const [name, value] of attributes) {
          assert.ok(allowed.includes(name), `${name} in ${reply}`);
          if (name === 'match')
            for (const one of value.split(':')) assert.match(one, /^[a-z0-9_-]+\.example\.com$/);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('next hops in the forms of Postfix', () => {
  const read = (key: string): string => {
    const hop = nextHopOf(Buffer.from(key, 'utf8').toString('latin1'));
    return hop && hop.kind !== 'address'
      ? `${hop.kind} ${hop.name.toLower()} ${hop.port}`
      : 'nothing';
  };
  assert.equal(read('example.com'), 'domain example.com 25');
  assert.equal(read('Example.COM:2525'), 'domain example.com 2525');
  assert.equal(read('example.com:submission'), 'domain example.com 587');
  assert.equal(read('[mx.example.com]'), 'host mx.example.com 25');
  assert.equal(read('[mx.example.com]:587'), 'host mx.example.com 587');
  assert.equal(read('bücher.example'), 'domain xn--bcher-kva.example 25');
  for (const key of [
    '.example.com',
    '.com',
    '',
    '[192.0.2.1]',
    '[ipv6:2001:db8::1]',
    '[2001:db8::1]:25',
    'example.com:nope',
    'a b',
    '/run/lmtp',
  ])
    assert.equal(read(key), 'nothing', key);
});
