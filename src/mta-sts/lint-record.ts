import { explainNearRecord, trimBlanks } from '../base/index.js';

/** A TXT record and its fault. */
export interface RecordLint {
  readonly text: string;
  readonly message: string;
}

/**
 * Returns the TXT records at `_mta-sts` that senders discard although their publisher
 * meant MTA-STS (RFC 8461 §3.1). Records of other types are omitted, such as SPF from a
 * wildcard.
 */
export function nearStsRecords(texts: readonly string[]): readonly RecordLint[] {
  return texts.flatMap((recordText) => {
    const message =
      explainNearRecord(recordText, { version: 'STSv1', field: 'id' }) ??
      (/^v=TLSRPTv1/i.test(recordText)
        ? 'it is a TLS-RPT record, which belongs at _smtp._tls'
        : undefined);
    return message === undefined ? [] : [{ text: recordText, message }];
  });
}

/**
 * Returns the faults of a record that senders tolerate: repeated fields and unknown
 * fields.
 */
export function lintStsRecord(texts: readonly string[]): readonly RecordLint[] {
  return texts
    .filter((recordText) => /^v=STSv1[ \t]*(;|$)/.test(recordText))
    .flatMap((text) => {
      const names = text
        .split(';')
        .map((fieldName) => trimBlanks(fieldName).split('=')[0] as string)
        .filter((name) => name !== '');
      const odd = names.find((name) => name !== 'v' && name !== 'id');
      if (odd !== undefined) return [{ text, message: `no field "${odd}" is defined` }];
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice === undefined) return [];
      return [{ text, message: `${twice} occurs twice, senders use the first` }];
    });
}
