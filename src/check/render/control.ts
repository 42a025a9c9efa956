import { wrap } from '../../base/index.js';
import type { Evidence } from '../../evidence/index.js';

/**
 * What the control host tells of the network the check ran from; empty without
 * `--control`.
 */
export function renderControl({ network, hosts }: Evidence, width = 80): string {
  const { control } = network;
  if (!control) return '';
  const stripped = (starttls: string): boolean => starttls === 'absent' || starttls === 'mangled';
  const anyStripped = hosts.some((h) =>
    h.addresses.some((a) => a.connections.some((c) => stripped(c.starttls))),
  );
  const says = stripped(control.starttls)
    ? `STARTTLS ${control.starttls} there as well: it is this network that strips it.`
    : control.starttls !== 'offered'
      ? `nothing could be told of it (${control.failure?.code ?? control.starttls}).`
      : anyStripped
        ? 'STARTTLS is offered there: it is not this network that strips it for everyone.'
        : 'STARTTLS is offered there.';
  return `${wrap(`Control host ${control.host}: ${says}`, width).join('\n')}\n`;
}
