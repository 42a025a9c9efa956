import type { AddressEvidence } from '../../evidence/index.js';
import type { OptOut } from './opt-out.js';

/** How a run behaves toward the addresses it meets. */
export interface MannersOptions {
  /** TCP connections to one address in the whole run. */
  readonly budget: number;
  /** Never to be connected to. */
  readonly optOut?: OptOut;
}

/** What a visitor of an address has left to spend. */
export interface ConnectionBudget {
  readonly left: number;
  spend(): void;
}

/**
 * One run's conduct: one connection at a time to an address whatever names lead there,
 * one budget for it, a host at an address looked at once however many domains name it,
 * and nobody disturbed who asked to be left alone.
 */
export class ConnectionLimiter {
  readonly #spent = new Map<string, number>();
  readonly #turns = new Map<string, Promise<unknown>>();
  readonly #visits = new Map<string, Promise<AddressEvidence>>();

  constructor(private readonly options: MannersOptions) {}

  visit(
    host: string,
    ip: string,
    work: (purse: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const key = `${host} ${ip}`;
    const known = this.#visits.get(key);
    if (known) return known;
    const visit = this.options.optOut?.(host, ip)
      ? Promise.resolve(leftAlone(ip))
      : this.#inTurn(ip, work);
    this.#visits.set(key, visit);
    return visit;
  }

  async #inTurn(
    ip: string,
    work: (purse: ConnectionBudget) => Promise<AddressEvidence>,
  ): Promise<AddressEvidence> {
    const before = this.#turns.get(ip);
    const turn = (async () => {
      await before?.catch(() => undefined);
      return work(this.#purse(ip));
    })();
    this.#turns.set(ip, turn);
    return turn;
  }

  #purse(ip: string): ConnectionBudget {
    const spent = this.#spent;
    const { budget } = this.options;
    return {
      get left() {
        return budget - (spent.get(ip) ?? 0);
      },
      spend: () => void spent.set(ip, (spent.get(ip) ?? 0) + 1),
    };
  }
}

function leftAlone(ip: string): AddressEvidence {
  return { ip, status: 'skipped', reason: 'opt-out', connections: [] };
}
