import { createHash } from 'node:crypto';
import type { Clock, Failure, Result } from '../../base/index.js';
import type { SetRrset } from '../actions.js';
import type { ActionOutcome } from '../actions.js';
import type { RecordPlace } from '../dns/locate-record.js';
import { txtRdata } from '../records/txt-rdata.js';
import { type ChallengeSolver, persistentRecord } from '../../acme/index.js';

/** How TXT records of a host are changed and read. `dns` is an entry of `publish.dns`. */
export interface TextRecords {
  /**
   * Where a record that the CA looks up under a name of the host is kept: the CA follows
   * aliases.
   */
  place(name: string, host: string): Promise<Result<RecordPlace, Failure>>;
  write(action: SetRrset, dns: string): Promise<ActionOutcome>;
  /**
   * The RRset at each authoritative server, in presentation form, sorted; empty where
   * none is known.
   */
  shown(name: string, dns: string): Promise<readonly (readonly string[] | 'unknown')[]>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * Of an answer, seconds: the next one under the same name must not meet it in a cache of
 * the CA.
 */
const brief = 1;

/** For so long secondaries may take to follow within one round. */
const [every, atMost] = [1000, 60_000];

/**
 * Answers to dns-01 (RFC 8555 §8.4) as TXT record of `_acme-challenge.HOST`, or of the
 * name that one is an alias of. What a crash left behind is replaced, since nothing but a
 * challenge belongs there. [8555-8.4-1]
 */
export function dnsAnswers(records: TextRecords): ChallengeSolver {
  const name = (host: string): string => `_acme-challenge.${host}`;
  return {
    type: 'dns-01',
    show: ({ host, keyAuthorization }) =>
      bringAbout(records, host, {
        asked: name(host),
        ttl: brief,
        own: txtRdata(createHash('sha256').update(keyAuthorization).digest('base64url')),
        keeps: false,
        means: (rdata) => rdata,
      }),
    /** [8555-8.4-2] */
    async hide({ host }) {
      const place = await records.place(name(host), host);
      if (!place.ok) return;
      const at = place.value;
      await records.write(
        change(at.name, known(await records.shown(at.name, at.dns)), [], brief),
        at.dns,
      );
    },
  };
}

/**
 * Answers to dns-persist-01 (draft-ietf-acme-dns-persist) as TXT record of
 * `_validation-persist.HOST`, which names CA and account and stays: renewals change no
 * record. Records for other CAs are left alone.
 */
export function persistentAnswers(records: TextRecords): ChallengeSolver {
  return {
    type: 'dns-persist-01',
    async show(challenge) {
      const text = persistentRecord(challenge);
      if (!text.ok)
        return { status: 'failed', code: text.failure.code, detail: text.failure.detail };
      const own = txtRdata(text.value);
      return bringAbout(records, challenge.host, {
        asked: `_validation-persist.${challenge.host}`,
        ttl: 3600,
        own,
        keeps: true,
        means: persistentMeaning,
      });
    },
    hide: () => Promise.resolve(),
  };
}

interface WantedText {
  /** The name the CA looks up. */
  readonly asked: string;
  /** Seconds. */
  readonly ttl: number;
  /** In presentation form. */
  readonly own: string;
  /** Whether other records of the name stay. */
  readonly keeps: boolean;
  /**
   * Equal for records that the CA reads alike: the operator may have pasted it in another
   * spelling.
   */
  means(rdata: string): string;
}

/**
 * `ISSUER; accounturi=URI` without what is free in it: blanks and a last semicolon (RFC
 * 8659 §4.2).
 */
function persistentMeaning(rdata: string): string {
  const text = rdata.replace(/^"|"$/g, '').replaceAll('" "', '');
  const parts = text.split(';').map((part) => part.trim().replace(/\s*=\s*/, '='));
  return parts.filter((part) => part !== '').join(';');
}

/**
 * Done when every authoritative server shows the record: the CA asks any of them.
 * [8555-8.2-1]
 */
async function bringAbout(
  { place, write, shown, clock, signal }: TextRecords,
  host: string,
  { asked, ttl, own, keeps, means }: WantedText,
): Promise<ActionOutcome> {
  const found = await place(asked, host);
  if (!found.ok)
    return { status: 'failed', code: found.failure.code, detail: found.failure.detail };
  const { name, dns } = found.value;
  const before = await shown(name, dns);
  const to = keeps ? [...new Set([...known(before), own])].sort() : [own];
  const everywhere = (sets: typeof before): boolean =>
    sets.every((set) => set !== 'unknown' && set.some((rdata) => means(rdata) === means(own)));
  if (before.length > 0 && everywhere(before)) return { status: 'done' };
  const outcome = await write(change(name, known(before), to, ttl), dns);
  if (outcome.status !== 'done') return outcome;
  for (const end = clock.now() + atMost; ; await clock.sleep(every, signal)) {
    if (everywhere(await shown(name, dns))) return outcome;
    if (clock.now() >= end)
      return {
        status: 'failed',
        code: 'acme-pending',
        detail: `not every server shows ${name} yet`,
      };
  }
}

function change(
  name: string,
  from: readonly string[],
  to: readonly string[],
  ttl: number,
): SetRrset {
  return { kind: 'set-rrset', name, type: 'TXT', from, to, ttl };
}

function known(sets: readonly (readonly string[] | 'unknown')[]): readonly string[] {
  return sets.find((set): set is readonly string[] => set !== 'unknown') ?? [];
}
