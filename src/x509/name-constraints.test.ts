import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  altName,
  createIntermediate,
  der,
  distinguishedName,
  issue,
  type AltName,
  type IssueOptions,
  type Subtrees,
} from '../pki/index.js';
import { explainProblem, parseCertificate } from './index.js';
import { root, server, verdictOf, verdictVia } from '../../test/support/chains.js';

const trusted = 'trusted valid';
const refused = 'unknown-ca valid x509-name-not-permitted';

/** Returns the verdict on a leaf with these names below a CA with these constraints. */
function under(nameConstraints: Subtrees, altNames: readonly AltName[], leaf: IssueOptions = {}) {
  return verdictVia({ nameConstraints }, { names: [], commonName: '', altNames, ...leaf });
}

/**
 * Returns two verdicts on the name: with the base permitted, and with the base excluded.
 */
function both(base: AltName, name: AltName): readonly [string, string] {
  return [under({ permitted: [base] }, [name]), under({ excluded: [base] }, [name])];
}

const inside = [trusted, refused];
const outside = [refused, trusted];
/** The verdicts on a name that cannot be processed: every constraint refuses it. */
const never = [refused, refused];

test('dNSName: a base contains itself and its sub-domains [5280-4.2.1.10-1]', () => {
  assert.deepEqual(both('a.example', 'a.example'), inside);
  assert.deepEqual(both('a.example', 'mx.a.example'), inside);
  assert.deepEqual(both('A.Example', 'mx.a.eXample'), inside);
  assert.deepEqual(both('a.example', 'ba.example'), outside);
  assert.deepEqual(both('a.example', 'example'), outside);
  assert.deepEqual(both('', 'mx.a.example'), inside);
});

test('dNSName: a leading dot permits sub-domains only and excludes the domain too', () => {
  assert.deepEqual(both('.a.example', 'mx.a.example'), inside);
  assert.deepEqual(both('.a.example', '*.a.example'), inside);
  assert.deepEqual(both('.a.example', 'a.example'), never);
  assert.deepEqual(both('.a.example', 'ba.example'), outside);
});

test('dNSName: a base that is not a domain permits nothing and excludes everything', () => {
  for (const base of [
    '.',
    '..',
    'a.example.',
    '..a.example',
    '*.a.example',
    'a example',
    'ä.example',
  ])
    assert.deepEqual(both(base, 'mx.a.example'), never, base);
  assert.equal(under({ permitted: ['.', 'a.example'] }, ['mx.a.example']), trusted);
});

test('dNSName: a name that is not a domain is not permitted under any constraint', () => {
  for (const name of ['mx.a.example.', 'mx..a.example', 'b\0.a.example', '*.*.a.example', '', '*.'])
    assert.deepEqual(both('a.example', name), never, JSON.stringify(name));
  assert.deepEqual(both('a.example', '_mta-sts.a.example'), inside);
});

test('dNSName: a wildcard is within a base only if all its matches are', () => {
  assert.deepEqual(both('mx.a.example', '*.a.example'), never);
  assert.deepEqual(both('.mx.a.example', '*.a.example'), never);
  assert.deepEqual(both('a.example', '*.a.example'), inside);
  assert.deepEqual(both('x.mx.a.example', '*.a.example'), outside);
});

test('iPAddress: address and mask of one family', () => {
  const net = altName.ip(192, 0, 2, 0, 255, 255, 255, 0);
  assert.deepEqual(both(net, altName.ip(192, 0, 2, 77)), inside);
  assert.deepEqual(both(net, altName.ip(192, 0, 3, 77)), outside);
  assert.deepEqual(
    both(altName.ip(192, 0, 2, 9, 255, 255, 255, 0), altName.ip(192, 0, 2, 1)),
    inside,
  );
  assert.deepEqual(both(altName.ip(0, 0, 0, 0, 0, 0, 0, 0), altName.ip(198, 51, 100, 1)), inside);
  const six = (last: number) => [0x20, 1, 0x0d, 0xb8, ...Array<number>(11).fill(0), last];
  const mask = [...Array<number>(15).fill(255), 0xf0];
  assert.deepEqual(both(altName.ip(...six(0), ...mask), altName.ip(...six(0x0f))), inside);
  assert.deepEqual(both(altName.ip(...six(0), ...mask), altName.ip(...six(0x10))), outside);
  assert.deepEqual(both(net, altName.ip(...six(1))), outside);
  const mapped = [...Array<number>(10).fill(0), 255, 255, 192, 0, 2, 77];
  assert.deepEqual(both(net, altName.ip(...mapped)), outside);
});

test('iPAddress: a mask with gaps and a base of another length cannot be processed', () => {
  const address = altName.ip(192, 0, 2, 1);
  assert.deepEqual(both(altName.ip(192, 0, 2, 0, 255, 0, 255, 0), address), never);
  assert.deepEqual(both(altName.ip(192, 0, 2, 0), address), never);
  assert.deepEqual(both(altName.ip(), address), never);
});

test('a constraint on one name form does not affect the other forms', () => {
  const net = altName.ip(192, 0, 2, 0, 255, 255, 255, 0);
  assert.equal(under({ permitted: [net] }, ['mx.example', altName.ip(192, 0, 2, 1)]), trusted);
  assert.equal(under({ permitted: [net] }, ['mx.example']), trusted);
  assert.equal(
    under({ permitted: ['example'] }, ['mx.example', altName.ip(192, 0, 2, 1)]),
    trusted,
  );
  assert.equal(
    under({ permitted: ['example'], excluded: [net] }, ['mx.example', altName.ip(192, 0, 2, 1)]),
    refused,
  );
});

test('rfc822Name: a mailbox, a host, or a domain', () => {
  const { email } = altName;
  assert.deepEqual(both(email('a.example'), email('x@a.example')), inside);
  assert.deepEqual(both(email('A.example'), email('x@a.EXAMPLE')), inside);
  assert.deepEqual(both(email('a.example'), email('x@b.a.example')), outside);
  assert.deepEqual(both(email('.a.example'), email('x@b.a.example')), inside);
  assert.deepEqual(both(email('.a.example'), email('x@a.example')), outside);
  assert.deepEqual(both(email('x@a.example'), email('x@A.example')), inside);
  assert.deepEqual(both(email('x@a.example'), email('y@a.example')), outside);
  assert.deepEqual(both(email('x@a.example'), email('"x@a.example"@b.example')), outside);
  assert.deepEqual(both(email('@a.example'), email('x@a.example')), never);
  assert.deepEqual(both(email('a.example'), email('a.example')), never);
});

test('rfc822Name: another spelling of an excluded mailbox is excluded', () => {
  const excluded = [altName.email('x@a.example')];
  for (const spelled of ['X@a.example', '"x"@a.example', '"\\x"@a.example'])
    assert.equal(under({ excluded }, [altName.email(spelled)]), refused, spelled);
});

// [5280-4.2.1.10-2]
test('rfc822Name binds emailAddress in the subject, with and without names', () => {
  const subject = distinguishedName(
    ['2.5.4.3', der.utf8('mx.example')],
    ['1.2.840.113549.1.9.1', der.tlv(0x16, Buffer.from('x@b.example'))],
  );
  const bound = (base: string, altNames: readonly AltName[]): string =>
    under({ permitted: [altName.email(base)] }, altNames, { subject });
  assert.equal(bound('a.example', []), refused);
  assert.equal(bound('a.example', ['mx.example']), refused);
  assert.equal(bound('@b.example', ['mx.example']), refused);
  assert.equal(bound('b.example', ['mx.example']), trusted);
  assert.equal(under({ excluded: [altName.email('b.example')] }, [], { subject }), refused);
});

test('rfc822Name binds mailboxes beyond ASCII: they cannot be processed', () => {
  const mailbox = der.explicit(
    0,
    der.objectId('1.3.6.1.5.5.7.8.9'),
    der.explicit(0, der.utf8('ä@a.example')),
  );
  assert.deepEqual(both(altName.email('a.example'), mailbox), never);
  const other = der.explicit(0, der.objectId('1.2.3'), der.explicit(0, der.utf8('x')));
  assert.equal(under({ permitted: [altName.email('a.example')] }, [other]), trusted);
});

test('URI: the host counts; a URI without one cannot be processed', () => {
  const { uri } = altName;
  assert.deepEqual(both(uri('a.example'), uri('https://a.example/x')), inside);
  assert.deepEqual(both(uri('a.example'), uri('https://u:p@A.example:8443?q')), inside);
  assert.deepEqual(both(uri('a.example'), uri('https://b.a.example/')), outside);
  assert.deepEqual(both(uri('.a.example'), uri('https://b.a.example/')), inside);
  assert.deepEqual(both(uri('.a.example'), uri('https://a.example/')), outside);
  assert.deepEqual(both(uri('a.example'), uri('https://b.example/@a.example')), outside);
  for (const text of [
    'urn:a.example',
    'https://192.0.2.1/',
    'https://[2001:db8::1]/',
    '//a.example/',
  ])
    assert.deepEqual(both(uri('a.example'), uri(text)), never, text);
});

const printable = (text: string) => der.tlv(0x13, Buffer.from(text, 'latin1'));
const named = (...values: readonly (readonly [string, Uint8Array])[]) =>
  distinguishedName(...values);
const [country, organization, cn] = ['2.5.4.6', '2.5.4.10', '2.5.4.3'];

test('directoryName: leading RDNs match in any string type, case and spacing', () => {
  const base = altName.directory(
    named([country, printable('AA')], [organization, printable('Example  Org')]),
  );
  const subject = (value: Uint8Array) =>
    named([country, printable('aa')], [organization, value], [cn, der.utf8('mx')]);
  const verdicts = (name: Uint8Array) => [
    under({ permitted: [base] }, ['mx.example'], { subject: name }),
    under({ excluded: [base] }, ['mx.example'], { subject: name }),
  ];
  assert.deepEqual(verdicts(subject(printable('Example Org'))), inside);
  assert.deepEqual(verdicts(subject(der.utf8(' example ORG '))), inside);
  assert.deepEqual(
    verdicts(subject(der.tlv(0x1e, Buffer.from('\0E\0x\0a\0m\0p\0l\0e\0 \0O\0r\0g', 'latin1')))),
    inside,
  );
  assert.deepEqual(verdicts(subject(der.utf8('Example Organisation'))), outside);
  assert.deepEqual(verdicts(named([country, printable('AA')])), outside);
  assert.deepEqual(verdicts(named([organization, printable('Example Org')])), outside);
  assert.deepEqual(both(base, altName.directory(subject(der.utf8('example org')))), inside);
});

test('directoryName: a value that is not text of its type cannot be compared', () => {
  const base = altName.directory(named([organization, printable('Org')]));
  const subject = named([organization, der.tlv(0x0c, Uint8Array.of(0xff, 0xfe))]);
  assert.equal(under({ permitted: [base] }, ['mx.example'], { subject }), refused);
  assert.equal(under({ excluded: [base] }, ['mx.example'], { subject }), refused);
  assert.equal(under({ excluded: ['other.example'] }, ['mx.example'], { subject }), trusted);
});

test('directoryName: an excluded name that does not match excludes nothing', () => {
  const excluded = [altName.directory(named([organization, printable('Other')]))];
  assert.equal(verdictVia({ nameConstraints: { excluded } }, { commonName: 'mx' }), trusted);
});

test('a form without rules refuses names of that form and no others', () => {
  const registered = der.implicit(8, Uint8Array.of(0x2a, 3));
  assert.deepEqual(both(registered, registered), never);
  assert.equal(under({ permitted: [registered] }, ['mx.example']), trusted);
});

test('constraints bind every CA below too, unless self-issued', () => {
  const base = altName.directory(named([organization, printable('Org')]));
  const bound = createIntermediate(root, { name: 'Bound', nameConstraints: { permitted: [base] } });
  const via = (subject: Uint8Array): string => {
    const below = createIntermediate(bound, { name: 'Below', subject });
    return verdictOf([
      server(below, { subject: named([organization, printable('org')]) }),
      below,
      bound,
    ]);
  };
  assert.equal(via(named([organization, printable('ORG')], [cn, printable('Below')])), trusted);
  assert.equal(via(named([organization, printable('Else')])), refused);
  assert.equal(via(bound.subject), trusted);
});

test('the reason contains the constraint and the refused name', () => {
  const reason = (nameConstraints: Subtrees, ...altNames: AltName[]): string => {
    const ca = createIntermediate(root, { name: 'Bound', nameConstraints });
    const chain = [issue(ca, { names: ['mx.a.example'], altNames }), ca].map((made) => {
      const parsed = parseCertificate(made.der);
      assert.ok(parsed.ok);
      return parsed.value;
    });
    return explainProblem('x509-name-not-permitted', chain);
  };
  assert.equal(
    reason({ permitted: ['b.example'] }),
    'CN=Bound: nameConstraints permits "b.example", which refuses "mx.a.example"',
  );
  assert.match(
    reason({ permitted: ['a.example', 'c.example'] }, 'x.d.example'),
    /"x\.d\.example"$/,
  );
  assert.match(reason({ excluded: ['.'] }), /excludes "\.", which refuses "mx\.a\.example"/);
  assert.match(
    reason({ permitted: [altName.ip(192, 0, 2, 0, 255, 255, 255, 0)] }, altName.ip(192, 0, 3, 1)),
    /permits 192\.0\.2\.0 mask 255\.255\.255\.0, which refuses 192\.0\.3\.1$/,
  );
  assert.match(
    reason({ permitted: [altName.email('b.example')] }, altName.email('x@a.example')),
    /permits "b\.example", which refuses "x@a\.example"/,
  );
  // A CA whose constraints permit every name is not at fault.
  assert.equal(
    reason({ permitted: ['a.example'] }),
    'A CA issued a certificate for a name outside its name constraints',
  );
});

test('constraints that are empty or have a minimum make the CA unusable', () => {
  const raw = (value: Uint8Array): string =>
    verdictVia({ extensions: [{ oid: '2.5.29.30', critical: true, value }] });
  const malformed = 'unknown-ca valid x509-malformed';
  assert.equal(raw(der.sequence()), malformed);
  assert.equal(raw(der.sequence(der.explicit(0))), malformed);
  const base = der.implicit(2, Buffer.from('example'));
  const minimum = der.implicit(0, Uint8Array.of(1));
  assert.equal(raw(der.sequence(der.explicit(0, der.sequence(base, minimum)))), malformed);
  assert.equal(raw(der.sequence(der.explicit(0, der.sequence(base)))), trusted);
});

test('work on constraints grows with names plus subtrees, not with their product', () => {
  const many = (suffix: string) => Array.from({ length: 2500 }, (_, i) => `n${i}.${suffix}`);
  const ca = createIntermediate(root, {
    name: 'Wide',
    nameConstraints: { permitted: ['example'], excluded: many('b.example') },
  });
  const chain = [server(ca, { names: many('a.example'), commonName: 'x' }), ca];
  const began = process.cpuUsage();
  assert.equal(verdictOf(chain), trusted);
  assert.ok(process.cpuUsage(began).user < 2_000_000);
});
