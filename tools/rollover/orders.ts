import {
  recordsOf,
  startRollover,
  stepRollover,
  type RolloverAction,
  type RolloverObservation,
  type TlsaRolloverState,
  type ServerKey,
} from '../../src/publish/index.js';

/**
 * An order of key changes, which keeps a state, observes the world and returns actions.
 */
export interface Order<S = unknown> {
  readonly name: string;
  start(): S;
  /**
   * Returns the next state and actions. `leave` contains the digests of the keys to
   * retire.
   */
  step(
    state: S,
    seen: RolloverObservation,
    leave: readonly string[],
    ttl: number,
  ): { readonly state: S; readonly actions: readonly RolloverAction[] };
}

export const host = 'mx.example.com';

/** The state machine of this project. */
export const ours: Order<TlsaRolloverState> = {
  name: 'hermetic',
  start: () => startRollover(host),
  step(before, seen, leave, ttl) {
    const { state, steps } = stepRollover(before, seen, {
      publish: true,
      types: ['ecdsa'],
      matchingTypes: [1],
      ttl,
      retire: leave,
    });
    return { state, actions: steps.map(({ action }) => action) };
  },
};

type Move = 'announce' | 'replace' | 'visible' | 'wait' | 'switch' | 'retire';

interface Script {
  readonly at: number;
  readonly since: number;
  /** The key that replaces the current one. */
  readonly to?: ServerKey;
}

/**
 * Orders in common use, with the steps of each for a change of key. `wait` lasts one TTL
 * by the clock, without an observation.
 */
export const others: readonly Order<Script>[] = [
  scripted('switch the certificate, then publish', ['switch', 'replace']),
  scripted('replace the record one TTL ahead', ['replace', 'wait', 'switch']),
  scripted('publish both, switch when the servers show it', [
    'announce',
    'visible',
    'switch',
    'retire',
  ]),
  scripted('publish both, switch one TTL after the push', ['announce', 'wait', 'switch', 'retire']),
];

function scripted(name: string, moves: readonly Move[]): Order<Script> {
  return {
    name,
    start: () => ({ at: 0, since: 0 }),
    step(state, seen, leave, ttl) {
      const shown = seen.ring.find((key) => seen.addresses[0]?.keys.includes(key.sha256));
      if (state.at === 0 && (!shown || !leave.includes(shown.sha256)))
        return { state, actions: [] };
      const number = Number(shown?.name.split('-')[1] ?? 0) + 1;
      const to = state.to ?? seen.ring.find((key) => key.name === `ecdsa-${number}`);
      if (!to)
        return {
          state,
          actions: [{ kind: 'make-key', host, key: `ecdsa-${number}`, type: 'ecdsa' }],
        };
      const published = seen.nameservers[0]?.rrset;
      const from = !published || published === 'unknown' ? [] : published.records;
      const set = (records: readonly string[]): RolloverAction => ({
        kind: 'set-rrset',
        name: `_25._tcp.${host}`,
        type: 'TLSA',
        from,
        to: [...records].sort(),
        ttl,
      });
      const done = (
        actions: readonly RolloverAction[] = [],
      ): { state: Script; actions: readonly RolloverAction[] } => {
        const last = state.at + 1 === moves.length;
        return {
          state: last ? { at: 0, since: seen.at } : { at: state.at + 1, since: seen.at, to },
          actions,
        };
      };
      const own = recordsOf([to], [1]);
      const move = moves[state.at];
      switch (move) {
        case 'announce':
          return done([set([...new Set([...from, ...own])])]);
        case 'replace':
        case 'retire':
          return done([set(own)]);
        case 'switch':
          return done([{ kind: 'deploy', host, key: to.name }]);
        case 'visible': {
          const visible = seen.nameservers.every(
            ({ rrset }) =>
              rrset !== 'unknown' && own.every((record) => rrset.records.includes(record)),
          );
          return visible ? done() : { state, actions: [] };
        }
        default:
          return seen.at - state.since >= ttl * 1000 ? done() : { state, actions: [] };
      }
    },
  };
}
