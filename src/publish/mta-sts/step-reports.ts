import type { SetRrset, Step, Wait } from '../actions.js';
import { parseTlsRptRecord } from '../../tls-rpt/index.js';
import { txtRdata } from '../records/txt-rdata.js';
import { agreed, disagreement, ownRecords } from './apply-observation.js';
import { removeOwn } from './remove-own.js';
import type { PolicyState, ServerAnswer } from './types.js';

/**
 * Where TLS reports go (RFC 8460 §3): exactly one record, other texts left alone. Where
 * no addresses are wanted any longer, the record goes that was `written` here. `state` is
 * what is to be remembered before the steps are carried out.
 */
export function stepReports(
  domain: string,
  texts: readonly ServerAnswer[],
  {
    rua,
    ttl,
    written,
    held,
  }: {
    readonly rua: readonly string[];
    readonly ttl: number;
    readonly written?: string | undefined;
    /** Why no record can be published below the domain. */
    readonly held?: string | undefined;
  },
): {
  readonly steps: readonly Step<SetRrset>[];
  readonly waits: readonly Wait[];
  readonly state: Pick<PolicyState, 'reports'>;
} {
  const name = `_smtp._tls.${domain}`;
  const state = written === undefined ? {} : { reports: written };
  const isKind = (text: string): boolean => parseTlsRptRecord([text]).status !== 'absent';
  if (rua.length === 0 && written !== undefined) {
    const rest = {
      isKind,
      rdata: txtRdata,
      means: (text: string | undefined) => text && meaningOf(text),
      ttl,
      because: 'no reports are wanted any longer',
      clause: 'RFC 8460 §3',
    };
    return { ...removeOwn({ domain, name, type: 'TXT', written, ...rest }, texts), state };
  }
  if (rua.length === 0) return { steps: [], waits: [], state };
  const wait = (why: string): { steps: []; waits: readonly Wait[]; state: typeof state } => ({
    steps: [],
    waits: [{ subject: domain, why }],
    state,
  });
  if (held !== undefined) return wait(held);
  const shown = agreed(texts);
  if (!shown) {
    const { why, alias } = disagreement(name, `TXT of ${name}`, texts);
    return wait(
      alias === undefined
        ? why
        : `${why}, so reports go where the record there says: remove the alias, or take reports of ${domain} out`,
    );
  }
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  const wanted = `v=TLSRPTv1; rua=${rua.join(',')}`;
  const own = ownRecords(shown);
  const mine = shown.records.filter(isKind);
  if (mine.length === 1 && meaningOf(mine[0] ?? '') === meaningOf(wanted))
    return { steps: [], waits: [], state };
  const to = rdata([...own.filter((text) => !isKind(text)), wanted]);
  const action: SetRrset = {
    kind: 'set-rrset',
    name,
    type: 'TXT',
    from: rdata(own),
    to,
    ttl,
  };
  const because = 'it only asks senders to tell; there is evidence only once they do';
  return {
    steps: [{ action, because, clause: 'RFC 8460 §3' }],
    waits: [],
    state: { reports: wanted },
  };
}

/**
 * Equal for records that ask for the same: the order of addresses and the blanks are free
 * (RFC 8460 §3).
 */
function meaningOf(text: string): string {
  const { status, rua, problems } = parseTlsRptRecord([text]);
  if (status !== 'found' || problems.length > 0) return text;
  return [...new Set(rua.map(normalUri))].sort().join(' ');
}

/** Scheme and domain in lower case (RFC 3986 §6.2.2.1). */
function normalUri(uri: string): string {
  if (URL.canParse(uri) && !/^mailto:/i.test(uri)) return new URL(uri).href;
  const [, mailbox = '', domain = ''] = /^mailto:(.*)(@[^@]*)$/i.exec(uri) ?? [];
  return `mailto:${mailbox}${domain.toLowerCase()}`;
}
