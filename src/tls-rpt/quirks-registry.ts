import { defineFailures, type FailureEntry } from '../base/index.js';

/**
 * A reporter's departure: `message` states how it was read, `fix` what the reporter should
 * send.
 */
function quirk(clause: string, message: string, fix: string): FailureEntry {
  return { blame: 'peer', temporary: false, clause, message, fix };
}

/** Every way in which a report may depart from RFC 8460 and still be read. */
export const reportQuirks = defineFailures({
  'encoding-not-utf8': quirk(
    'RFC 7493 §2.1',
    'The text is not UTF-8; it was decoded as well as could be.',
    'Send UTF-8.',
  ),
  'byte-order-mark': quirk(
    'RFC 8259 §8.1',
    'The text begins with a byte order mark; it was skipped.',
    'Leave it out.',
  ),
  'text-around': quirk(
    'RFC 8460 §4',
    'Something stands before or after the JSON; it was skipped.',
    'Send the JSON alone.',
  ),
  'json-malformed': quirk(
    'RFC 8259 §2',
    'The JSON breaks the grammar where its meaning is clear (a stray comma or control character, the last brace missing); it was repaired.',
    'Write it by a JSON library.',
  ),
  'packed-twice': quirk(
    'RFC 8460 §5.2',
    'The report is compressed twice; both layers were opened.',
    'Compress once.',
  ),
  'packed-as-zip': quirk(
    'RFC 8460 §5.2',
    'The report came in a zip archive; the files in it were read.',
    'Send gzip.',
  ),
  'packed-as-zlib': quirk(
    'RFC 8460 §5.2',
    'The report is compressed as zlib instead of gzip; it was read.',
    'Send gzip.',
  ),
  'packed-as-base64': quirk(
    'RFC 8460 §5.3',
    'The report is base64 without a declaration; it was decoded.',
    'Give Content-Transfer-Encoding.',
  ),
  'media-type-wrong': quirk(
    'RFC 8460 §6.4',
    'The media type is not that of a report; the content was.',
    'Send application/tlsrpt+gzip.',
  ),
  'member-repeated': quirk(
    'RFC 7493 §2.3',
    'A member occurs twice in one object; the last one was read.',
    'Write each member once.',
  ),
  'member-misnamed': quirk(
    'RFC 8460 §4.4',
    'A member has almost the right name; it was read as that.',
    'Use the names of the RFC.',
  ),
  'member-misplaced': quirk(
    'RFC 8460 §4.4',
    'A member is at another level; it was read there.',
    'Follow the structure of the RFC.',
  ),
  'member-missing': quirk(
    'RFC 8460 §4.4',
    'A member is missing; no value was assumed.',
    'Give it.',
  ),
  'null-member': quirk('RFC 8460 §4.4', 'A member is null; it counts as missing.', 'Leave it out.'),
  'level-missing': quirk(
    'RFC 8460 §4.4',
    'A level of objects is missing; its members were read one level up.',
    'Follow the structure.',
  ),
  'level-extra': quirk(
    'RFC 8460 §4.4',
    'An object is wrapped in an array, another object or a string; it was read.',
    'Write the object itself.',
  ),
  'list-is-string': quirk(
    'RFC 8460 §4.4',
    'A list is one string; it was read as a list of one.',
    'Write an array.',
  ),
  'list-is-object': quirk(
    'RFC 8460 §4',
    'An array is one object; it was read as an array of one.',
    'Write an array.',
  ),
  'list-in-string': quirk(
    'RFC 8460 §4.5',
    'A string holds a JSON array; its elements were read.',
    'Write the array itself.',
  ),
  'list-joined': quirk(
    'RFC 8460 §4.5',
    'A list is joined into one string; it was taken apart.',
    'Write one element for each.',
  ),
  'list-empty': quirk('RFC 8460 §4.4', 'A list is empty.', 'Leave it out.'),
  'text-empty': quirk('RFC 8460 §4.4', 'A text is empty; it counts as missing.', 'Leave it out.'),
  'text-too-long': quirk(
    'RFC 8460 §7',
    'A text is longer than 4,096 characters; the rest was left in the raw report.',
    'Shorten it.',
  ),
  'text-in-list': quirk(
    'RFC 8460 §4.4',
    'A text is wrapped in an array.',
    'Write the string itself.',
  ),
  'text-not-string': quirk(
    'RFC 8460 §4.4',
    'A text is a number or a truth value.',
    'Write a string.',
  ),
  'text-form': quirk(
    'RFC 8460 §4.3',
    'A keyword is written in another form; its meaning is clear.',
    'Write it as the RFC does.',
  ),
  'date-missing': quirk('RFC 8460 §4.4', 'A date is missing.', 'Give both ends of the range.'),
  'date-invalid': quirk(
    'RFC 3339 §5.6',
    'A date cannot be read; it counts as missing.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'date-no-zone': quirk('RFC 3339 §5.6', 'A date has no zone; it was read as UTC.', 'Add Z.'),
  'date-form': quirk(
    'RFC 3339 §5.6',
    'A date is written in another form.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'date-number': quirk(
    'RFC 3339 §5.6',
    'A date is a number; it was read as time since 1970.',
    'Write it as 2026-01-31T00:00:00Z.',
  ),
  'range-reversed': quirk(
    'RFC 8460 §4.4',
    'The range ends before it begins; its ends were exchanged.',
    'Give the start first.',
  ),
  'range-to-midnight': quirk(
    'RFC 8460 §4.1',
    'The day ends at the next midnight; it counts as one day.',
    'End at 23:59:59.',
  ),
  'range-not-a-day': quirk(
    'RFC 8460 §4.1',
    'The range is not a UTC day; it counts on the day of its middle, or its first.',
    'Report UTC days.',
  ),
  'count-is-string': quirk(
    'RFC 8460 §4.4',
    'A count is a string; its number was taken.',
    'Write a number.',
  ),
  'count-missing': quirk(
    'RFC 8460 §4.4',
    'A count is missing: failures are then those of the details, at least one for each, and the rest 0.',
    'Give it.',
  ),
  'count-invalid': quirk(
    'RFC 8460 §4.4',
    'A count is not a whole number from 0 to ten thousand million. A fraction of failures is rounded up; anything else counts as missing.',
    'Write a number.',
  ),
  'submitter-not-domain': quirk(
    'RFC 8460 §5.3',
    'TLS-Report-Submitter is not a domain; the mail is judged by From, contact-info and the signature.',
    'Write the domain of contact-info.',
  ),
  'policies-empty': quirk(
    'RFC 8460 §4.4',
    'The report lists no policy: it says nothing.',
    'Send reports with sessions in them.',
  ),
  'policy-unreadable': quirk(
    'RFC 8460 §4.4',
    'An element of policies is not an object; it was left out.',
    'Write an object.',
  ),
  'policy-type-missing': quirk(
    'RFC 8460 §4.4',
    'The policy type is missing; it was inferred from the policy, if possible.',
    'Give policy-type.',
  ),
  'policy-type-unknown': quirk(
    'RFC 8460 §4.4',
    'The policy type is unknown; it was kept verbatim.',
    'Use tlsa, sts or no-policy-found.',
  ),
  'policy-domain-missing': quirk(
    'RFC 8460 §4.4',
    'A policy has no domain: that of the others, the mail or the file was taken.',
    'Give policy-domain.',
  ),
  'result-type-missing': quirk(
    'RFC 8460 §4.3',
    'A failure has no result type.',
    'Give result-type.',
  ),
  'result-type-unknown': quirk(
    'RFC 8460 §6.6',
    'The result type is not registered; it was kept verbatim.',
    'Nothing, if it was added.',
  ),
  'details-missing': quirk(
    'RFC 8460 §4.3',
    'Failures are counted but not described.',
    'Add failure-details.',
  ),
  'details-fewer': quirk(
    'RFC 8460 §4.3',
    'The details describe fewer failures than were counted.',
    'Describe every failure.',
  ),
  'details-more': quirk(
    'RFC 8460 §4.4',
    'The details add up to more failures than sessions; a session may fail twice.',
    'Nothing.',
  ),
  'domain-form': quirk(
    'RFC 8460 §4.4',
    'A domain is not in A-labels and lower case; it was converted.',
    'Send A-labels.',
  ),
  'domain-invalid': quirk(
    'RFC 8460 §4.4',
    'A domain is invalid; it was kept verbatim.',
    'Send a domain name.',
  ),
  'address-form': quirk(
    'RFC 5952 §4',
    'An address is not in canonical form; it was converted.',
    'Follow RFC 5952.',
  ),
  'address-invalid': quirk(
    'RFC 8460 §4.4',
    'An address is invalid; it was kept verbatim.',
    'Send an IP address, or leave it out.',
  ),
});

export type QuirkCode = keyof typeof reportQuirks.entries;
