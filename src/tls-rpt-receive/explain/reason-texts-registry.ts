type ReasonRule = readonly [pattern: RegExp, means: string, about?: 'connection'];

/**
 * The rules that give a meaning to failure-reason-code, which is free text. The first
 * rule that matches applies. A rule matches a whole statement, not a single word. A
 * reason that no rule matches is shown as reported, which is better than a wrong
 * explanation.
 */
export const reasonTexts: readonly ReasonRule[] = [
  [
    /\bnot (found |present )?in (the )?(\w+ )?(policy )?cache\b|\bno cached policy\b|\bcache miss\b/i,
    'The sender had no policy in its cache.',
  ],
  [
    /\bmx[-_ ]?(hosts?|record|name|server)?s?[-_ ]?mismatch|\bmx\b.{0,60}\b(not|isn't|doesn't|does not|did not|no)\b.{0,25}\b(authori[sz]ed|allowed|listed|permitted|found in|in|match\w*)\b[^,;:]{0,25}\b(polic(y|ies)|sts|patterns?)\b|\b(polic(y|ies)|sts)\b.{0,30}\b(does not|doesn't|not)\b.{0,20}\b(list|allow|name|match|authori[sz]e|contain|include)\w*\b.{0,15}\b(mx|host)|\bno (matching )?mx\b.{0,20}\bpolicy|\bno mx (host )?match(ed|es)\b|\b(failed|unable) to match any mx\b|\bmx hosts? of .{1,80} failed mta-?sts\b|(\b(mx|host(name)?|server|exchanger)|[\w-]{1,63}(\.[\w-]{1,63}){1,8})( \S{1,80}){0,4} not (listed |allowed |authori[sz]ed |permitted |found )?(in|by) (the )?(mta-?sts |sts )?policy|^not (listed |allowed |authori[sz]ed |permitted |found )?(in|by) (the )?(mta-?sts |sts )?policy\b/i,
    'The MX host is not in the MTA-STS policy.',
  ],
  [
    /\b(tlsa|dane)\b.{0,40}(mismatch|not match|no match|failed to match|invalid|unusable|verification failed)|\b(no|0) (matching|usable|valid) (tlsa|dane)|tlsa[-_ ]?(mismatch|invalid)|dane[-_ ]?(ee|ta)?[-_ ]?(mismatch|failure)|X509_V_ERR_DANE_NO_MATCH/i,
    'No TLSA record matches the certificate of the server, or all are unusable.',
  ],
  [
    /\b(no|without) (tlsa|dane) records?\b|\bnon[- ]dnssec destination/i,
    'The sender found no TLSA record.',
  ],
  [
    /\bdnssec[-_]?invalid\b|\bdnssec\b(?!.{0,20}\bnot\b).{0,40}(fail|invalid|bogus|error|expired)|\b(bogus|rrsig|nsec3?)\b/i,
    'DNSSEC validation failed.',
  ],
  [
    /(?<!expired or is )not[-_ ]?yet[-_ ]?valid|CERT_NOT_YET_VALID|\bis before 20\d\d|notbefore/i,
    'The certificate is not valid yet: a clock may be wrong.',
  ],
  [
    /(cert\w*|x509)\b(?!.{0,40}\b(not|never)( yet)? expired).{0,40}\bexpired|\bexpired\b.{0,20}\bcert|^expired$|certificate[-_ ]?expired|CERT(IFICATE)?_HAS_EXPIRED|\bis after 20\d\d|notafter/i,
    'The certificate has expired.',
  ],
  [
    /self[-_ ]?signed|DEPTH_ZERO_SELF|SELF_SIGNED_CERT/i,
    'The certificate is self-signed, or its root is unknown to the sender.',
  ],
  [
    /hostname[-_ ]?mismatch|host[-_ ]?(name)?[-_ ]?mismatch|name[-_ ]?mismatch|\bnot valid for\b|(host ?name|server name|subject(alt| alternative)? ?names?|\bsan\b|common name)\b.{0,40}(not match|no match|mismatch|does not|doesn't)|is valid for .{1,120}, not |\b(certificate|CN=\S+)( (for|of) \S+)? (does not|doesn't) match\b|subject[-_ ]?(alt\w*|alternative)[-_ ]?names? matching|hostname verification failed|COMMON_NAME_INVALID|subject[-_ ]?mismatch|legacy common name|doesn't contain any ip sans/i,
    'The certificate is for another name.',
  ],
  [
    /unable to get (local )?issuer|UNABLE_TO_(GET_ISSUER|VERIFY_LEAF)|unknown[-_ ](ca|authority|issuer)|signed by unknown authority|(cert\w*|issuer|ca|chain|authority)\b.{0,25}\b(is )?(not trusted|untrusted)|remotecertificatechainerrors|\buntrusted (cert\w*|issuer|ca|root)|unable to verify the first certificate|untrusted[-_ ]?root|\bserver certificate not verified|incomplete chain|(cert\w*[- ])?chain\b.{0,15}\b(incomplete|invalid|broken)/i,
    'The certificate has no path to a trusted CA: the intermediate may be missing.',
  ],
  [/\bcert\w*\b.{0,20}\brevoked|CERT_REVOKED/i, 'The certificate was revoked.'],
  [
    /(?<!\bdhe?[ _-])\b(key|md|digest|signature|cert\w*)\b.{0,15}\btoo (weak|small|short)|EE_KEY_TOO_SMALL|CA_MD_TOO_WEAK/i,
    'The key or the signature of the certificate is too weak.',
  ],
  [
    /\bnxdomain\b|no such (host|domain)|host not found|\bENOTFOUND\b|name (or service )?(does not exist|not known)/i,
    'The name does not exist in the DNS.',
  ],
  [
    /\bservfail\b|\bEAI_AGAIN\b|\b(dns|resolver|name server|lookup)\b.{0,30}\b(fail\w*|error|timed?[ -]?out|unavailable)/i,
    'The DNS lookup failed.',
  ],
  [
    /\b(http\w*|status|code|response|server returned|policy|fetch\w*)\b.{0,30}\b404\b|\b404\b.{0,5}not found|^404$|policy (file )?not found(?! in (the )?cache)/i,
    'The web server did not find the policy file.',
  ],
  [
    /\b(http\w*|status|code|response)\b.{0,20}\b30[1278]\b|\b(http\w*|web|polic(y|ies)|sts|fetch\w*)\b.{0,40}\bredirect(s|ed|ion)?\b|\bredirect(s|ed|ion)?\b.{0,30}\b(http\w*|polic(y|ies)|not allowed|forbidden|30[1278])\b|^redirect(s|ed|ion)?$|^30[1278]\b/i,
    'The web server redirects, which MTA-STS forbids.',
  ],
  [
    /\b(http\w*|status|code|response|server returned)\b.{0,30}\b40[13]\b|\b403 forbidden|\b401 unauthori[sz]ed|^40[13]$/i,
    'The web server refuses this sender.',
  ],
  [
    /\b(http\w*|status|code|response)\b.{0,30}\b429\b|too many requests|^429$/i,
    'The server limits the requests of this sender.',
  ],
  [
    /\b(http\w*|status|code|response|server returned)\b.{0,30}\b5\d\d\b|internal server error|bad gateway|service unavailable|gateway time-?out|^50\d$/i,
    'The web server failed.',
  ],
  [/\b(content|media)[-_ ]?type\b/i, 'The web server did not serve the policy as text/plain.'],
  [
    /(\b(no|not|did not|without)\b|n't).{0,20}\b(offer|advertise|support|announce)\w*\b.{0,20}\bstarttls|\b(has|have|had) no starttls\b|\bstarttls\b.{0,30}\b(not|no|un)[- ]?(offered|advertised|supported|available|implemented|recogni[sz]ed)|STARTTLS[-_]NOT[-_]SUPPORTED|\btls is required, but was not offered/i,
    'STARTTLS was not offered.',
  ],
  [
    /\bstarttls\b.{0,30}\b(fail\w*|refused|rejected|error)|\btls (is )?not available due to/i,
    'The server offered STARTTLS, and the handshake failed.',
  ],
  [
    /(unsupported|no common|wrong|alert) protocol( version)?|protocol version (not supported|mismatch|alert)|version too low|no supported versions/i,
    'The two sides share no TLS version.',
  ],
  [
    /no shared cipher|no cipher|handshake[-_ ]?fail(ure|ed)|no common cipher|\bdhe?[ _-]key[ _-]too[ _-]small/i,
    'The TLS handshake failed.',
  ],
  [
    /\b(polic(y|ies)|sts)\b.{0,40}\b(not valid utf-?8|syntax|pars(e|ing)|malformed|invalid (line|version|mode|max_age|syntax|field))|\binvalid (policy|max_age|mode)\b|\b(missing|no|duplicate) (mx|max_age|mode|version|key)( field)?( in policy)?$|^(mx|max_age|mode|version) (is )?missing|\b(syntax|parse|parsing) error/i,
    'The policy does not follow the grammar.',
  ],
  [
    /\btime[-_ ]?out\b|\btimed[-_ ]out\b|\b(not|n't|no \w+)\b.{0,60}\bin time\b|deadline exceeded|\bETIMEDOUT\b/i,
    'No answer arrived in time.',
    'connection',
  ],
  [/connection refused|\bECONNREFUSED\b/i, 'The connection was refused.', 'connection'],
  [
    /connection (was )?(reset|closed|lost|aborted)|\blost connection\b|\bECONNRESET\b|unexpected (eof|end of file)|^eof$|broken pipe/i,
    'The connection was closed early.',
    'connection',
  ],
  [
    /(network|host) (is )?unreachable|no route to host|\bE(HOST|NET)UNREACH\b/i,
    'The network had no route to the host.',
    'connection',
  ],
];

/** Maximum number of characters of a reason that are examined. Senders write one line. */
const MAX_REASON = 500;

/** Returns the meaning of a reason; undefined if no rule matches the reason. */
export function explainReason(reason: string): string | undefined {
  return ruleFor(reason)?.[1];
}

/**
 * Returns whether a reason describes a failed connection, and not a failure of TLS or of
 * a policy.
 */
export function isConnectionTrouble(reason: string): boolean {
  // The few rules about connections are tested first. Most reasons match none of them, so
  // the other rules need not be tested.
  const text = reason.slice(0, MAX_REASON);
  return (
    connectionRules.some(([pattern]) => pattern.test(text)) && ruleFor(text)?.[2] !== undefined
  );
}

const connectionRules = reasonTexts.filter(([, , about]) => about === 'connection');

/**
 * A statement that a fault was absent: "was not revoked", "no mismatch", "the mismatch
 * was not found". Such a statement contains the words of the fault, so no rule may be
 * applied to it.
 */
const denial =
  /(\b(not|never|no longer|neither|nor)|n't) (been |be |being |yet |an? |itself )?(expired?|self[- ]?signed|revoked|refused?|rejected?|reset|closed|lost|tim(ed|e) ?out|fail(ed|s|ing)?|invalid|malformed|redirect(s|ed)?|unreachable|bogus|untrusted|weak|too (weak|small|short)|incomplete|broken)\b|\b(no|without( an?| any)?) (\w+ ){0,2}(mismatch(es)?|errors?|failures?|time-?outs?|redirects?|expiry|problems?)\b|\b(mismatch|time-?out|redirect|error|expiry|failure)\w* (was|were|is|has been) (not|never)\b/i;

function ruleFor(reason: string): ReasonRule | undefined {
  const text = reason.slice(0, MAX_REASON);
  if (denial.test(text)) return undefined;
  return reasonTexts.find(([pattern]) => pattern.test(text));
}
