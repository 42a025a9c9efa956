import { defineFailures } from '../../base/index.js';

/** The faults of a message or of a record's text. */
export const wireFailures = defineFailures({
  'dns-malformed': {
    blame: 'peer',
    temporary: true,
    clause: 'RFC 1035 §4',
    message: 'The answer is not a well-formed DNS message.',
    fix: 'Ask another resolver. If all resolvers give this answer, contact the operator of the zone.',
  },
  'dns-rdata-malformed': {
    blame: 'publisher',
    temporary: false,
    clause: 'RFC 1035 §3',
    message: 'The data of a record does not follow the format of its type.',
    fix: 'Correct the record in the zone.',
  },
  'dns-text-malformed': {
    blame: 'local',
    temporary: false,
    clause: 'RFC 1035 §5',
    message: 'The text is not a record in presentation form.',
    fix: 'Write one record per line: name, TTL, class, type, data.',
  },
});
