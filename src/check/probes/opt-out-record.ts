import { getDomain } from 'tldts';
import { BoundedMap, parseDomain, type Name } from '../../base/index.js';
import { lookupTexts, type Resolver } from '../../dns/index.js';

/**
 * Maximum number of names to query for one host, from the host up to its organisational
 * domain.
 */
const MAX_NAMES = 4;
/** Milliseconds for which an answer is cached. */
const KEEP_MS = 3_600_000;
const MAX_HOSTS = 10_000;

/**
 * The opt-out of a mail server's operator as a TXT record: `v=hermetic1; check=no` at
 * `_hermetic.` below the name of the *mail host*, or below a parent up to the
 * organisational domain. The record nearest to the host applies. Records at the domains
 * that use the host are ignored.
 */
export class OptOutRecords {
  readonly #known = new BoundedMap<{ readonly at: number; readonly refuses: boolean }>(MAX_HOSTS);

  /** `now`: milliseconds of a monotonic clock. */
  constructor(private readonly now: () => number) {}

  /**
   * Returns whether the operator refuses checks. A failed lookup does not count as a
   * refusal.
   */
  async refuses(hostName: string, resolver: Resolver, signal?: AbortSignal): Promise<boolean> {
    const known = this.#known.get(hostName);
    if (known && this.now() - known.at < KEEP_MS) return known.refuses;
    const refuses = await this.#ask(hostName, resolver, signal);
    this.#known.set(hostName, { at: this.now(), refuses });
    return refuses;
  }

  async #ask(hostName: string, resolver: Resolver, signal?: AbortSignal): Promise<boolean> {
    for (const owner of ownersOf(hostName)) {
      const name = recordName(owner);
      if (!name) continue;
      const { texts } = await lookupTexts(resolver, name, { signal });
      const choice = texts.map(choiceOf).find((found) => found !== undefined);
      if (choice !== undefined) return choice === 'no';
    }
    return false;
  }
}

/** Returns the owner name of the record; undefined for a name that is too long. */
function recordName(owner: string): Name | undefined {
  const host = parseDomain(owner);
  const name = host.ok ? host.value.prepend('_hermetic') : undefined;
  return name?.ok ? name.value : undefined;
}

/** Returns the host and its parents, at most up to the organisational domain. */
function ownersOf(hostName: string): readonly string[] {
  const labels = hostName.replace(/\.$/, '').split('.');
  const organisation = getDomain(hostName, { allowPrivateDomains: true }) ?? hostName;
  const parents = labels.length - organisation.split('.').length;
  const all = labels.slice(0, parents + 1).map((_, index) => labels.slice(index).join('.'));
  return all.length <= MAX_NAMES ? all : [...all.slice(0, MAX_NAMES - 1), organisation];
}

/** Returns the operator's choice in one record; undefined for text of another purpose. */
function choiceOf(recordText: string): 'no' | 'yes' | undefined {
  const [version, ...tags] = recordText.split(';').map((tag) => tag.trim().toLowerCase());
  if (version !== 'v=hermetic1') return undefined;
  return tags.includes('check=no') ? 'no' : 'yes';
}
