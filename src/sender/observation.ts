import { z } from 'zod';

/** Maximum number of octets of a text from a peer; longer texts are truncated. */
const MAX_TEXT = 512;
/** Maximum number of entries of one list in a ClientHello. */
const MAX_LIST = 256;
/** Maximum number of observations of one test. */
export const MAX_OBSERVATIONS = 20_000;

const text = z.string().max(MAX_TEXT);
const codePoints = z.array(z.int().min(0).max(0xffff)).max(MAX_LIST);

/** Fields of every observation. */
const common = {
  /** Wall-clock time of the receiver. */
  at: z.iso.datetime(),
  /** Id of the case; unknown cases of other versions are ignored. */
  case: text,
  /** The test that the name of the case belongs to. */
  slot: text,
  /**
   * Message of a case with two messages: 1 until the policy is withdrawn, then 2. Default
   * 1.
   */
  message: z.literal([1, 2]).optional(),
};

/** IP address of the client; of a DNS question, the address of the resolver. */
const source = text;
/** Groups the observations of one SMTP connection; unique within a test. */
const connection = text;
const onConnection = { ...common, source, connection };
/** Under TLS. */
const secured = z.boolean();
/** The reply code of the receiver. */
const reply = z.int().min(200).max(599);

/**
 * One observation. The kinds in the order in which a delivery produces them:
 *
 * - `submitted`: the test handed a message for the case to the sender, or its user
 *   reported that. `via` is the server that accepted it.
 * - `not-submitted`: the sender did not accept the message, so the receivers can observe
 *   no attempt.
 * - `dns`: a question to the authoritative server or resolver of the test.
 * - `policy`: a request to the policy host, or a handshake with it that failed.
 * - `connection`, `greeting` (the sender's first octets after ours), `ehlo`, `starttls`,
 *   `hello` (ClientHello), `handshake` (completed), `alert` (sent by the sender), `mail`,
 *   `rcpt`, `data` (end of a message), `close`: one SMTP connection. Content is never
 *   recorded, apart from the domains of DKIM signatures.
 * - `withdrawn`: the policy of the case disappeared; later messages count as the second.
 * - `report`: a TLS report about the case (RFC 8460).
 */
export const observationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('submitted'), ...common, via: text.optional() }),
  z.strictObject({ kind: z.literal('not-submitted'), ...common, reason: text }),
  z.strictObject({
    kind: z.literal('dns'),
    ...common,
    source,
    name: text,
    type: text,
    /** The DO bit (RFC 3225): the resolver asks for signatures. */
    dnssecOk: z.boolean(),
    transport: z.enum(['udp', 'tcp']).optional(),
  }),
  z.strictObject({
    kind: z.literal('policy'),
    ...common,
    source,
    /** HTTP status of the answer; absent if the handshake failed. */
    status: z.int().min(100).max(599).optional(),
    userAgent: text.optional(),
    serverName: text.optional(),
    tlsVersion: text.optional(),
    /** TLS alert that the client sent, such as `unknown_ca`. */
    alert: text.optional(),
  }),
  z.strictObject({
    kind: z.literal('connection'),
    ...onConnection,
    /** The receiver's address to which the sender connected. */
    to: text,
    /** Reverse DNS name of the source. */
    reverseName: text.optional(),
  }),
  z.strictObject({ kind: z.literal('greeting'), ...onConnection, reply }),
  z.strictObject({
    kind: z.literal('ehlo'),
    ...onConnection,
    secured,
    verb: z.enum(['EHLO', 'HELO']),
    name: text,
    reply,
  }),
  z.strictObject({ kind: z.literal('starttls'), ...onConnection, reply }),
  z.strictObject({
    kind: z.literal('hello'),
    ...onConnection,
    /** Highest version offered. */
    maxVersion: z.int().min(0).max(0xffff),
    versions: codePoints,
    suites: codePoints,
    groups: codePoints,
    signatureSchemes: codePoints,
    serverName: text.optional(),
    alpn: z.array(text).max(16),
    /** Number of octets of the ClientHello. */
    octets: z.int().min(0),
  }),
  z.strictObject({
    kind: z.literal('handshake'),
    ...onConnection,
    version: text,
    suite: text,
    group: text.optional(),
    /** Subject of the certificate of the sender. */
    clientCertificate: text.optional(),
  }),
  z.strictObject({
    kind: z.literal('alert'),
    ...onConnection,
    /** Name of the alert, such as `bad_certificate`. */
    description: text,
  }),
  z.strictObject({
    kind: z.literal('mail'),
    ...onConnection,
    secured,
    /** Domain of the envelope sender; empty for the null sender. */
    fromDomain: text,
    /** Keywords of the parameters, such as `SIZE` and `REQUIRETLS`. */
    parameters: z.array(text).max(32),
    reply,
  }),
  z.strictObject({
    kind: z.literal('rcpt'),
    ...onConnection,
    secured,
    domain: text,
    reply,
  }),
  z.strictObject({
    kind: z.literal('data'),
    ...onConnection,
    secured,
    octets: z.int().min(0),
    /** Domains of DKIM signatures (RFC 6376 §3.5, `d=`), not verified. */
    signedBy: z.array(text).max(10).optional(),
    reply,
  }),
  z.strictObject({
    kind: z.literal('close'),
    ...onConnection,
    /**
     * `quit`: the sender sent QUIT. `sender`: the sender closed the connection without
     * QUIT.
     */
    by: z.enum(['quit', 'sender', 'receiver']),
  }),
  z.strictObject({ kind: z.literal('withdrawn'), ...common }),
  z.strictObject({
    kind: z.literal('report'),
    ...common,
    organization: text,
    /** UTC day that the report is about. */
    day: z.iso.date().optional(),
    /** A signature of the reporter authenticates the report (RFC 8460 §5.3). */
    authenticated: z.boolean().optional(),
    /** Addresses of sending servers that the failures in the report name. */
    senders: z.array(text).max(32).optional(),
    resultTypes: z.array(text).max(32),
    failures: z.int().min(0),
    successes: z.int().min(0),
  }),
]);

/** One observation of the receivers of the test; plain JSON. */
export type Observation = Readonly<z.infer<typeof observationSchema>>;
/** An observation of one kind. */
export type ObservationOf<K extends Observation['kind']> = Extract<Observation, { kind: K }>;

/** All observations of a test, in any order. */
export const observationsSchema = z.array(observationSchema).max(MAX_OBSERVATIONS);

/** Truncates a text of a peer to the maximum length in an observation. */
export function cutText(peerText: string): string {
  return peerText.slice(0, MAX_TEXT);
}
