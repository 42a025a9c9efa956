import { createHash } from 'node:crypto';
import { formatIp, parseIp } from '../../base/index.js';
import type { SenderCase } from '../cases/sender-case.js';

/** The addresses at which the mail hosts of the test listen. */
export interface MailAddresses {
  /** IPv4 addresses. */
  readonly v4: readonly string[];
  /** A /64 network that this machine receives, such as `2001:db8:25::`. */
  readonly v6Network?: string | undefined;
}

/**
 * Returns the behaviour that a mail host shows before a sender names the host. A host can
 * show cases of different behaviour at one address only in turns.
 */
export function behaviourOf({ host, withdrawn }: SenderCase): string {
  if (withdrawn) return 'withdrawn';
  if (host.dropsLargeHello) return 'large-hello';
  return host.starttls ?? 'offered';
}

/**
 * Distributes the IPv4 addresses among the cases: one for each case if there are enough,
 * else one for each behaviour before SNI. If there are fewer addresses, the last
 * behaviours share the first address.
 */
export class CaseAddresses {
  readonly #v4ByCase = new Map<string, string>();
  readonly #casesByV4 = new Map<string, SenderCase[]>();

  constructor(
    private readonly cases: readonly SenderCase[],
    private readonly addresses: MailAddresses,
  ) {
    const { v4 } = addresses;
    if (v4.length === 0) return;
    const behaviours = [...new Set(['offered', ...cases.map(behaviourOf)])];
    const isForEach = v4.length >= cases.length;
    for (const [index, one] of cases.entries()) {
      const position = isForEach ? index : behaviours.indexOf(behaviourOf(one));
      const address = v4[position] ?? v4[0] ?? '';
      this.#v4ByCase.set(one.id, address);
      this.#casesByV4.set(address, [...(this.#casesByV4.get(address) ?? []), one]);
    }
  }

  /** Returns the addresses of the mail host of a case. */
  of(senderCase: SenderCase, slot: string): readonly string[] {
    const v4 = this.#v4ByCase.get(senderCase.id);
    const v6 = this.#v6Of(senderCase.id, slot);
    const { family } = senderCase.zone;
    return [family === 'ipv6' ? undefined : v4, family === 'ipv4' ? undefined : v6].filter(
      (address) => address !== undefined,
    );
  }

  #v6Of(caseId: string, slot: string): string | undefined {
    const network = parseIp(this.addresses.v6Network ?? '');
    if (network?.family !== 6) return undefined;
    const host = createHash('sha256').update(`${slot} ${caseId}`).digest().subarray(0, 8);
    return formatIp({
      family: 6,
      bytes: Uint8Array.from([...network.bytes.subarray(0, 8), ...host]),
    });
  }

  /** Returns the case and slot of an IPv6 address, among the allocated slots. */
  placeAt(
    address: string,
    slots: readonly string[],
  ): { readonly senderCase: SenderCase; readonly slot: string } | undefined {
    const parsed = parseIp(address);
    const text = parsed && formatIp(parsed);
    for (const slot of slots) {
      const found = this.cases.find(({ id }) => this.#v6Of(id, slot) === text);
      if (found) return { senderCase: found, slot };
    }
    return undefined;
  }

  /** Returns the cases that a connection to an IPv4 address may belong to. */
  casesAt(address: string): readonly SenderCase[] {
    return this.#casesByV4.get(address) ?? [];
  }

  /**
   * Returns whether every case has addresses of its own. Otherwise, a sender without SNI
   * gets a case only in its turn.
   */
  get areSeparate(): boolean {
    return (
      parseIp(this.addresses.v6Network ?? '')?.family === 6 ||
      [...this.#casesByV4.values()].every((cases) => cases.length === 1)
    );
  }
}
