import type { Name } from '../../base/index.js';
import { decodeMessage, encodeMessage } from '../wire/codec.js';
import type { DnsQuestion, Message } from '../wire/message.js';
import { Rcode, RRClass, RRType } from '../wire/types-registry.js';
import { answerFromZones, errorAnswer, type AuthorityAnswer } from './answer-from-zones.js';
import type { OnlineZone } from './online-zone.js';

export interface AuthorityOptions {
  /** Returns the zones that may contain a name. */
  zones(domainName: Name): readonly OnlineZone[];
  readonly transport: 'udp' | 'tcp';
  /**
   * Returns whether the operator expects questions about this name. A UDP answer about
   * any other name is at most three times as large as its question. Default: every name
   * is expected.
   */
  isExpected?(domainName: Name): boolean;
  /**
   * Whether the source exceeds its rate: the answer then has TC set and is not larger
   * than the question.
   */
  readonly truncate?: boolean;
}

/** A response with the question that it answers. */
export interface AuthorityResponse {
  readonly bytes: Uint8Array;
  readonly rcode: number;
  readonly truncated: boolean;
  /**
   * The question of the query; undefined if the query lacks exactly one readable
   * question.
   */
  readonly question?: DnsQuestion;
  /**
   * Whether the query had the DO bit set: the resolver accepts signatures (RFC 3225 §3).
   */
  readonly dnssecOk: boolean;
}

/**
 * Maximum octets of a UDP response: networks do not fragment this size (RFC 9715 §3.1).
 */
const MAX_UDP = 1232;
/** Maximum octets of a UDP response without EDNS (RFC 1035 §4.2.1). */
const MIN_UDP = 512;
const MAX_TCP = 65_535;
const HEADER = 12;
/** Maximum ratio of response size to query size, for an unexpected name or for ANY. */
const MAX_AMPLIFICATION = 3;
const DNSSEC_TYPES: ReadonlySet<number> = new Set([RRType.RRSIG, RRType.NSEC]);

/**
 * Answers one DNS message as an authoritative server: no recursion, no zone transfer, no
 * updates. Returns undefined if the message must not be answered: a response, or a
 * message with an incomplete header.
 */
export function respondToQuery(
  query: Uint8Array,
  options: AuthorityOptions,
): AuthorityResponse | undefined {
  // If servers answered responses, two servers could exchange messages endlessly.
  if (query.length < HEADER || ((query[2] as number) & 0x80) !== 0) return undefined;
  const decoded = decodeMessage(query);
  if (!decoded.ok) return bareError(query, Rcode.FORMERR);
  const message = decoded.value;
  if (message.opcode !== 0) return bareError(query, Rcode.NOTIMP);
  const [question] = message.questions;
  if (!question || message.questions.length !== 1) return bareError(query, Rcode.FORMERR);
  const dnssecOk = message.edns?.dnssecOk ?? false;
  const limited = options.transport === 'udp' && !isDeserving(question, options);
  // If the signatures exceed the limit, the answer is empty and truncated, and the
  // resolver repeats the question over TCP.
  const skipped =
    options.truncate === true ||
    (limited && dnssecOk && isServed(question.name, options.zones(question.name)));
  const answer = skipped ? errorAnswer(Rcode.NOERROR) : answerTo(question, message, options);
  const reply = replyTo(message, answer);
  const bytes = encodeMessage(reply);
  const truncated = skipped || bytes.length > roomFor(query, message, options.transport, limited);
  const sent = truncated
    ? encodeMessage({ ...reply, truncated: true, answers: [], authorities: [], additionals: [] })
    : bytes;
  return { bytes: sent, rcode: reply.rcode, truncated, question, dnssecOk };
}

/**
 * Returns whether the answer may be larger than the amplification limit. RFC 8482 §4: an
 * answer to ANY is as small as possible.
 */
function isDeserving({ name, type }: DnsQuestion, { isExpected }: AuthorityOptions): boolean {
  return type !== RRType.ANY && (isExpected?.(name) ?? true);
}

function isServed(domainName: Name, zones: readonly OnlineZone[]): boolean {
  return zones.some(({ apex }) => domainName.isAtOrBelow(apex));
}

/** Returns the maximum number of octets of a response. */
function roomFor(
  query: Uint8Array,
  { edns }: Message,
  transport: AuthorityOptions['transport'],
  limited: boolean,
): number {
  if (transport === 'tcp') return MAX_TCP;
  // RFC 6891 §6.2.3: a value below 512 counts as 512.
  const room = edns ? Math.min(MAX_UDP, Math.max(MIN_UDP, edns.udpSize)) : MIN_UDP;
  return limited ? Math.min(room, query.length * MAX_AMPLIFICATION) : room;
}

function answerTo(
  { name, type, class: rrClass }: DnsQuestion,
  { edns }: Message,
  options: AuthorityOptions,
): AuthorityAnswer {
  // RFC 6891 §6.1.3: an unsupported EDNS version gets BADVERS.
  if (edns && edns.version > 0) return errorAnswer(Rcode.BADVERS);
  // NXNAME occurs only in the type bitmap of an NSEC record. [9824-3.5-1]
  if (type === RRType.NXNAME) return errorAnswer(Rcode.FORMERR);
  // Types 128 to 254 occur only in questions, such as zone transfers (RFC 6895 §3.1).
  if (rrClass !== RRClass.IN || (type > RRType.NXNAME && type < RRType.ANY))
    return errorAnswer(Rcode.REFUSED);
  const zones = options.zones(name);
  const answer = answerFromZones(zones, name, type === RRType.ANY ? anyType(name, zones) : type);
  return edns?.dnssecOk ? compactAnswer(answer) : withoutDnssec(answer, type);
}

/**
 * Returns the lowest type at the name, or HINFO if that is lower: the answer to ANY is
 * one record set (RFC 8482 §4.1).
 */
function anyType(domainName: Name, zones: readonly OnlineZone[]): number {
  const types = zones.flatMap((zone) =>
    domainName.isAtOrBelow(zone.apex) ? [...(zone.recordSets(domainName)?.keys() ?? [])] : [],
  );
  return Math.min(...types, RRType.HINFO);
}

/**
 * Replaces NXDOMAIN with NOERROR if a compact proof accompanies the answer
 * (RFC 9824 §3.1).
 */
function compactAnswer(answer: AuthorityAnswer): AuthorityAnswer {
  const proved = answer.authorities.some(({ type }) => type === RRType.NSEC);
  return proved && answer.rcode === Rcode.NXDOMAIN ? { ...answer, rcode: Rcode.NOERROR } : answer;
}

/**
 * Removes DNSSEC records that the question does not ask for, because the query has no DO
 * bit (RFC 4035 §3.2.1).
 */
function withoutDnssec(answer: AuthorityAnswer, asked: number): AuthorityAnswer {
  const visible = ({ type }: { readonly type: number }): boolean =>
    type === asked || !DNSSEC_TYPES.has(type);
  return {
    ...answer,
    answers: answer.answers.filter(visible),
    authorities: answer.authorities.filter(
      ({ type }) => !DNSSEC_TYPES.has(type) && type !== RRType.DS,
    ),
  };
}

function replyTo(query: Message, answer: AuthorityAnswer): Message {
  const { rcode, authoritative, answers, authorities, additionals } = answer;
  return {
    id: query.id,
    opcode: 0,
    rcode,
    response: true,
    authoritative,
    truncated: false,
    recursionDesired: query.recursionDesired,
    recursionAvailable: false,
    authenticData: false,
    checkingDisabled: query.checkingDisabled,
    questions: query.questions,
    answers,
    authorities,
    additionals,
    edns: query.edns && {
      version: 0,
      udpSize: MAX_UDP,
      dnssecOk: query.edns.dnssecOk,
      options: [],
    },
  };
}

/**
 * Returns a response with a header and without sections, because repeating any part of
 * the malformed message is unsafe.
 */
function bareError(query: Uint8Array, rcode: number): AuthorityResponse {
  const opcode = (query[2] as number) & 0x78;
  const bytes = new Uint8Array(HEADER);
  bytes.set([query[0] as number, query[1] as number, 0x80 | opcode, rcode]);
  return { bytes, rcode, truncated: false, dnssecOk: false };
}
