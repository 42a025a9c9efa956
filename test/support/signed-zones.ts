import assert from 'node:assert/strict';
import { Name } from '../../src/base/index.js';
import type { DnsAnswer, ResourceRecord } from '../../src/dns/types.js';
import { toBase32hex } from '../../src/dns/wire/base32hex.js';
import { responseTo, type Message } from '../../src/dns/wire/message.js';
import { parseRecord } from '../../src/dns/wire/presentation.js';
import { readDnskey } from '../../src/dns/wire/rdata.js';
import { RRType, typeName, typeNumber } from '../../src/dns/wire/types-registry.js';
import { nsec3Hash } from '../../src/dns/dnssec/nsec3-hash.js';
import {
  dnskeyRecord,
  dsRecord,
  generateZoneKey,
  signRrset,
  type SigningWindow,
  type ZoneSigningKey,
} from '../../src/dns/dnssec/sign/index.js';
import type {
  TrustAnchor,
  ValidationLimits,
  ZoneCache,
} from '../../src/dns/dnssec/validate/types.js';
import { validate } from '../../src/dns/dnssec/validate/validate.js';

/** Responses by question, written as `mx.example TLSA`. */
export type Responses = Readonly<Record<string, Partial<Message>>>;

/**
 * Signed zones with one key each below a root with the trust anchor, for tests that
 * contain every response.
 */
export class SignedWorld {
  readonly now = Date.UTC(2026, 10, 23);
  readonly window: SigningWindow = {
    inception: this.now - 86_400_000,
    expiration: this.now + 86_400_000,
  };
  readonly anchors: readonly TrustAnchor[];
  readonly #keys: ReadonlyMap<string, ZoneSigningKey>;

  /** @param zones without the root, which is always included */
  constructor(zones: readonly string[]) {
    this.#keys = new Map(['.', ...zones].map((zone) => [zone, generateZoneKey(13)]));
    const root = readDnskey(dnskeyRecord(Name.root, this.key('.')));
    assert.ok(root.ok);
    this.anchors = [{ zone: Name.root, ds: [], keys: [root.value] }];
  }

  key(zone: string): ZoneSigningKey {
    const key = this.#keys.get(zone);
    assert.ok(key, zone);
    return key;
  }

  /** Returns records with the zone's signature over them. */
  signed(
    zone: string,
    records: readonly ResourceRecord[],
    during: SigningWindow = this.window,
  ): ResourceRecord[] {
    return [...records, signRrset(records, this.key(zone), Name.of(zone), during)];
  }

  /** Returns one RRset as text, signed by a zone. */
  by(zone: string, ...lines: readonly string[]): ResourceRecord[] {
    return this.signed(zone, lines.map(record));
  }

  /**
   * Returns the response of an honest resolver to DNSKEY and DS questions about the
   * zones; undefined for any other question.
   */
  keyResponse(name: Name, type: number): Partial<Message> | undefined {
    const text = name.isRoot ? '.' : name.toString();
    const key = this.#keys.get(text);
    if (!key) return undefined;
    if (type === RRType.DNSKEY) return { answers: this.signed(text, [dnskeyRecord(name, key)]) };
    if (type !== RRType.DS) return undefined;
    const above = [...this.#keys.keys()]
      .filter((zone) => zone !== text && name.isAtOrBelow(Name.of(zone)))
      .sort((a, b) => b.length - a.length)[0];
    return { answers: this.signed(above ?? '.', [dsRecord(name, key)]) };
  }

  /**
   * Validates one question. For questions that are not in `responses`, `otherwise`
   * returns the answer, by default SERVFAIL.
   */
  ask(
    question: string,
    responses: Responses,
    more: {
      readonly otherwise?: (name: Name, type: number) => Partial<Message>;
      readonly limits?: Partial<ValidationLimits>;
      readonly cache?: ZoneCache;
      /** Milliseconds after {@link now}. Default 0. */
      readonly later?: number;
      readonly anchors?: readonly TrustAnchor[];
      /** Receives each question sent upstream, as in `responses`. */
      onQuestion?(question: string): void;
    } = {},
  ): Promise<DnsAnswer> {
    const [name = '', type = ''] = question.split(' ');
    const written = Object.entries(responses).map(([key, response]) => {
      const [owner = '', text = ''] = key.split(' ');
      return { owner: Name.of(owner), type: typeNumber(text), response };
    });
    return validate({
      name: Name.of(name),
      type: typeNumber(type) as number,
      anchors: more.anchors ?? this.anchors,
      now: this.now + (more.later ?? 0),
      limits: more.limits,
      cache: more.cache,
      fetch: (at, asType) => {
        more.onQuestion?.(`${at.toString()} ${typeName(asType)}`);
        const found = written.find((w) => w.owner.equals(at) && w.type === asType)?.response;
        const response = found ??
          this.keyResponse(at, asType) ??
          more.otherwise?.(at, asType) ?? { rcode: 2 };
        return Promise.resolve({ ok: true, message: responseTo(at, asType, response) });
      },
    });
  }
}

/**
 * Returns a record from text without TTL and class, such as `mx.example. A 192.0.2.1`.
 */
export function record(text: string): ResourceRecord {
  const [owner = '', ...rest] = text.split(' ');
  const parsed = parseRecord(`${owner} 300 IN ${rest.join(' ')}`);
  assert.ok(parsed.ok, text);
  return parsed.value;
}

/** The relation of an NSEC3 record to a name. */
export interface Nsec3Shape {
  /** If true, the record matches the name instead of covering it. */
  readonly matches?: boolean;
  readonly optOut?: boolean;
  readonly iterations?: number;
  /** Types in the bitmap. */
  readonly types?: string;
}

/**
 * Returns an NSEC3 record of a zone that matches a name's hash, or covers only that hash.
 */
export function nsec3(under: string, name: string, shape: Nsec3Shape = {}): ResourceRecord {
  const { matches = false, optOut = false, iterations = 0, types = '' } = shape;
  const hash = Buffer.from(nsec3Hash(Name.of(name), new Uint8Array(0), iterations));
  const [before, after] = [Buffer.from(hash), Buffer.from(hash)];
  before[19] = (before[19] ?? 0) - 1;
  after[19] = (after[19] ?? 0) + 1;
  const owner = toBase32hex(matches ? hash : before);
  return record(
    `${owner}.${under}. NSEC3 1 ${Number(optOut)} ${iterations} - ${toBase32hex(after)} ${types}`.trim(),
  );
}
