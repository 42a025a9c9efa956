import { defineFailures, type FailureEntry } from '../base/index.js';

/**
 * Defines a departure of the reporter: `message` states how the parser reads it, `fix`
 * states the correct form.
 */
function quirk(clause: string, message: string, fix: string): FailureEntry {
  return { blame: 'peer', temporary: false, clause, message, fix };
}

/**
 * The departures from RFC 8460 for which a report is not refused. Large and small
 * reporters send such reports, and a refusal would lose their information. The parser
 * therefore accepts and notes each departure with an unambiguous meaning. The meaning of
 * a code never changes, because the code is stored with the report.
 */
export const reportQuirks = defineFailures({
  'encoding-not-utf8': quirk(
    'RFC 7493 §2.1',
    'The text is not UTF-8. The parser decoded it as far as possible.',
    'Send UTF-8.',
  ),
  'byte-order-mark': quirk(
    'RFC 8259 §8.1',
    'The text begins with a byte order mark, which the parser skipped.',
    'Omit the mark.',
  ),
  'text-around': quirk(
    'RFC 8460 §4',
    'The JSON has other text before or after it, which the parser skipped.',
    'Send the JSON alone.',
  ),
  'json-malformed': quirk(
    'RFC 8259 §2',
    'The JSON has a small fault: a stray comma or control character, or no last brace. The parser repaired it.',
    'Write it with a JSON library.',
  ),
  'packed-twice': quirk(
    'RFC 8460 §5.2',
    'The report is compressed twice. The parser unpacked both layers.',
    'Compress once.',
  ),
  'packed-as-zip': quirk(
    'RFC 8460 §5.2',
    'The report is in a zip archive, whose files the parser read.',
    'Send gzip.',
  ),
  'packed-as-zlib': quirk(
    'RFC 8460 §5.2',
    'The report is compressed as zlib instead of gzip. The parser read it.',
    'Send gzip.',
  ),
  'packed-as-base64': quirk(
    'RFC 8460 §5.3',
    'The report is base64 without a declaration. The parser decoded it.',
    'Declare the Content-Transfer-Encoding.',
  ),
  'media-type-wrong': quirk(
    'RFC 8460 §6.4',
    'The media type is wrong for a report, but the content is a report.',
    'Send application/tlsrpt+gzip.',
  ),
  'member-repeated': quirk(
    'RFC 7493 §2.3',
    'A member occurs twice in one object. The parser used its last value.',
    'Write each member once.',
  ),
  'member-misnamed': quirk(
    'RFC 8460 §4.4',
    'A member has almost the right name. The parser accepted it.',
    'Use the names of the RFC.',
  ),
  'member-misplaced': quirk(
    'RFC 8460 §4.4',
    'A member is at another level. The parser read it at that level.',
    'Follow the structure of the RFC.',
  ),
  'member-missing': quirk(
    'RFC 8460 §4.4',
    'A member is missing. The parser assumed no value.',
    'Add the member.',
  ),
  'null-member': quirk(
    'RFC 8460 §4.4',
    'A member is null. The parser treated it as missing.',
    'Omit the member.',
  ),
  'level-missing': quirk(
    'RFC 8460 §4.4',
    'A level of objects is missing. The parser read its members one level up.',
    'Follow the structure.',
  ),
  'level-extra': quirk(
    'RFC 8460 §4.4',
    'An object is wrapped in an array, another object or a string. The parser read it.',
    'Write the object itself.',
  ),
  'list-is-string': quirk(
    'RFC 8460 §4.4',
    'A list is one string. The parser read it as a list with one element.',
    'Write an array.',
  ),
  'list-is-object': quirk(
    'RFC 8460 §4',
    'A list is an object instead of an array. The parser read it as an array with one element.',
    'Write an array.',
  ),
  'list-in-string': quirk(
    'RFC 8460 §4.5',
    'A string contains a JSON array. The parser read its elements.',
    'Write the array itself.',
  ),
  'list-joined': quirk(
    'RFC 8460 §4.5',
    'A list is one joined string. The parser split it.',
    'Write one element for each value.',
  ),
  'list-empty': quirk('RFC 8460 §4.4', 'A list is empty.', 'Omit the list.'),
  'text-empty': quirk(
    'RFC 8460 §4.4',
    'A string is empty. The parser treated it as missing.',
    'Omit the string.',
  ),
  'text-too-long': quirk(
    'RFC 8460 §7',
    'A string has more than 4,096 characters. The raw report keeps the rest.',
    'Shorten it.',
  ),
  'text-in-list': quirk(
    'RFC 8460 §4.4',
    'A string is wrapped in an array.',
    'Write the string itself.',
  ),
  'text-not-string': quirk(
    'RFC 8460 §4.4',
    'A string is a number or a boolean.',
    'Write a string.',
  ),
  'text-form': quirk(
    'RFC 8460 §4.3',
    'A keyword has an unusual form, but a clear meaning.',
    'Write it as the RFC does.',
  ),
  'date-missing': quirk('RFC 8460 §4.4', 'A date is missing.', 'Write both ends of the range.'),
  'date-invalid': quirk(
    'RFC 3339 §5.6',
    'A date is unreadable. The parser treated it as missing.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'date-no-zone': quirk(
    'RFC 3339 §5.6',
    'A date has no zone. The parser read it as UTC.',
    'Add Z.',
  ),
  'date-form': quirk(
    'RFC 3339 §5.6',
    'A date is not in the form of RFC 3339.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'date-number': quirk(
    'RFC 3339 §5.6',
    'A date is a number. The parser read it as time since 1970.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'range-reversed': quirk(
    'RFC 8460 §4.4',
    'The range ends before it begins. The parser swapped the ends.',
    'Write the start first.',
  ),
  'range-to-midnight': quirk(
    'RFC 8460 §4.1',
    'The range ends at the next midnight. The parser treats it as one day.',
    'End at 23:59:59.',
  ),
  'range-not-a-day': quirk(
    'RFC 8460 §4.1',
    'The range is not a UTC day. The parser uses the day of its middle, or its first day.',
    'Report UTC days.',
  ),
  'count-is-string': quirk(
    'RFC 8460 §4.4',
    'A count is a string. The parser used its number.',
    'Write a number.',
  ),
  'count-missing': quirk(
    'RFC 8460 §4.4',
    'A count is missing. Failures are then the sum of the details, at least one for each, and the rest is 0.',
    'Write the count.',
  ),
  'count-invalid': quirk(
    'RFC 8460 §4.4',
    'A count is not a whole number from 0 to ten billion. The parser rounded a fraction of failures up, and treated other values as missing.',
    'Write a number.',
  ),
  'submitter-not-domain': quirk(
    'RFC 8460 §5.3',
    'TLS-Report-Submitter is not a domain. Hermetic judges the mail by From, contact-info and the signature.',
    'Write the domain of contact-info.',
  ),
  'policies-empty': quirk(
    'RFC 8460 §4.4',
    'The report lists no policy and has no content.',
    'Send a report only if it has sessions.',
  ),
  'policy-unreadable': quirk(
    'RFC 8460 §4.4',
    'An element of policies is not an object. The parser omitted it.',
    'Write an object.',
  ),
  'policy-type-missing': quirk(
    'RFC 8460 §4.4',
    'The policy type is missing. The parser inferred it from the policy, if possible.',
    'Write policy-type.',
  ),
  'policy-type-unknown': quirk(
    'RFC 8460 §4.4',
    'The policy type is unknown. The parser kept it verbatim.',
    'Use tlsa, sts or no-policy-found.',
  ),
  'policy-domain-missing': quirk(
    'RFC 8460 §4.4',
    'A policy has no domain. The parser used the domain of another policy, of the mail or of the file name.',
    'Write policy-domain.',
  ),
  'result-type-missing': quirk(
    'RFC 8460 §4.3',
    'A failure has no result type.',
    'Write result-type.',
  ),
  'result-type-unknown': quirk(
    'RFC 8460 §6.6',
    'The result type is not registered. The parser kept it verbatim.',
    'Take no action if an RFC added the result type.',
  ),
  'details-missing': quirk(
    'RFC 8460 §4.3',
    'The report counts failures but does not describe them.',
    'Add failure-details.',
  ),
  'details-fewer': quirk(
    'RFC 8460 §4.3',
    'The details describe fewer failures than the summary counts.',
    'Describe every failure.',
  ),
  'total-zero': quirk(
    'RFC 8460 §4.4',
    'The summary counts no failure, but the details count some. Failures are then the sum of the details.',
    'Write the number of failed sessions into total-failure-session-count.',
  ),
  'details-more': quirk(
    'RFC 8460 §4.4',
    'The details add up to more failures than sessions. A session may fail twice.',
    'Take no action.',
  ),
  'domain-form': quirk(
    'RFC 8460 §4.4',
    'A domain is not in A-labels and lower case, or is part of a record name, URL or address. The parser converted it.',
    'Send A-labels.',
  ),
  'domain-invalid': quirk(
    'RFC 8460 §4.4',
    'A domain is invalid. The parser kept it verbatim.',
    'Send a domain name.',
  ),
  'address-form': quirk(
    'RFC 5952 §4',
    'An address is not in canonical form. The parser converted it.',
    'Follow RFC 5952.',
  ),
  'address-invalid': quirk(
    'RFC 8460 §4.4',
    'An address is invalid. The parser kept it verbatim.',
    'Send an IP address, or omit it.',
  ),
});

/** The code of a departure. */
export type QuirkCode = keyof typeof reportQuirks.entries;
