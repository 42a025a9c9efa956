import type { SettingSource } from '../sender-model.js';
import { openTable, parseTableList, type LookupTable, type ReadTable } from './lookup-tables.js';
import { parseTlsPolicy, type TlsPolicyEntry } from './parse-tls-policy.js';
import type { PostfixParameters } from './postfix-parameters.js';
import { unnamedServer, type PolicyServer } from './policy-servers.js';

/** The policy of a next hop. */
export type DestinationPolicy =
  /** No table has an entry: main.cf decides. */
  | { readonly kind: 'main' }
  | { readonly kind: 'entry'; readonly entry: TlsPolicyEntry; readonly source: SettingSource }
  /** A fault of the entry or table defers the mail. */
  | { readonly kind: 'broken'; readonly reason: string; readonly source: SettingSource }
  | { readonly kind: 'unknown'; readonly reason: string; readonly source: SettingSource };

/** Table types that a program answers; only these can provide MTA-STS. */
const serverTypes = ['socketmap', 'tcp'];

/** Maximum number of listed destinations with rules of their own. */
const MAX_KEYS = 200;

/** The tables of `smtp_tls_policy_maps`, searched in order. */
export class DestinationPolicies {
  readonly #tables: readonly LookupTable[];
  readonly #source: SettingSource;
  readonly #unread: string | undefined;
  readonly #server: PolicyServer | undefined;

  constructor(settings: PostfixParameters, readTable: ReadTable, server: PolicyServer | undefined) {
    const maps = settings.value('smtp_tls_policy_maps');
    this.#source = maps.source;
    this.#server = server;
    this.#unread = maps.known ? undefined : maps.reason;
    this.#tables = maps.known
      ? parseTableList(maps.value).map((table) => openTable(table, readTable))
      : [];
  }

  /** Returns the next hops that the readable tables list, at most {@link MAX_KEYS}. */
  get keys(): readonly string[] {
    const keys = new Set<string>();
    for (const table of this.#tables)
      for (const key of table.keys) if (keys.size < MAX_KEYS) keys.add(key);
    return [...keys];
  }

  /** Returns the faults of entries that defer mail to their destination. */
  warnings(keys: readonly string[]): readonly string[] {
    return keys.flatMap((key) => {
      const policy = this.find(key);
      return policy.kind === 'broken' ? [`Mail to ${key} is deferred: ${policy.reason}.`] : [];
    });
  }

  /** Returns whether the lookup for a next hop reaches a table that a program answers. */
  hasServer(nextHop: string): boolean {
    for (const { table, lookup } of this.#tables) {
      if (serverTypes.includes(table.type)) return true;
      // Postfix looks up parent domains only after it has looked up the next hop in every
      // table.
      if (lookup(nextHop).kind !== 'missing') return false;
    }
    return false;
  }

  /**
   * Finds the policy of a next hop. A plain domain is looked up with its parents, each in
   * every table before the next one; `[host]` and `host:port` only as they are
   * (postconf(5), smtp_tls_policy_maps).
   */
  find(nextHop: string): DestinationPolicy {
    const source = this.#source;
    if (this.#unread !== undefined) return { kind: 'unknown', reason: this.#unread, source };
    for (const key of keysOf(nextHop))
      for (const { table, lookup } of this.#tables) {
        // The model represents the answer of a policy server as MTA-STS, not as an entry.
        if (serverTypes.includes(table.type)) {
          if (this.#server !== undefined) continue;
          return { kind: 'unknown', reason: unnamedServer, source };
        }
        const answer = lookup(key);
        if (answer.kind === 'unknown') return { kind: 'unknown', reason: answer.reason, source };
        if (answer.kind === 'error') return { kind: 'broken', reason: answer.reason, source };
        if (answer.kind === 'found') return this.#entry(table.written, key, answer.value);
      }
    return { kind: 'main' };
  }

  #entry(table: string, key: string, value: string): DestinationPolicy {
    const parsed = parseTlsPolicy(value);
    const source = { setting: table, line: `${key} ${value}` };
    if (parsed.ok) return { kind: 'entry', entry: parsed.entry, source };
    return { kind: 'broken', reason: parsed.fault, source };
  }
}

/** Returns the keys under which a next hop is looked up. */
function keysOf(nextHop: string): readonly string[] {
  if (/[[\]:/]/.test(nextHop)) return [nextHop];
  const keys = [nextHop];
  for (let dot = nextHop.indexOf('.', 1); dot >= 0; dot = nextHop.indexOf('.', dot + 1))
    keys.push(nextHop.slice(dot));
  return keys;
}
