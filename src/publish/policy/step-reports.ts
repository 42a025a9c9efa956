import type { SetRrset, Step, Wait } from '../actions.js';
import { txtRdata } from '../records/txt-rdata.js';
import { agreed } from './read-policy-world.js';
import { removeOwn } from './remove-own.js';
import type { PolicyState, ServerAnswer } from './types.js';

/**
 * Where TLS reports go (RFC 8460 §3): exactly one record, other texts left alone. Where no addresses are wanted any longer, the record goes that was `written` here.
 * `state` is what is to be remembered before the steps are carried out.
 */
export function stepReports(
  domain: string,
  texts: readonly ServerAnswer[],
  {
    rua,
    ttl,
    written,
  }: {
    readonly rua: readonly string[];
    readonly ttl: number;
    readonly written?: string | undefined;
  },
): {
  readonly steps: readonly Step<SetRrset>[];
  readonly waits: readonly Wait[];
  readonly state: Pick<PolicyState, 'reports'>;
} {
  const name = `_smtp._tls.${domain}`;
  const state = written === undefined ? {} : { reports: written };
  const isKind = (text: string): boolean => text.startsWith('v=TLSRPTv1');
  if (rua.length === 0 && written !== undefined) {
    const rest = {
      isKind,
      rdata: txtRdata,
      ttl,
      because: 'no reports are wanted any longer',
      clause: 'RFC 8460 §3',
    };
    return { ...removeOwn({ domain, name, type: 'TXT', written, ...rest }, texts), state };
  }
  const shown = agreed(texts);
  if (!shown || rua.length === 0) return { steps: [], waits: [], state };
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  const wanted = `v=TLSRPTv1; rua=${rua.join(',')}`;
  const mine = shown.records.filter(isKind);
  if (mine.length === 1 && mine[0] === wanted) return { steps: [], waits: [], state };
  const to = rdata([...shown.records.filter((text) => !isKind(text)), wanted]);
  const action: SetRrset = {
    kind: 'set-rrset',
    name,
    type: 'TXT',
    from: rdata(shown.records),
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
