import assert from 'node:assert/strict';
import test from 'node:test';
import { explainTopics } from './explain/topics.js';
import { runCli } from '../../test/support/run-cli.js';

const explain = (...args: string[]) => runCli(['explain', ...args]);

/** The lines that each picture must contain, so that no picture is empty. */
const shows: Readonly<Record<string, RegExp>> = {
  starttls:
    /S: 250-STARTTLS +# the server offers TLS[\s\S]*\[ TLS handshake \][\s\S]*\(encrypted\) EHLO/,
  'gmail-tls': /4\.7\.29[\s\S]*S: 250-STARTTLS[\s\S]*\[ TLS handshake \]/,
  opportunistic: /Sender without DANE or MTA-STS\n +unverified +\(plaintext\) +\(attacker\)/,
  stripping:
    /S: 250-STARTTLS[\s\S]*S: 250-XXXXXXXA +# STARTTLS, overwritten on the path[\s\S]*Sender with DANE\n +DEFERRED +defeated/,
  'tls-versions': /SSL 3 +refused +accepted/,
  ciphers: /TLS_RSA_WITH_RC4_128_SHA +# weak/,
  certificates: /expired\.example +trusted, expired/,
  'trust-stores':
    /store of the lab:\ngood\.example +trusted, until[\s\S]*Mozilla[\s\S]*good\.example +unknown-ca|good\.example +incomplete/,
  'post-quantum':
    /Postfix 3\.7 +TLS 1\.3, \w+\n +Postfix with OpenSSL 3\.5 +TLS 1\.3, \w+\n[\s\S]*Go +TLS 1\.3, \w+/,
  'exchange-online': /mx: \*\.sts-two-label-wildcard[\s\S]*a\.mx\.\S+ +mismatch/,
  enforcing: /Sender with both, policy cached\n +verified +defeated/,
  sender: /sts-clear +refuse +refused after EHLO\n[\s\S]*dane-expired +deliver\n/,
  'mta-sts': /v=STSv1; id=\d+[\s\S]*mode: enforce/,
  dane: /3 1 1 ([0-9a-f]{64})\n[\s\S]*\1[\s\S]*DANE: match/,
  rollover: /rollover\.example: ready[\s\S]*duplicate +3 0 1[\s\S]*stale +3 1 1/,
  dnssec: /\.\n +DNSKEY \d+ RSASHA256[\s\S]*TLSA +by \d+/,
  'tls-rpt':
    /v=TLSRPTv1; rua=mailto:[\s\S]*stripped\.example: deferred\n( +policy (sts|tlsa) +starttls-not-supported\n){2}/,
  attacker: /suppressed\.example[\s\S]*good\.example/,
};

for (const { name } of explainTopics) {
  test(`explain ${name}: text and picture fit 80 columns`, async () => {
    const { code, out, err } = await explain(name);
    assert.equal(code, 0, err);
    assert.match(out, shows[name] ?? /^$/);
    assert.match(out, /RFC \d{4,5}\b/);
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
  });
}

test('pictures show live runs: keys differ between two runs', async () => {
  const [one, two] = [await explain('dane'), await explain('dane')];
  assert.notEqual(one.out, two.out);
});

test('topics are listed, words are unique, and every reference exists', async () => {
  const { code, out } = await explain();
  assert.equal(code, 0);
  for (const { name } of explainTopics) assert.match(out, new RegExp(`^ {2}${name} `, 'm'));
  const words = explainTopics.flatMap(({ name, aliases }) => [name, ...aliases]);
  assert.equal(new Set(words).size, words.length);
  for (const { see } of explainTopics)
    for (const name of see)
      assert.ok(
        explainTopics.some((t) => t.name === name),
        name,
      );
});

test('the reply codes of Gmail lead to their topic', async () => {
  for (const code of ['4.7.29', '5.7.29', '421-4.7.29', 'gmail'])
    assert.match((await explain(code)).out, /Gmail refuses mail that came without TLS/, code);
});

test('the common subjects of mail TLS have topics', async () => {
  for (const subject of [
    'STARTTLS',
    'opportunistic TLS',
    'STARTTLS stripping',
    'TLS versions',
    'TLS 1.3',
    'cipher suites',
    'certificates',
    'MTA-STS',
    'DANE',
    'TLS-RPT',
    'DNSSEC',
    'downgrade attack',
  ])
    assert.ok(
      explainTopics.some(({ name, aliases }) =>
        [name, ...aliases].includes(subject.toLowerCase().replaceAll(' ', '-')),
      ),
      subject,
    );
});

test('an unknown topic ends with 2 and suggests similar words', async () => {
  for (const [word, near] of [
    ['striping', /Did you mean stripping/],
    ['mtast', /Did you mean [^\n]*mta-?sts/],
    ['rollover-', /Did you mean [^\n]*rollover/],
    ['\x1b[31mzzzz', /lists the topics/],
  ] as const) {
    const { code, err } = await explain(word);
    assert.equal(code, 2);
    assert.match(err, near);
    assert.ok(!err.includes('\x1b'));
  }
  assert.match((await explain('dane-mismatch')).out, /TLSA records do not match/);
});
