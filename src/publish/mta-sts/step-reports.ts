import type { SetRrset } from '../actions.js';
import { parseTlsRptRecord } from '../../tls-rpt/index.js';
import { txtRdata } from '../records/txt-rdata.js';
import { agreedRrset, disagreement, ownRecords } from './apply-observation.js';
import type { RecordSteps } from './move-mx.js';
import { removeOwn } from './remove-own.js';
import type { PolicyState, ServerAnswer } from './types.js';

/** The desired TLS-RPT record of a domain, and the known facts about the current one. */
export interface DesiredReports {
  /** `mailto:` and `https:` URIs; empty if no record is desired. */
  readonly rua: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  /** The record that Hermetic wrote before, from the saved state. */
  readonly written?: string | undefined;
  /** The reason why no record can be published below the domain. */
  readonly held?: string | undefined;
}

/**
 * Plans the TLS-RPT record (RFC 8460 §3): exactly one record. Other texts at the name
 * remain unchanged. If no addresses are desired, Hermetic removes the record in
 * `written`. `state` must be saved before the steps are executed.
 */
export function stepReports(
  domainName: string,
  answers: readonly ServerAnswer[],
  { rua, ttl, written, held }: DesiredReports,
): RecordSteps & { readonly state: Pick<PolicyState, 'reports'> } {
  const name = `_smtp._tls.${domainName}`;
  const state = written === undefined ? {} : { reports: written };
  if (rua.length === 0) {
    if (written === undefined) return { steps: [], waits: [], state };
    const removal = removeOwn(
      {
        domain: domainName,
        name,
        type: 'TXT',
        written,
        isKind: isTlsRptRecord,
        rdata: txtRdata,
        normalize: (text) => text && meaningOf(text),
        ttl,
        because: 'the configuration no longer requests reports',
        clause: 'RFC 8460 §3',
      },
      answers,
    );
    return { ...removal, state };
  }
  const waitFor = (why: string): ReturnType<typeof stepReports> => ({
    steps: [],
    waits: [{ subject: domainName, why }],
    state,
  });
  if (held !== undefined) return waitFor(held);
  const shown = agreedRrset(answers);
  if (!shown) {
    const { why, alias } = disagreement(name, `TXT of ${name}`, answers);
    if (alias === undefined) return waitFor(why);
    return waitFor(
      `${why}, so the record there determines the address of reports: remove the alias, or remove reports of ${domainName}`,
    );
  }
  const wanted = `v=TLSRPTv1; rua=${rua.join(',')}`;
  const [present, ...further] = shown.records.filter(isTlsRptRecord);
  if (present !== undefined && further.length === 0 && meaningOf(present) === meaningOf(wanted))
    return { steps: [], waits: [], state };
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  const own = ownRecords(shown);
  const others = own.filter((text) => !isTlsRptRecord(text));
  const action: SetRrset = {
    kind: 'set-rrset',
    name,
    type: 'TXT',
    from: rdata(own),
    to: rdata([...others, wanted]),
    ttl,
  };
  const because = 'the record only asks senders for reports, and reports are the evidence';
  return {
    steps: [{ action, because, clause: 'RFC 8460 §3' }],
    waits: [],
    state: { reports: wanted },
  };
}

function isTlsRptRecord(text: string): boolean {
  return parseTlsRptRecord([text]).status !== 'absent';
}

/**
 * Returns the same text for equivalent records: spaces and the order of addresses do not
 * matter (RFC 8460 §3).
 */
function meaningOf(text: string): string {
  const { status, rua, problems } = parseTlsRptRecord([text]);
  if (status !== 'found' || problems.length > 0) return text;
  return [...new Set(rua.map(normalUri))].sort().join(' ');
}

/** Returns a URI with scheme and domain in lower case (RFC 3986 §6.2.2.1). */
function normalUri(reportUri: string): string {
  if (URL.canParse(reportUri) && !/^mailto:/i.test(reportUri)) return new URL(reportUri).href;
  const [, mailbox = '', domainName = ''] = /^mailto:(.*)(@[^@]*)$/i.exec(reportUri) ?? [];
  return `mailto:${mailbox}${domainName.toLowerCase()}`;
}
