import { createHash } from 'node:crypto';
import type { Clock, Failure, Result } from '../../base/index.js';
import type { ActionOutcome, SetRrset } from '../actions.js';
import type { RecordLocation } from '../dns/locate-record.js';
import { txtRdata } from '../records/txt-rdata.js';
import { type ChallengeSolver, persistentRecord } from '../../acme/index.js';

/** Changes and reads the TXT records of a host. `dns` is an entry of `publish.dns`. */
export interface TextRecords {
  /**
   * Finds the name at which to write a record that the CA looks up under `name`: the CA
   * follows aliases.
   */
  locate(name: string, hostName: string): Promise<Result<RecordLocation, Failure>>;
  write(action: SetRrset, dns: string): Promise<ActionOutcome>;
  /**
   * Returns the TXT RRset at each authoritative server, in presentation form, sorted. The
   * list is empty when no server is known.
   */
  lookup(name: string, dns: string): Promise<readonly (readonly string[] | 'unknown')[]>;
  readonly clock: Clock;
  readonly signal?: AbortSignal;
}

/**
 * TTL of a challenge response, seconds: a cache of the CA must not hold this response
 * when the next one is published under the same name.
 */
const CHALLENGE_TTL = 1;

/** Interval and limit of waiting for secondary servers in one round, milliseconds. */
const [POLL_INTERVAL, MAX_WAIT] = [1000, 60_000];

/**
 * Answers dns-01 challenges (RFC 8555 §8.4) with a TXT record at `_acme-challenge.HOST`,
 * or at the target of its alias. The TXT record replaces records that a crash left
 * behind, because only challenge responses belong there. [8555-8.4-1]
 */
export function dnsSolver(records: TextRecords): ChallengeSolver {
  const name = (hostName: string): string => `_acme-challenge.${hostName}`;
  return {
    type: 'dns-01',
    show: ({ host, keyAuthorization }) =>
      publishText(records, host, {
        lookupName: name(host),
        ttl: CHALLENGE_TTL,
        rdata: txtRdata(createHash('sha256').update(keyAuthorization).digest('base64url')),
        keepOthers: false,
        normalize: (rdata) => rdata,
      }),
    /** Removes the record of the challenge. [8555-8.4-2] */
    async hide({ host }) {
      const place = await records.locate(name(host), host);
      if (!place.ok) return;
      const at = place.value;
      await records.write(
        change(at.name, known(await records.lookup(at.name, at.dns)), [], CHALLENGE_TTL),
        at.dns,
      );
    },
  };
}

/**
 * Answers dns-persist-01 challenges (draft-ietf-acme-dns-persist) with a TXT record at
 * `_validation-persist.HOST`. The record names CA and account, and remains in the DNS, so
 * a renewal changes no record. Records for other CAs remain unchanged.
 */
export function persistentDnsSolver(records: TextRecords): ChallengeSolver {
  return {
    type: 'dns-persist-01',
    async show(challenge) {
      const text = persistentRecord(challenge);
      if (!text.ok)
        return { status: 'failed', code: text.failure.code, detail: text.failure.detail };
      const own = txtRdata(text.value);
      return publishText(records, challenge.host, {
        lookupName: `_validation-persist.${challenge.host}`,
        ttl: 3600,
        rdata: own,
        keepOthers: true,
        normalize: persistentMeaning,
      });
    },
    hide: () => Promise.resolve(),
  };
}

/** A TXT record that has to be visible at every server. */
interface DesiredText {
  /** The name that the CA looks up. */
  readonly lookupName: string;
  /** Seconds. */
  readonly ttl: number;
  /** The record, in presentation form. */
  readonly rdata: string;
  /** Whether other records of the name remain. */
  readonly keepOthers: boolean;
  /**
   * Returns the same text for records of the same meaning: the operator may have pasted
   * the record in another spelling.
   */
  normalize(rdata: string): string;
}

/**
 * Returns `ISSUER; accounturi=URI` without spaces and without a last semicolon, which
 * have no meaning (RFC 8659 §4.2).
 */
function persistentMeaning(rdata: string): string {
  const text = rdata.replace(/^"|"$/g, '').replaceAll('" "', '');
  const parts = text.split(';').map((part) => part.trim().replace(/\s*=\s*/, '='));
  return parts.filter((part) => part !== '').join(';');
}

/**
 * Writes a record and waits until every authoritative server shows it, because the CA may
 * query any of them. Fails with `acme-pending` after a minute. [8555-8.2-1]
 */
async function publishText(
  { locate: place, write, lookup: shown, clock, signal }: TextRecords,
  hostName: string,
  { lookupName: asked, ttl, rdata: own, keepOthers: keeps, normalize: means }: DesiredText,
): Promise<ActionOutcome> {
  const found = await place(asked, hostName);
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
  for (const end = clock.now() + MAX_WAIT; ; await clock.sleep(POLL_INTERVAL, signal)) {
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
