import { wrap } from '../../base/index.js';
import type { Evidence, NetworkEvidence } from '../../evidence/index.js';

/** Returns true when the keyword is missing or overwritten. */
const isStripped = (starttls: string): boolean => starttls === 'absent' || starttls === 'mangled';

/**
 * Describes the network of the check by the result of the control host. Empty without
 * `--control`; else one paragraph that ends with a line feed.
 */
export function renderControl({ network, hosts }: Evidence, lineWidth = 80): string {
  const { control } = network;
  if (!control) return '';
  const anyStripped = hosts.some((host) =>
    host.addresses.some((address) =>
      address.connections.some((connection) => isStripped(connection.starttls)),
    ),
  );
  return `${wrap(`Control host ${control.host}: ${verdictOn(control, anyStripped)}`, lineWidth).join('\n')}\n`;
}

/**
 * Returns the conclusion from the control host. A good result proves only that the
 * network does not remove STARTTLS for every host: an attacker can select one
 * destination.
 */
function verdictOn(
  { starttls, failure }: NonNullable<NetworkEvidence['control']>,
  anyStripped: boolean,
): string {
  if (isStripped(starttls)) return `STARTTLS ${starttls} there as well: this network removes it.`;
  if (starttls !== 'offered') return `its STARTTLS is unknown (${failure?.code ?? starttls}).`;
  return anyStripped
    ? 'STARTTLS is offered there: this network does not remove it for every host.'
    : 'STARTTLS is offered there.';
}
