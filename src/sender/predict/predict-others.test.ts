import assert from 'node:assert/strict';
import test from 'node:test';
import { decideHost, deliverTo } from '../../tls-policy/index.js';
import { senderCases } from '../cases/all-cases.js';
import { viewOfCase } from '../cases/view-of-case.js';
import { readExim, type EximInput } from './exim/read-exim.js';
import { coverageOf } from './exim/parse-exim-output.js';
import { parseSmtpdConf } from './opensmtpd/parse-smtpd-conf.js';
import { readOpenSmtpd } from './opensmtpd/read-opensmtpd.js';
import { predictSender, type SenderPrediction } from './prediction.js';
import { readOwn, type OwnSettings } from './read-own.js';
import type { SenderModel } from './sender-model.js';

/** Returns `starttls mta-sts dane dnssec`, each as the first letters of its verdict. */
function verdicts(model: SenderModel): string {
  const short = {
    enforces: 'enforces',
    'observes-only': 'observes',
    'does-not-use': 'no',
    'enforces-wrongly': 'wrong',
    'cannot-tell': '?',
  };
  return predictSender(model, senderCases)
    .mechanisms.filter(({ mechanism }) => mechanism !== 'requiretls')
    .map(({ verdict }) => short[verdict])
    .join(' ');
}

function caseOf(model: SenderModel, id: string): SenderPrediction['cases'][number] {
  const found = predictSender(model, senderCases).cases.find((entry) => entry.case === id);
  assert.ok(found);
  return found;
}

/** The output of Exim 4.96 in Debian 12, without the options that do not matter here. */
const bV = `Exim version 4.96 #2 built 26-Nov-2023 14:26:47
Support for: crypteq iconv() IPv6 GnuTLS TLS_resume move_frozen_messages DANE DKIM DNSSEC Event
`;
const main = 'no_disable_ipv6\ndns_dnssec_ok = -1\n';
const router = `
dnslookup router:
dnssec_request_domains = *
dnssec_require_domains =${' '}
domains = ! +local_domains
driver = dnslookup
transport = remote_smtp
no_unseen
`;
const transport = `
remote_smtp transport:
driver = smtp
dane_require_tls_ciphers =${' '}
hosts =${' '}
hosts_avoid_tls =${' '}
hosts_require_dane =${' '}
hosts_require_tls =${' '}
hosts_try_dane = *
protocol = smtp
tls_require_ciphers =${' '}
tls_sni =${' '}
tls_tempfail_tryclear
tls_try_verify_hosts = *
tls_verify_cert_hostnames = *
tls_verify_certificates = system
tls_verify_hosts =${' '}
`;
const exim = `${bV}${main}${router}${transport}`;

/**
 * Reads Exim after replacements of lines; a replacement without a matching line fails.
 */
function eximWith(
  changes: Readonly<Record<string, string>>,
  more: Partial<EximInput> = {},
): SenderModel {
  let text = exim;
  for (const [line, replacement] of Object.entries(changes)) {
    assert.ok(text.includes(`${line}`), line);
    text = text.replace(line, replacement);
  }
  return readExim({ text, domain: 'recipient.example', ...more });
}

type EximRow = readonly [string, Readonly<Record<string, string>>, string, Partial<EximInput>?];
const eximTable: readonly EximRow[] = [
  ['as in Debian 12', {}, 'observes no enforces enforces'],
  [
    'with OpenSSL',
    { GnuTLS: 'OpenSSL', 'dns_dnssec_ok = -1': 'openssl_options = +no_sslv3' },
    'observes no wrong enforces',
  ],
  ['without -bV', { [bV]: '' }, 'observes no ? enforces'],
  ['built without DANE', { ' DANE ': ' ' }, 'observes no no ?'],
  ['without hosts_try_dane', { 'hosts_try_dane = *': 'hosts_try_dane = ' }, 'observes no no ?'],
  ['an unknown build', { 'hosts_try_dane = *\n': '' }, 'observes no no ?'],
  [
    'DANE by an expansion',
    { 'hosts_try_dane = *': 'hosts_try_dane = ${lookup{$host}lsearch{/x}}' },
    'observes no ? ?',
  ],
  [
    'DANE for named hosts',
    { 'hosts_try_dane = *': 'hosts_try_dane = mx.a.example : *.b.example' },
    'observes no no ?',
  ],
  [
    'DANE but for one host',
    { 'hosts_try_dane = *': 'hosts_try_dane = ! mx.a.example' },
    'observes no enforces enforces',
  ],
  [
    'without DNSSEC lookups',
    { 'dnssec_request_domains = *': 'dnssec_request_domains = ' },
    'observes no no ?',
  ],
  ['without routers', { [router]: '' }, 'observes no ? ?'],
  [
    'DANE required',
    { 'hosts_require_dane = ': 'hosts_require_dane = *' },
    'wrong no enforces enforces',
  ],
  ['no validation', {}, 'observes no no no', { resolver: 'does-not' }],
  ['without TLS', { 'hosts_avoid_tls = ': 'hosts_avoid_tls = *' }, 'no no ? ?'],
  [
    'TLS required',
    { 'hosts_require_tls = ': 'hosts_require_tls = *' },
    'enforces no enforces enforces',
  ],
  [
    'verified, with fallback',
    { 'tls_verify_hosts = ': 'tls_verify_hosts = *' },
    'wrong no enforces enforces',
  ],
  [
    'verified and required',
    {
      'tls_verify_hosts = ': 'tls_verify_hosts = *',
      'hosts_require_tls = ': 'hosts_require_tls = *',
    },
    'enforces no enforces enforces',
  ],
  [
    'an empty try list',
    { 'tls_try_verify_hosts = *': 'tls_try_verify_hosts = ' },
    'wrong no enforces enforces',
  ],
  [
    'a verify list with a lookup',
    { 'tls_verify_hosts = ': 'tls_verify_hosts = net-lsearch;/x' },
    '? no ? ?',
  ],
  [
    'a smart host',
    { 'driver = dnslookup': 'driver = manualroute\nroute_list = * smtp.example.net byname' },
    '? ? ? ?',
  ],
  ['a program as router', { 'driver = dnslookup': 'driver = queryprogram' }, '? ? ? ?'],
  ['CRLF', { 'hosts_try_dane = *': 'hosts_try_dane = *\r' }, 'observes no enforces enforces'],
  [
    'a router with a condition',
    { 'domains = ! +local': 'condition = ${if eq{a}{b}}\ndomains = ! +local' },
    '? ? ? ?',
  ],
  ['a router for some senders', { no_unseen: 'senders = *@a.example\nno_unseen' }, '? ? ? ?'],
  [
    'DNSSEC required by the router',
    { 'dnssec_require_domains = ': 'dnssec_require_domains = *' },
    '? ? ? ?',
  ],
  [
    'DNSSEC required for other domains',
    { 'dnssec_require_domains = ': 'dnssec_require_domains = bank.example' },
    'observes no enforces enforces',
  ],
  [
    'hosts that override the route',
    { 'hosts = ': 'hosts = smtp.example.net\nhosts_override' },
    '? ? ? ?',
  ],
  [
    'a fallback host',
    { 'protocol = smtp': 'protocol = smtp\nfallback_hosts = backup.example' },
    'observes no ? ?',
  ],
  ['DNSSEC switched off', { 'dns_dnssec_ok = -1': 'dns_dnssec_ok = 0' }, 'observes no no ?'],
  [
    'failed lookups hidden',
    { 'dns_dnssec_ok = -1': 'dns_again_means_nonexist = *' },
    'observes no ? ?',
  ],
  ['a router that copies', { no_unseen: 'unseen' }, '? ? ? ?'],
  ['hosts by SRV records', { no_unseen: 'check_srv = smtp' }, '? ? ? ?'],
  ['HELO alone', { 'hosts = ': 'hosts_avoid_esmtp = *\nhosts = ' }, '? ? ? ?'],
  ['OCSP required', { 'hosts = ': 'hosts_require_ocsp = *\nhosts = ' }, '? ? ? ?'],
  ['another port', { 'hosts = ': 'port = 587\nhosts = ' }, '? ? ? ?'],
  [
    'a network of all addresses',
    { 'hosts_require_tls = ': 'hosts_require_tls = 0.0.0.0/0' },
    '? no ? ?',
  ],
];
for (const [name, changes, expected, more] of eximTable)
  test(`Exim, ${name}: ${expected}`, () => {
    assert.equal(verdicts(eximWith(changes, more)), expected);
  });

test('Exim falls back to plaintext at once unless configured to defer', () => {
  const debian = eximWith({});
  assert.equal(caseOf(debian, 'handshake-broken').verdict, 'delivered-in-plaintext');
  assert.equal(caseOf(debian, 'handshake-broken').delaySeconds, undefined);
  const strict = eximWith({ '\ntls_tempfail_tryclear': '\nno_tls_tempfail_tryclear' });
  assert.equal(caseOf(strict, 'handshake-broken').verdict, 'deferred');
  assert.equal(caseOf(strict, 'clear').verdict, 'delivered-in-plaintext');
});

test('without hosts_require_tls an invalid certificate leads Exim to plaintext', () => {
  const model = eximWith({ 'tls_verify_hosts = ': 'tls_verify_hosts = *' });
  assert.equal(caseOf(model, 'self-signed').verdict, 'delivered-in-plaintext');
  assert.equal(model.warnings.length, 1);
});

test('mandatory DANE of Exim bounces mail to other domains', () => {
  const model = eximWith({ 'hosts_require_dane = ': 'hosts_require_dane = *' });
  assert.equal(caseOf(model, 'plain').bounced, true);
  assert.equal(caseOf(model, 'dane').verdict, 'delivered-verified');
});

test('records without a usable one depend on the TLS library of Exim', () => {
  const verdictWith = (library: string): string =>
    caseOf(
      eximWith({ GnuTLS: library, 'dns_dnssec_ok = -1': 'openssl_options = +no_sslv3' }),
      'dane-unusable',
    ).verdict;
  assert.equal(verdictWith('OpenSSL'), 'refused');
  assert.equal(caseOf(eximWith({}), 'dane-unusable').verdict, 'delivered-unverified');
});

test('GnuTLS priorities and openssl_options exclude versions', () => {
  const priority = (text: string): string =>
    caseOf(eximWith({ 'tls_require_ciphers = ': `tls_require_ciphers = ${text}` }), 'tls12')
      .verdict;
  assert.equal(priority('NORMAL:-VERS-TLS1.2'), 'delivered-in-plaintext');
  assert.equal(priority('NORMAL:-VERS-ALL:+VERS-TLS1.2'), 'delivered-unverified');
  assert.equal(priority('${if eq{a}{b}{x}{y}}'), 'cannot-tell');
  assert.equal(priority('NONE:+VERS-TLS1.3:+AEAD'), 'delivered-in-plaintext');
  assert.equal(priority('NONE:+VERS-TLS1.2:+VERS-TLS1.3'), 'delivered-unverified');
  assert.equal(priority('@SYSTEM'), 'cannot-tell');
  assert.equal(priority('SECURE256:%SERVER_PRECEDENCE'), 'delivered-unverified');
  const openssl = eximWith({
    GnuTLS: 'OpenSSL',
    'dns_dnssec_ok = -1': 'openssl_options = +no_tlsv1 +no_tlsv1_1',
  });
  assert.equal(caseOf(openssl, 'tls10').verdict, 'delivered-in-plaintext');
  assert.equal(caseOf(openssl, 'tls12').verdict, 'delivered-unverified');
});

const partner = `
partner router:
domains = partner.example : *.group.example : !other.example
driver = dnslookup
transport = strict_smtp
`;
const named = `
named router:
domains = +partners
driver = dnslookup
transport = strict_smtp
`;
const strict = transport
  .replace('remote_smtp', 'strict_smtp')
  .replace('hosts_require_tls = ', 'hosts_require_tls = *');

test('the domain decides about the router of Exim', () => {
  const verdictsFor = (first: string, domain: string): string =>
    verdicts(readExim({ text: `${bV}${main}${first}${router}${transport}${strict}`, domain }));
  assert.match(verdictsFor(partner, 'partner.example'), /^enforces/);
  assert.match(verdictsFor(partner, 'a.group.example'), /^enforces/);
  assert.match(verdictsFor(partner, 'other.example'), /^observes/);
  const listed = router.replace('! +local_domains', '! +local_domains : ! partner.example');
  const text = `${bV}${main}${listed}${transport}`;
  assert.equal(verdicts(readExim({ text, domain: 'partner.example' })), '? ? ? ?');
  assert.match(verdictsFor(named, 'partner.example'), /^observes/);
});

test('a router with domains that cannot be evaluated is an assumption', () => {
  const text = `${bV}${main}${named}${partner}${router}${transport}${strict}`;
  const { assumptions } = readExim({ text, domain: 'other.example' });
  assert.equal(assumptions[0], 'The router named (domains = +partners) does not handle the mail.');
  assert.ok(!assumptions.some((one) => one.includes('router partner')));
});

test('several smtp transports need the routers or a name', () => {
  const second = transport.replace('remote_smtp', 'smarthost_smtp');
  const text = `${bV}${transport}${second}`;
  const input = { text, domain: 'recipient.example' };
  assert.equal(verdicts(readExim(input)), '? ? ? ?');
  assert.equal(verdicts(readExim({ ...input, transport: 'remote_smtp' })), 'observes no ? ?');
});

const lists: readonly (readonly [string, string])[] = [
  ['', 'no'],
  ['*', 'yes'],
  ['a.example', 'no'],
  ['*.a.example : b.example', 'no'],
  ['!a.example : *', 'yes'],
  ['!a.example', 'yes'],
  ['! *', 'no'],
  ['a.example : !b.example', 'yes'],
  ['+names', 'unknown'],
  ['/etc/hosts', 'unknown'],
  ['net-lsearch;/x', 'unknown'],
  ['${x}', 'unknown'],
];
for (const [list, coverage] of lists)
  test(`the host list "${list}" covers another host: ${coverage}`, () =>
    assert.equal(coverageOf(list), coverage));

/** Reads smtpd.conf with an action "out" for all other domains. */
const smtpd = (action: string, more = ''): SenderModel =>
  readOpenSmtpd({
    text: `table aliases file:/etc/aliases
listen on localhost
action "local" maildir alias <aliases>
action "out" ${action}
${more}match for local action "local"
match from local for any action "out"
`,
    domain: 'recipient.example',
    version: '7.4',
  });

const smtpdTable: readonly (readonly [string, string, string, string?])[] = [
  ['relay', 'relay', 'observes no no ?'],
  ['relay tls', 'relay tls', 'enforces no no ?'],
  ['relay without verification', 'relay tls no-verify', 'enforces no no ?'],
  ['a name in quotes', 'relay helo "tls"', 'observes no no ?'],
  ['a smart host', 'relay host smtp+tls://smtp.example.net', '? ? ? ?'],
  ['a table of relays', 'relay domain <relays>', '? ? ? ?'],
  ['a backup', 'relay backup', '? ? ? ?'],
  ['a comment', 'relay # tls', 'observes no no ?'],
  ['a continued line', 'relay \\\n  tls', 'enforces no no ?'],
  ['CRLF', 'relay tls\r', 'enforces no no ?'],
  [
    'two actions',
    'relay',
    '? ? ? ?',
    'action "auth" relay tls\nmatch auth from any for any action "auth"\n',
  ],
  [
    'two actions alike',
    'relay',
    'observes no no ?',
    'action "auth" relay\nmatch auth from any for any action "auth"\n',
  ],
  [
    'an action for this domain',
    'relay',
    'enforces no no ?',
    'action "b" relay tls\nmatch for domain { "a.example", "Recipient.example" } action "b"\n',
  ],
  [
    'an action for this domain, by some sources',
    'relay',
    '? ? ? ?',
    'action "b" relay tls\nmatch auth from any for domain "recipient.example" action "b"\n',
  ],
  [
    'an action after that for every source',
    'relay tls',
    'observes no no ?',
    'action "b" relay\nmatch from any for any action "b"\n',
  ],
  ['all mail rejected', 'relay', '? ? ? ?', 'match for any reject\n'],
  [
    'this domain rejected',
    'relay',
    '? ? ? ?',
    'match from any for domain "recipient.example" reject\n',
  ],
  [
    'some sources rejected',
    'relay tls',
    'enforces no no ?',
    'match ! from local mail-from "@a.example" for any reject\n',
  ],
  [
    'an action for a pattern',
    'relay',
    'enforces no no ?',
    'action "b" relay tls\nmatch for domain "*.example" action "b"\n',
  ],
  [
    'an action for other domains',
    'relay',
    'enforces no no ?',
    'action "b" relay tls\nmatch ! for domain "a.example" action "b"\n',
  ],
  [
    'an action for a table in the file',
    'relay',
    'enforces no no ?',
    'table d { "recipient.example" }\naction "b" relay tls\nmatch for domain <d> action "b"\n',
  ],
  [
    'an action for a table elsewhere',
    'relay',
    'observes no no ?',
    'table d file:/d\naction "b" relay tls\nmatch for domain <d> action "b"\n',
  ],
  ['a scheme of another protocol', 'relay host foo://mx.example', '? ? ? ?'],
  ['an included file', 'relay', '? ? ? ?', 'include "/etc/mail/more.conf"\n'],
];
for (const [name, action, expected, more] of smtpdTable)
  test(`OpenSMTPD, ${name}: ${expected}`, () =>
    assert.equal(verdicts(smtpd(action, more)), expected));

test('OpenSMTPD verifies the certificate with tls, and not with no-verify', () => {
  assert.equal(caseOf(smtpd('relay tls'), 'self-signed').verdict, 'refused');
  assert.equal(caseOf(smtpd('relay tls'), 'plain').verdict, 'delivered-verified');
  assert.equal(caseOf(smtpd('relay tls no-verify'), 'self-signed').verdict, 'delivered-unverified');
  assert.equal(caseOf(smtpd('relay'), 'handshake-broken').verdict, 'delivered-in-plaintext');
});

test('directives with unknown domains are reported', () => {
  const conditions = ['for domain <bank>', 'for domain regex "a"', 'for rcpt-to <bank>'];
  for (const condition of conditions) {
    const more = `action "bank" relay tls\nmatch from local ${condition} action "bank"\n`;
    const { assumptions } = smtpd('relay', more);
    assert.ok(
      assumptions.some((line) => line.includes('action bank')),
      condition,
    );
  }
});

test('mta limit decides about the address family, in old order too', () => {
  const familyOf = (line: string): unknown => {
    const { families } = smtpd('relay', line);
    return families.known ? families.value : undefined;
  };
  assert.equal(familyOf(''), 'both');
  assert.equal(familyOf('mta limit inet4\n'), 'ipv4');
  assert.equal(familyOf('limit mta inet6\n'), 'ipv6');
  assert.equal(familyOf('mta limit session-keepalive 1\n'), 'both');
  assert.equal(familyOf('mta limit for domain a.example inet4\n'), undefined);
});

test('OpenSMTPD sends SNI from version 7.0 on', () => {
  const text = 'action "out" relay\nmatch for any action "out"\n';
  const verdict = (version?: string): string => {
    const domain = 'recipient.example';
    return caseOf(readOpenSmtpd({ text, domain, version }), 'needs-sni').verdict;
  };
  assert.equal(verdict('6.8.0p2'), 'delivered-in-plaintext');
  assert.equal(verdict('7.4.0p1'), 'delivered-unverified');
  assert.equal(verdict(), 'cannot-tell');
});

test('domains with their own action are listed', () => {
  const model = smtpd(
    'relay',
    'action "bank" relay tls\nmatch from local for domain { "bank.example", "b.example" } action "bank"\n',
  );
  assert.deepEqual(
    model.destinations.map(({ destination }) => destination),
    ['bank.example', 'b.example'],
  );
});

test('macros of smtpd.conf are replaced outside quotes', () => {
  const { lines, missing } = parseSmtpdConf(
    'relay = "relay tls"\na = relay\naction "$a" $a tls $b\n',
  );
  assert.deepEqual(
    lines[0]?.words.map(({ text }) => text),
    ['action', '$a', 'relay', 'tls', '$b'],
  );
  assert.deepEqual(missing, ['macro $b']);
});

const own: OwnSettings = {
  observe: false,
  daneWithInsecureMx: true,
  exemptions: [
    { domain: 'Exempt.example.', until: '2026-12-01T00:00:00Z', reason: 'a move' },
    { domain: 'past.example', until: '2026-11-01T00:00:00Z', reason: 'a test' },
  ],
  reports: true,
};
const ownModel = (settings: Partial<OwnSettings>, domain = 'recipient.example'): SenderModel =>
  readOwn({
    settings: { ...own, ...settings },
    domain,
    now: Date.parse('2026-11-15T00:00:00Z'),
  });

test('the sender of Hermetic enforces every mechanism, or observes as configured', () => {
  assert.equal(verdicts(ownModel({})), 'observes enforces enforces enforces');
  assert.equal(verdicts(ownModel({ observe: true })), 'observes observes observes enforces');
  assert.equal(verdicts(ownModel({}, 'exempt.example')), 'observes observes observes enforces');
  assert.equal(verdicts(ownModel({}, 'past.example')), 'observes enforces enforces enforces');
});

// The model and decideHost describe the same decision, so they must agree.
test('the model of Hermetic agrees with its own decision in every case', () => {
  const prediction = predictSender(ownModel({}), senderCases);
  for (const senderCase of senderCases) {
    const view = viewOfCase(senderCase);
    const [host] = view.hosts;
    const [server] = host?.servers ?? [];
    const { live, mx } = view.mtaSts;
    if (!host || !server || server.tls === 'unknown' || senderCase.withdrawn || senderCase.needs)
      continue;
    if (live === 'unknown' || view.route.kind === 'error') continue;
    const policy = live === 'absent' || live === 'unavailable' ? undefined : { mode: live, mx };
    const decision = decideHost(host, view.route.dnssec, { dane: true, mtaSts: policy });
    const names = {
      verified: 'delivered-verified',
      unverified: 'delivered-unverified',
      cleartext: 'delivered-in-plaintext',
      deferred: 'refused',
    };
    assert.equal(
      prediction.cases.find((entry) => entry.case === senderCase.id)?.verdict,
      names[deliverTo(server, decision) as keyof typeof names],
      senderCase.id,
    );
  }
});
