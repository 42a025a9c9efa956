import assert from 'node:assert/strict';
import test from 'node:test';
import { senderCases } from '../cases/all-cases.js';
import { predictionSchema, predictSender, type SenderPrediction } from './prediction.js';
import { readPostfix, type PostfixInput } from './postfix/read-postfix.js';

/** Predicts a Postfix with these parameters. */
function predict(
  lines: readonly string[],
  options: Partial<Omit<PostfixInput, 'text'>> = {},
): SenderPrediction {
  const model = readPostfix({
    text: lines.join('\n'),
    readTable: () => ({ ok: false, reason: 'no such file' }),
    domain: 'recipient.example',
    ...options,
  });
  return predictSender(model, senderCases);
}

/** Returns `starttls mta-sts dane dnssec`, each as the first letters of its verdict. */
function verdicts({ mechanisms }: SenderPrediction): string {
  const short = {
    enforces: 'enforces',
    'observes-only': 'observes',
    'does-not-use': 'no',
    'enforces-wrongly': 'wrong',
    'cannot-tell': '?',
  };
  return mechanisms
    .filter(({ mechanism }) => mechanism !== 'requiretls')
    .map(({ verdict }) => short[verdict])
    .join(' ');
}

function verdictOf(prediction: SenderPrediction, id: string): string {
  return prediction.cases.find((entry) => entry.case === id)?.verdict ?? 'absent';
}

const dnssec = 'smtp_dns_support_level = dnssec';
const dane = ['smtp_tls_security_level = dane', dnssec];
const roots = 'smtp_tls_CAfile = /etc/ssl/certs/ca-certificates.crt';
const socket = 'smtp_tls_policy_maps = socketmap:inet:127.0.0.1:8461:hermetic';

type Options = Partial<Omit<PostfixInput, 'text'>>;
type Row = readonly [name: string, lines: readonly string[], verdicts: string, options?: Options];

const table: readonly Row[] = [
  ['no parameter', [], 'no no no ?'],
  ['level none', ['smtp_tls_security_level = none'], 'no no no ?'],
  ['level may', ['smtp_tls_security_level = may'], 'observes no no ?'],
  ['level in capitals', ['smtp_tls_security_level = May'], 'observes no no ?'],
  ['level encrypt', ['smtp_tls_security_level = encrypt'], 'enforces no no ?'],
  ['level dane', dane, 'observes no enforces enforces'],
  ['dane without dnssec lookups', ['smtp_tls_security_level = dane'], 'observes no no ?'],
  ['dane with native lookups', [...dane, 'smtp_host_lookup = native'], 'observes no no ?'],
  [
    'dane with both lookups',
    [...dane, 'smtp_host_lookup = dns, native'],
    'observes no enforces enforces',
  ],
  ['dane with ignored MX errors', [...dane, 'ignore_mx_lookup_error = yes'], 'observes no no ?'],
  [
    'dane with a search list',
    [...dane, 'smtp_dns_resolver_options = res_dnsrch'],
    'observes no no ?',
  ],
  ['dane, no validation', dane, 'observes no no no', { resolver: 'does-not' }],
  [
    'may, stated validation',
    ['smtp_tls_security_level = may'],
    'observes no no enforces',
    { resolver: 'validates' },
  ],
  [
    'level dane-only',
    ['smtp_tls_security_level = dane-only', dnssec],
    'wrong no enforces enforces',
  ],
  ['dane-only without dnssec', ['smtp_tls_security_level = dane-only'], 'wrong no no ?'],
  ['level fingerprint', ['smtp_tls_security_level = fingerprint'], 'wrong no no ?'],
  ['level secure', ['smtp_tls_security_level = secure', roots], 'enforces no no ?'],
  ['level secure without a CA', ['smtp_tls_security_level = secure'], 'wrong no no ?'],
  ['level verify', ['smtp_tls_security_level = verify', roots], 'enforces no no ?'],
  ['smtp_use_tls', ['smtp_use_tls = yes'], 'observes no no ?'],
  [
    'smtp_enforce_tls',
    ['smtp_enforce_tls = yes', 'smtp_tls_enforce_peername = no'],
    'enforces no no ?',
  ],
  ['peer names enforced', ['smtp_enforce_tls = yes', roots], 'enforces no no ?'],
  [
    'a level outweighs smtp_use_tls',
    ['smtp_use_tls = yes', 'smtp_tls_security_level = none'],
    'no no no ?',
  ],
  ['an empty level', ['smtp_use_tls = yes', 'smtp_tls_security_level ='], 'observes no no ?'],
  ['compatibility level 3.11', ['compatibility_level = 3.11'], 'observes no no ?'],
  [
    'compatibility level 9999',
    ['compatibility_level = 9999', 'mail_version = 3.11.2'],
    'observes no no ?',
  ],
  [
    'compatibility level 9999 of an older version',
    ['compatibility_level = 9999', 'mail_version = 3.7.11'],
    'no no no ?',
  ],
  ['compatibility level 9999 alone', ['compatibility_level = 9999'], '? no ? ?'],
  ['compatibility level 3.9', ['compatibility_level = 3.9'], 'no no no ?'],
  ['an unknown level', ['smtp_tls_security_level = paranoid'], '? no ? ?'],
  [
    'wrapper mode',
    ['smtp_tls_security_level = encrypt', 'smtp_tls_wrappermode = yes'],
    '? no no ?',
  ],
  ['a smart host', [...dane, 'relayhost = [smtp.example.net]:587'], '? ? ? ?'],
  ['an unnamed policy server', [...dane, socket], '? ? ? ?'],
  [
    'hermetic serve',
    ['smtp_tls_security_level = may', dnssec, socket, roots],
    'observes enforces enforces enforces',
    { policyServer: 'hermetic' },
  ],
  [
    'hermetic serve, no CA',
    ['smtp_tls_security_level = may', dnssec, socket],
    'observes wrong enforces enforces',
    { policyServer: 'hermetic' },
  ],
  [
    'mta-sts-resolver',
    ['smtp_tls_security_level = may', socket, roots],
    'observes enforces no ?',
    { policyServer: 'mta-sts-resolver' },
  ],
  [
    'mta-sts-resolver over dane',
    [...dane, socket, roots],
    'observes enforces wrong enforces',
    { policyServer: 'mta-sts-resolver' },
  ],
  [
    'tlspol over dane',
    [...dane, socket, roots],
    'observes enforces enforces enforces',
    { policyServer: 'tlspol' },
  ],
  [
    'a policy for every domain',
    [...dane, 'smtp_tls_policy_maps = static:encrypt'],
    'enforces no no ?',
  ],
  ['a failing table', [...dane, 'smtp_tls_policy_maps = fail:x'], 'wrong no no ?'],
  ['an unreadable table', [...dane, 'smtp_tls_policy_maps = hash:/x'], '? no ? ?'],
  ['a database', [...dane, 'smtp_tls_policy_maps = mysql:/x.cf'], '? no ? ?'],
  ['smtp_tls_per_site', ['smtp_use_tls = yes', 'smtp_tls_per_site = hash:/x'], '? no ? ?'],
  [
    'master.cf outweighs main.cf',
    [...dane, 'smtp/unix/smtp_tls_security_level = may'],
    'observes no no ?',
  ],
  [
    'the default of the insecure MX policy, printed',
    [
      ...dane,
      'smtp_tls_dane_insecure_mx_policy = ${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}',
    ],
    'observes no enforces enforces',
  ],
  [
    'a level by the compatibility level',
    [
      'compatibility_level = 3.11',
      'smtp_tls_security_level = ${{$compatibility_level} <level {3.11} ? {none} : {may}}',
    ],
    'observes no no ?',
  ],
  ['lookups without DNS', [...dane, 'smtp_dns_support_level = disabled'], '? ? ? ?'],
  ['disable_dns_lookups', ['disable_dns_lookups = yes'], '? ? ? ?'],
  ['a fallback relay', [...dane, 'smtp_fallback_relay = [backup.example]'], 'observes no ? ?'],
  ['its old name', [...dane, 'fallback_relay = backup.example'], 'observes no ? ?'],
  [
    'a transport with options of its own',
    [
      ...dane,
      'transport_maps = inline:{ recipient.example=strict: }',
      'strict unix - - n - - smtp -o smtp_tls_security_level=encrypt',
    ],
    'enforces no no ?',
  ],
  [
    'a transport beside default_transport',
    [
      ...dane,
      'default_transport = strict',
      'transport_maps = inline:{ .example=smtp: }',
      'strict unix - - n - - smtp -o smtp_tls_security_level=encrypt',
    ],
    'observes no enforces enforces',
  ],
  ['hidden STARTTLS', [...dane, 'smtp_discard_ehlo_keywords = pipelining, STARTTLS'], '? ? ? ?'],
  [
    'other hidden keywords',
    [...dane, 'smtp_discard_ehlo_keywords = chunking'],
    'observes no enforces enforces',
  ],
  ['HELO alone', [...dane, 'smtp_never_send_ehlo = yes'], '? ? ? ?'],
  ['filtered DNS answers', [...dane, 'smtp_dns_reply_filter = pcre:/x'], '? ? ? ?'],
  ['deferred transports', [...dane, 'defer_transports = smtp'], '? ? ? ?'],
  ['a domain of its own', [...dane, 'mydestination = localhost, Recipient.Example'], '? ? ? ?'],
  [
    'a virtual domain by its default',
    [...dane, 'virtual_alias_maps = inline:{recipient.example=x}'],
    '? ? ? ?',
  ],
  [
    'an excluded virtual domain',
    [...dane, 'virtual_mailbox_domains = !recipient.example, static:all'],
    'observes no enforces enforces',
  ],
  [
    'a relayed domain',
    [...dane, 'relay_domains = example', 'relay_transport = relay:[192.0.2.1]'],
    '? ? ? ?',
  ],
  [
    'a relayed domain with options of its own',
    [...dane, 'relay_domains = .example', 'parent_domain_matches_subdomains ='].concat(
      'relay/unix/smtp_tls_security_level = encrypt',
    ),
    'enforces no no ?',
  ],
  [
    'parents without a dot',
    [
      ...dane,
      'parent_domain_matches_subdomains = transport_maps',
      'transport_maps = inline:{ example=smtp:[192.0.2.1] }',
    ],
    '? ? ? ?',
  ],
  [
    'another service of master.cf',
    [...dane, 'relay/unix/smtp_tls_security_level = may'],
    'observes no enforces enforces',
  ],
];

for (const [name, lines, expected, options] of table)
  test(`Postfix, ${name}: ${expected}`, () => {
    const prediction = predict(lines, options);
    assert.equal(verdicts(prediction), expected);
    predictionSchema.parse(prediction);
  });

test('level dane delivers and refuses by the TLSA records', () => {
  const prediction = predict(dane);
  const found = ['dane', 'dane-mismatch', 'dane-clear', 'dane-unusable', 'plain', 'clear'].map(
    (id) => verdictOf(prediction, id),
  );
  assert.deepEqual(found, [
    'delivered-verified',
    'refused',
    'refused',
    'delivered-unverified',
    'delivered-unverified',
    'delivered-in-plaintext',
  ]);
});

// smtp.h, PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE
test('a failed handshake leads to plaintext after minimal_backoff_time', () => {
  const { cases } = predict(['smtp_tls_security_level = may', 'minimal_backoff_time = 2m']);
  const broken = cases.find(({ case: id }) => id === 'handshake-broken');
  assert.equal(broken?.verdict, 'delivered-in-plaintext');
  assert.equal(broken?.delaySeconds, 120);
  assert.equal(cases.find(({ case: id }) => id === 'starttls-454')?.delaySeconds, undefined);
});

test('a policy that replaces DANE delivers against the TLSA records', () => {
  const prediction = predict([...dane, socket, roots], { policyServer: 'mta-sts-resolver' });
  assert.equal(verdictOf(prediction, 'sts-ok-dane-bad'), 'delivered-verified');
  const better = predict([...dane, socket, roots], { policyServer: 'hermetic' });
  assert.equal(verdictOf(better, 'sts-ok-dane-bad'), 'refused');
});

test('versions below the floor of the level are refused', () => {
  const prediction = predict([
    'smtp_tls_security_level = encrypt',
    'smtp_tls_mandatory_protocols = >=TLSv1.3',
    'smtp_tls_protocols = !TLSv1.3',
  ]);
  assert.equal(verdictOf(prediction, 'tls12'), 'deferred');
  assert.equal(verdictOf(prediction, 'tls13'), 'delivered-unverified');
  const optional = predict(['smtp_tls_security_level = may', 'smtp_tls_protocols = !TLSv1.3']);
  assert.equal(verdictOf(optional, 'tls12'), 'delivered-unverified');
  assert.equal(verdictOf(optional, 'tls13'), 'delivered-in-plaintext');
});

test('TLS 1.0 depends on openssl.cnf, unless the settings have a lower bound', () => {
  const may = 'smtp_tls_security_level = may';
  const tls10 = (lines: readonly string[], version?: string): string =>
    verdictOf(predict([may, ...lines], { version }), 'tls10');
  assert.equal(tls10([]), 'cannot-tell');
  assert.equal(tls10([], '3.7.11'), 'delivered-unverified');
  assert.equal(tls10([], '3.5.6'), 'cannot-tell');
  assert.equal(tls10(['smtp_tls_protocols = !SSLv2, !SSLv3'], '3.7.11'), 'cannot-tell');
  assert.equal(tls10(['smtp_tls_protocols = >=TLSv1.2']), 'delivered-in-plaintext');
});

test('the groups of Postfix determine the size of the ClientHello', () => {
  const may = 'smtp_tls_security_level = may';
  const hello = (lines: readonly string[], version?: string): string =>
    verdictOf(predict([may, ...lines], { version }), 'large-hello');
  assert.equal(hello([]), 'cannot-tell');
  assert.equal(hello([], '3.7.11'), 'delivered-unverified');
  assert.equal(hello([], '3.11.0'), 'cannot-tell');
  assert.equal(hello(['tls_eecdh_auto_curves ='], '3.10.1'), 'cannot-tell');
  assert.equal(hello(['tls_eecdh_auto_curves = X25519 prime256v1']), 'delivered-unverified');
  assert.equal(hello(['tls_eecdh_auto_curves = X25519MLKEM768 X25519']), 'cannot-tell');
});

test('services of postconf -M show their program and their options', () => {
  const lines = [
    ...dane,
    'default_transport = out:',
    'out        unix  -       -       n       -       -       smtp',
    '    -o smtp_tls_security_level=may -o { smtp_helo_timeout = 5 s }',
  ];
  assert.equal(verdicts(predict(lines)), 'observes no no ?');
  const pipe = [...dane, 'default_transport = out', 'out unix - n n - - pipe argv=/bin/true'];
  assert.equal(verdicts(predict(pipe)), '? ? ? ?');
});

test('SNI is sent by smtp_tls_servername, and always under DANE', () => {
  const may = 'smtp_tls_security_level = may';
  assert.equal(verdictOf(predict([may]), 'needs-sni'), 'delivered-in-plaintext');
  assert.equal(
    verdictOf(predict([may, 'smtp_tls_servername = hostname']), 'needs-sni'),
    'delivered-unverified',
  );
});

test('level verify trusts the MX host of a forged answer', () => {
  const cells = (level: string): string =>
    predict([`smtp_tls_security_level = ${level}`, roots]).exposure.opportunistic?.spoofMx
      ?.result ?? '';
  assert.equal(cells('verify'), 'to-attacker');
  assert.equal(cells('secure'), 'deferred');
});

test('the exposure table shows the protection that a sender gives each domain', () => {
  const { exposure } = predict(dane);
  assert.equal(exposure.dane?.stripStarttls?.result, 'deferred');
  assert.equal(exposure.mtaStsCached?.stripStarttls?.result, 'cleartext');
  assert.equal(exposure.opportunistic?.swapCertificate?.result, 'to-attacker');
  const served = predict([...dane, socket, roots], { policyServer: 'hermetic' }).exposure;
  assert.equal(served.mtaStsCached?.suppress?.result, 'deferred');
  assert.equal(served.mtaStsFirst?.suppress?.result, 'cleartext');
});

test('a smart host decides, and its own rules are looked up by its next hop', () => {
  const model = readPostfix({
    text: [
      'relayhost = [smtp.example.net]:587',
      'smtp_tls_policy_maps = inline:{ {[smtp.example.net]:587 = secure match=smtp.example.net} }',
      roots,
    ].join('\n'),
    readTable: () => ({ ok: false, reason: '' }),
    domain: 'recipient.example',
  });
  assert.deepEqual(model.rules.tls.known && model.rules.tls.value, 'required');
  const prediction = predictSender(model, senderCases);
  assert.equal(prediction.smartHost, '[smtp.example.net]:587');
  assert.ok(prediction.cases.every(({ verdict }) => verdict === 'cannot-tell'));
  assert.deepEqual(prediction.changes, []);
});

const transports: readonly (readonly [string, readonly string[], string | undefined])[] = [
  ['relayhost', ['relayhost = mail.example.net'], 'mail.example.net'],
  ['default_transport', ['default_transport = smtp:[mail.example.net]'], '[mail.example.net]'],
  [
    'a wildcard of transport_maps',
    ['transport_maps = inline:{ *=smtp:[a.example] }'],
    '[a.example]',
  ],
  ['a parent domain', ['transport_maps = inline:{ .example=relay:b.example }'], 'b.example'],
  [
    'an entry for another domain',
    ['transport_maps = inline:{ other.example=smtp:[a.example] }'],
    undefined,
  ],
  ['a pattern for the address', ['transport_maps = regexp:/address'], '[a.example]'],
  ['no pattern for the domain alone', ['transport_maps = pcre:/domain'], undefined],
  [
    'a next hop without a transport',
    ['transport_maps = inline:{ recipient.example=:[a.example] }'],
    '[a.example]',
  ],
  [
    'a transport without a next hop',
    ['transport_maps = inline:{ *=smtp: }', 'relayhost = x.example'],
    undefined,
  ],
];
for (const [name, lines, smartHost] of transports)
  test(`the route follows ${name}`, () => {
    const readTable: PostfixInput['readTable'] = ({ name }) => {
      const key = name === '/address' ? '@recipient\\.example' : '^recipient\\.example';
      return { ok: true, text: `/${key}$/ smtp:[a.example]\n` };
    };
    assert.equal(predict([...dane, ...lines], { readTable }).smartHost, smartHost);
  });

test('unreadable lists and a content filter are assumptions', () => {
  const { assumptions } = predict([
    ...dane,
    'virtual_mailbox_domains = mysql:/x.cf',
    'content_filter = scan:[127.0.0.1]:10024',
  ]);
  assert.deepEqual(assumptions.slice(1, 3), [
    'The content filter scan:[127.0.0.1]:10024 returns the mail to this server.',
    'The tables of virtual_mailbox_domains do not list recipient.example.',
  ]);
});

test('a transport of another program leaves every verdict open', () => {
  const map = 'transport_maps = inline:{ recipient.example=filter:[a.example] }';
  const service = 'filter unix - n n - - pipe flags=F user=mail argv=/bin/cat';
  assert.equal(verdicts(predict([...dane, map, service])), '? ? ? ?');
});

test('an open mechanism names the line that leaves it open', () => {
  const { mechanisms } = predict([...dane, 'smtp_fallback_relay = [backup.example]']);
  const found = mechanisms.find(({ mechanism }) => mechanism === 'dane');
  assert.equal(found?.line, 'smtp_fallback_relay = [backup.example]');
});

test('a separate TLS configuration leaves old TLS versions open', () => {
  const lines = ['smtp_tls_security_level = may', 'smtp_tls_protocols = !SSLv2'];
  const tlsLibrary = 'OpenSSL 3.0.14 4 Jun 2024 (Library: OpenSSL 3.0.14 4 Jun 2024)\n';
  const verdict = (...more: string[]): string =>
    verdictOf(predict([...lines, ...more], { tlsLibrary, version: '3.9' }), 'large-hello');
  assert.equal(verdict('tls_eecdh_auto_curves ='), 'delivered-unverified');
  for (const line of ['tls_config_file = /etc/postfix/tls.cnf', 'tls_config_name = legacy'])
    assert.equal(verdict('tls_eecdh_auto_curves =', line), 'cannot-tell', line);
});

const openRoutes: readonly (readonly [string, string])[] = [
  ['an unreadable transport table', 'transport_maps = ldap:/etc/x.cf'],
  ['a route by sender', 'sender_dependent_relayhost_maps = hash:/etc/postfix/relay'],
  ['another transport', 'default_transport = uucp:host'],
];
for (const [name, line] of openRoutes)
  test(`${name} leaves every verdict open`, () => {
    assert.equal(verdicts(predict([...dane, line])), '? ? ? ?');
  });

test('the version decides about REQUIRETLS', () => {
  const requiretls = (lines: readonly string[], version?: string): string | undefined =>
    predict(lines, { version }).mechanisms.find(({ mechanism }) => mechanism === 'requiretls')
      ?.verdict;
  assert.equal(requiretls(dane, '3.7.11'), 'does-not-use');
  assert.equal(requiretls(dane, '3.11.2'), 'enforces');
  assert.equal(requiretls([...dane, 'mail_version = 3.11.0']), 'enforces');
  assert.equal(requiretls(dane), 'cannot-tell');
  assert.equal(requiretls([...dane, 'requiretls_enable = no'], '3.12'), 'does-not-use');
  assert.equal(
    requiretls([...dane, 'smtp_requiretls_policy = opportunistic+starttls'], '3.11'),
    'observes-only',
  );
});

// The suggested lines configure the mechanism, so they must change its verdict.
test('the suggested lines change the verdict', () => {
  const poor = ['smtp_tls_security_level = none', 'ignore_mx_lookup_error = yes'];
  const first = predict(poor, { policyServer: 'hermetic' });
  const lines = first.changes.flatMap((change) => (change.place === 'main.cf' ? change.lines : []));
  const second = predict([...poor, ...lines], { policyServer: 'hermetic' });
  assert.equal(verdicts(first), 'no no no ?');
  assert.equal(verdicts(second), 'observes enforces enforces enforces');
});

test('cells that a change improves name its mechanism', () => {
  const { exposure, cases } = predict(dane);
  assert.equal(exposure.mtaStsCached?.stripStarttls?.change, 'mta-sts');
  assert.equal(exposure.mtaStsFirst?.suppress?.change, undefined);
  assert.equal(exposure.dane?.stripStarttls?.change, undefined);
  assert.equal(exposure.opportunistic?.stripStarttls?.change, undefined);
  assert.equal(cases.find((one) => one.case === 'sts-clear')?.change, 'mta-sts');
});
