import assert from 'node:assert/strict';
import test from 'node:test';
import { Name } from '../../src/base/index.js';
import { createResolver, typeNumber } from '../../src/dns/index.js';
import { createLab, type Scenario } from '../../src/lab/index.js';

const expect = { verdict: 'pass', exposure: {} as Scenario['expect']['exposure'] } as const;

const records = `
ent.deep A 192.0.2.1
*.wild A 192.0.2.2
www.wild A 192.0.2.9
alias CNAME target
target A 192.0.2.3
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
dead CNAME nowhere
c1 CNAME c2
c2 CNAME c3
c3 CNAME c4
c4 CNAME target
out CNAME www.unsigned.example.
*.wc CNAME target
d DNAME target2
a.target2 A 192.0.2.4
txt TXT "a" "b"
a.*.hollow A 192.0.2.5
_25._tcp.*.hosts TLSA 3 1 1 0000000000000000000000000000000000000000000000000000000000000000
*.chain CNAME b.wild
up DNAME down
down DNAME target2
MiXed A 192.0.2.6
`;

/**
 * Question, status and followed aliases. The last field shows an opt-out span that
 * weakens the proof (RFC 5155 §9.2, §12.2).
 */
const table = `
ent.deep A       found     0
deep A           nodata    0
deep.ent.deep A  nxdomain  0  opt-out
ent.deep TXT     nodata    0
a.wild A         found     0  opt-out
a.b.wild A       found     0  opt-out
wild A           nodata    0
www.wild A       found     0
www.wild TXT     nodata    0
a.wild TXT       nodata    0  opt-out
x.www.wild A     nxdomain  0  opt-out
alias A          found     1
alias CNAME      found     0
alias TLSA       nodata    1
dead A           nxdomain  1  opt-out
c1 A             found     4
a.wc A           found     1  opt-out
a.d A            found     1
d A              nodata    0
d DNAME          found     0
zz.d A           nxdomain  1  opt-out
txt TXT          found     0
nope A           nxdomain  0  opt-out
TARGET A         found     0
x.hollow A       nodata    0  opt-out
x.y.hollow MX    nodata    0  opt-out
*.hollow A       nodata    0
b.*.hollow A     nxdomain  0  opt-out
mx.hosts A       nodata    0  opt-out
_25._tcp.mx.hosts TLSA nodata 0 opt-out
_25._tcp.*.hosts TLSA found 0
x.chain A        found     1  opt-out
a.up A           found     2
zz.up TLSA       nxdomain  2  opt-out
mixed A          found     0
`
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/));

for (const denial of ['nsec', 'nsec3', 'nsec3-optout'] as const)
  test(`${denial}: empty non-terminals, wildcards and aliases: answer and proof`, async () => {
    const zone = { signed: { denial }, records };
    const unsigned = {
      domain: 'unsigned.example',
      says: '',
      expect,
      zone: { records: 'www A 192.0.2.7' },
    };
    const lab = await createLab({
      scenarios: [{ domain: 'x.example', says: '', expect, zone }, unsigned],
    });
    try {
      const resolver = createResolver({
        network: lab.network,
        upstreams: lab.upstreams,
        anchors: lab.anchors,
      });
      const ask = (owner: string, type: string) =>
        resolver.ask(Name.of(`${owner}.x.example`), typeNumber(type) as number);
      for (const [owner = '', type = '', status, aliases, last] of table) {
        const answer = await ask(owner, type);
        const dnssec = denial === 'nsec3-optout' && last !== undefined ? 'insecure' : 'secure';
        assert.deepEqual(
          [answer.status, answer.dnssec, String(answer.aliases.length)],
          [status, dnssec, aliases],
          `${owner} ${type}`,
        );
      }
      const out = await ask('out', 'A');
      assert.deepEqual(
        [out.status, out.dnssec, out.aliases[0]?.dnssec],
        ['found', 'insecure', 'secure'],
        'a signed alias into an unsigned zone',
      );
      for (const loop of ['loop1', 'self'])
        assert.equal((await ask(loop, 'A')).status, 'failed', loop);
    } finally {
      await lab.close();
    }
  });
