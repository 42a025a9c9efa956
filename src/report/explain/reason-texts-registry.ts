/** Reasons as programs write them (failure-reason-code is free text), and what they mean. The first that fits counts. */
export const reasonTexts: readonly (readonly [RegExp, string])[] = [
  [
    /mx[-_ ]?hosts?[-_ ]?mismatch|mx.{0,20}(not|doesn.t|does not).{0,20}(match|in|allowed).{0,20}(policy)?|sts-mx/i,
    'The MX host is not in the MTA-STS policy.',
  ],
  [/expired|not[-_ ]?after|is after|CERT_HAS_EXPIRED/i, 'The certificate has expired.'],
  [
    /not[-_ ]?(yet[-_ ]?valid|before)|CERT_NOT_YET_VALID/i,
    'The certificate is not valid yet: perhaps a clock is wrong.',
  ],
  [
    /hostname|host[-_ ]?name|name[-_ ]?mismatch|HOSTNAME_MISMATCH|not valid for|subject(alt)?name/i,
    'The certificate is for another name.',
  ],
  [/self[-_ ]?signed|DEPTH_ZERO/i, 'The certificate is self-signed.'],
  [
    /unable to get (local )?issuer|unknown (ca|authority|issuer)|UNABLE_TO_GET_ISSUER|untrusted|not trusted|chain/i,
    'No chain leads from the certificate to a CA that is trusted: perhaps the intermediate is missing.',
  ],
  [/revoked/i, 'The certificate was revoked.'],
  [
    /weak|too small|key size|md too weak/i,
    'The key or the signature of the certificate is too weak.',
  ],
  [/tlsa|dane/i, 'No TLSA record matches what the server showed.'],
  [/dnssec|bogus|rrsig|nsec/i, 'DNSSEC validation failed.'],
  [
    /nxdomain|no such (host|domain)|host not found|ENOTFOUND/i,
    'The name does not exist in the DNS.',
  ],
  [/servfail|dns.{0,20}(fail|error|timeout)|EAI_AGAIN/i, 'The DNS did not answer.'],
  [/404|not found/i, 'The policy file was not found.'],
  [/\b30[1278]\b|redirect/i, 'The web server redirects, which MTA-STS forbids.'],
  [/\b40[13]\b|forbidden|unauthori[sz]ed/i, 'The web server refuses this sender.'],
  [/\b429\b|rate[-_ ]?limit/i, 'The web server has had too many requests from this sender.'],
  [/\b5\d\d\b|internal server error|bad gateway|service unavailable/i, 'The web server failed.'],
  [/content[-_ ]?type|media[-_ ]?type/i, 'The policy was not served as text/plain.'],
  [/time[-_ ]?(d )?out|deadline|ETIMEDOUT/i, 'There was no answer in time.'],
  [/refused|ECONNREFUSED/i, 'The connection was refused.'],
  [/reset|ECONNRESET|closed|eof/i, 'The connection was broken off.'],
  [/unreachable|no route/i, 'There was no route to the host.'],
  [/starttls/i, 'STARTTLS was not offered, or not carried out.'],
  [
    /protocol version|unsupported protocol|version too low/i,
    'No TLS version is common to both sides.',
  ],
  [
    /cipher|handshake[-_ ]?fail|no shared/i,
    'The TLS handshake failed: nothing common to both sides.',
  ],
  [
    /syntax|parse|malformed|invalid (policy|line|version|mode|max)/i,
    'The policy does not follow the grammar.',
  ],
  [/webpki|x509|certificate|cert/i, 'The certificate does not hold.'],
];

/** A reason in plain words; undefined for what nobody foresaw. */
export function explainReason(reason: string): string | undefined {
  return reasonTexts.find(([pattern]) => pattern.test(reason))?.[1];
}
