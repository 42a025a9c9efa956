import type { SetRrset, Step } from '../actions.js';
import { txtRdata } from '../records/txt-rdata.js';
import { agreed } from './read-policy-world.js';
import type { ServerAnswer } from './types.js';

/** Where TLS reports go (RFC 8460 §3): exactly one record, other texts left alone. Nothing where no addresses are wanted, or the servers differ. */
export function stepReports(
  domain: string,
  texts: readonly ServerAnswer[],
  rua: readonly string[],
  ttl: number,
): readonly Step<SetRrset>[] {
  const shown = agreed(texts);
  if (!shown || rua.length === 0) return [];
  const rdata = (records: readonly string[]): readonly string[] => records.map(txtRdata).sort();
  const wanted = `v=TLSRPTv1; rua=${rua.join(',')}`;
  const ours = (text: string): boolean => text.startsWith('v=TLSRPTv1');
  const mine = shown.records.filter(ours);
  if (mine.length === 1 && mine[0] === wanted) return [];
  const to = rdata([...shown.records.filter((text) => !ours(text)), wanted]);
  return [
    {
      action: { kind: 'set-rrset', name: `_smtp._tls.${domain}`, type: 'TXT', from: rdata(shown.records), to, ttl },
      because: 'it only asks senders to tell; there is evidence only once they do',
      clause: 'RFC 8460 §3',
    },
  ];
}
