import { explainNearRecord, trimBlanks } from '../base/index.js';

/** A TXT record with what is wrong with it. */
export interface RecordLint {
  readonly text: string;
  readonly message: string;
}

/**
 * TXT records at `_mta-sts` that senders discard although their publisher meant MTA-STS
 * (RFC 8461 §3.1). Records of other kinds, as an SPF record from a wildcard,
 * are left out.
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
 * Departures of the record that senders accept: fields that occur twice or are not
 * defined.
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
