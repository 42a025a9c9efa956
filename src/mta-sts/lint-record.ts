import { explainNearRecord, trimBlanks } from '../base/index.js';

/** A TXT record and its fault. */
export interface RecordLint {
  readonly text: string;
  readonly message: string;
}

/**
 * Returns the TXT records at `_mta-sts` that senders discard although their publisher
 * meant MTA-STS (RFC 8461 §3.1). Records of other types are left out, such as SPF from a
 * wildcard.
 */
export function nearStsRecords(texts: readonly string[]): readonly RecordLint[] {
  return texts.flatMap((text) => {
    const message =
      explainNearRecord(text, { version: 'STSv1', field: 'id' }) ??
      (/^v=TLSRPTv1/i.test(text) ? 'it belongs at _smtp._tls, this is TLS-RPT' : undefined);
    return message === undefined ? [] : [{ text, message }];
  });
}

/**
 * Returns the faults of a record that senders tolerate: repeated fields and unknown
 * fields.
 */
export function lintStsRecord(texts: readonly string[]): readonly RecordLint[] {
  return texts
    .filter((text) => /^v=STSv1[ \t]*(;|$)/.test(text))
    .flatMap((text) => {
      const names = text
        .split(';')
        .map((field) => trimBlanks(field).split('=')[0] as string)
        .filter((name) => name !== '');
      const odd = names.find((name) => name !== 'v' && name !== 'id');
      if (odd !== undefined) return [{ text, message: `no field "${odd}" is defined` }];
      const twice = names.find((name, index) => names.indexOf(name) !== index);
      if (twice === undefined) return [];
      return [{ text, message: `${twice} occurs twice, senders use the first` }];
    });
}
