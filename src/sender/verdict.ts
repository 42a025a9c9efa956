import { z } from 'zod';
import { attacks, outcomes, senders } from '../tls-policy/index.js';
import { caseGroups, deliverySteps, senderMechanisms } from './cases/sender-case.js';

/**
 * The result of a case.
 *
 * - `delivered-verified`: under TLS, and the sender refused a counterpart of the case
 *   with a false identity, so it verifies certificates.
 * - `delivered-unverified`: under TLS, and no other case shows that the sender verifies
 *   certificates.
 * - `delivered-in-plaintext`: at least one message arrived without TLS.
 * - `refused`: at every attempt, the sender saw the property of the case and disconnected
 *   on its own without a message. The sender may try again, since senders queue such mail
 *   for days.
 * - `deferred`: the sender connected, and its attempts ended for another reason.
 * - `not-seen`: a message is in transit, and the receivers observed no attempt. Silence
 *   is never a refusal.
 * - `not-started`: no message is known to be in transit.
 */
export const caseVerdicts = [
  'delivered-verified',
  'delivered-unverified',
  'delivered-in-plaintext',
  'refused',
  'deferred',
  'not-seen',
  'not-started',
] as const;
export type CaseVerdict = (typeof caseVerdicts)[number];

/**
 * The result of a mechanism. Every value except `cannot-tell` requires a case that was
 * correctly delivered, and a case that must not be delivered.
 *
 * - `enforces`: every case of the mechanism that was tested ended as the standard requires.
 * - `observes-only`: the sender requested the policy, and delivered mail that the policy
 *   forbids. For STARTTLS: the sender uses TLS if offered, and does not require it.
 * - `does-not-use`: no sign of the mechanism, and the sender delivered mail that it
 *   forbids.
 * - `enforces-wrongly`: the mechanism is in use, and the result of at least one case
 *   violates the standard.
 * - `cannot-tell`: the decisive cases are missing.
 */
export const mechanismVerdicts = [
  'enforces',
  'observes-only',
  'does-not-use',
  'enforces-wrongly',
  'cannot-tell',
] as const;
export type MechanismVerdict = (typeof mechanismVerdicts)[number];

/** Remarks on the result of a case, beyond its verdict. */
export const caseNotes = [
  /**
   * DNS questions arrived but no connection, so the evidence does not identify a sender.
   */
  'asked-dns-only',
  /** A client fetched the policy, but no connection arrived. */
  'fetched-policy-only',
  /** The policy was fetched after the delivery, so the delivery does not violate it. */
  'fetched-policy-later',
  /** The verdict may still change: the sender has had too little time. */
  'still-open',
  /** The sender sent MAIL or RCPT in plaintext, but the receiver accepted no message. */
  'envelope-in-plaintext',
  /** A first attempt under TLS failed, and a later one used plaintext. */
  'fell-back-to-plaintext',
  /** The receiver itself replied with a temporary error. */
  'receiver-deferred',
  /** Some attempts used another network or another EHLO domain than the rest. */
  'other-network',
  /** The message never reached the sender, because its server did not accept it. */
  'not-submitted',
  /** The expectation of the case was not met. */
  'unexpected',
] as const;
export type CaseNote = (typeof caseNotes)[number];

const time = z.iso.datetime();

/**
 * A TLS report about a case (RFC 8460), in addition to the observations: the claim of a
 * reporter, and its agreement with the test. A report never changes a verdict.
 */
export const caseReportSchema = z.strictObject({
  organization: z.string(),
  /** UTC day that the report is about. */
  day: z.string().optional(),
  /**
   * A signature of the reporter authenticates the report; any client can send an unsigned
   * report.
   */
  authenticated: z.boolean(),
  successes: z.int().min(0),
  failures: z.int().min(0),
  /** Result types of the failures in the report (RFC 8460 §4.3). */
  resultTypes: z.array(z.string()),
  /** Connections of the judged sender to the case on that day. */
  seen: z.int().min(0),
  /** Whether failures in the report name an address in a network of the judged sender. */
  fromSender: z.enum(['yes', 'no', 'not-named']),
  /**
   * Whether the results in the report match the property of the case. `open`: the
   * standard leaves the result type of the case open.
   */
  agrees: z.enum(['yes', 'no', 'open']),
});
export type CaseReport = Readonly<z.infer<typeof caseReportSchema>>;

/** The result of one case. */
export const caseResultSchema = z.strictObject({
  case: z.string(),
  group: z.enum(caseGroups),
  expect: z.enum(['deliver', 'refuse', 'inform']),
  verdict: z.enum(caseVerdicts),
  /** The step at which the sender left; only with `refused`, and `deferred` if known. */
  step: z.enum(deliverySteps).optional(),
  /**
   * Whether the result meets the expectation; `open` if that is unknown, `none` for cases
   * without an expectation.
   */
  met: z.enum(['yes', 'no', 'open', 'none']),
  notes: z.array(z.enum(caseNotes)),
  /** SMTP connections that belong to the verdict. */
  attempts: z.int().min(0),
  /** The time of the last attempt, or of the last observation of the case. */
  lastSeen: time.optional(),
  /** TLS reports about the case, authenticated reports first; absent without reports. */
  reports: z.array(caseReportSchema).optional(),
  evidence: z.strictObject({
    /** DNS types asked for, and whether each question had the DO bit. */
    dns: z.array(z.strictObject({ type: z.string(), dnssecOk: z.boolean() })),
    policyFetches: z.int().min(0),
    tls: z
      .strictObject({
        version: z.string().optional(),
        suite: z.string().optional(),
        serverName: z.string().optional(),
        /**
         * Post-quantum key exchange (RFC 10024): in the ClientHello, and in the session
         * if the receiver knows its group.
         */
        hybrid: z.enum(['used', 'offered', 'not-offered']).optional(),
        alert: z.string().optional(),
      })
      .optional(),
  }),
});
export type CaseResult = Readonly<z.infer<typeof caseResultSchema>>;

/** The result of one mechanism, with the cases that it depends on. */
export const mechanismResultSchema = z.strictObject({
  mechanism: z.enum(senderMechanisms),
  verdict: z.enum(mechanismVerdicts),
  /** Cases that ended as the standard requires. */
  proof: z.array(z.string()),
  /** Cases whose result violates the standard. */
  faults: z.array(z.string()),
  /** Cases that would settle an open question. */
  missing: z.array(z.string()),
});
export type MechanismResult = Readonly<z.infer<typeof mechanismResultSchema>>;

/** The identity of a sender as its connections show it. */
export const senderIdentitySchema = z.strictObject({
  /** Networks of the connections, IPv4 /24 or IPv6 /48, the judged network first. */
  networks: z.array(z.string()),
  ehloNames: z.array(z.string()),
  /** The mail server software, if the connections identify it. */
  software: z.string().optional(),
  /**
   * Domains of the DKIM signatures of its messages (RFC 6376 §3.5, `d=`). The signatures
   * are not verified.
   */
  signingDomains: z.array(z.string()).optional(),
  /**
   * True if the host that connected is not the host that accepted the messages; the test
   * then judges the connecting host.
   */
  smartHost: z.boolean(),
});
export type SenderIdentity = Readonly<z.infer<typeof senderIdentitySchema>>;

/** The TLS abilities that the ClientHellos of the sender show. */
export const senderTlsSchema = z.strictObject({
  versions: z.array(z.string()),
  postQuantum: z.boolean(),
  sni: z.enum(['always', 'sometimes', 'never']),
  groups: z.array(z.string()),
});
export type SenderTls = Readonly<z.infer<typeof senderTlsSchema>>;

/** The judgement of a test, computed only from its observations. */
export const senderResultSchema = z
  .strictObject({
    schema: z.literal('hermetic.sender/1'),
    judgedAt: time,
    sender: senderIdentitySchema.optional(),
    cases: z.array(caseResultSchema),
    mechanisms: z.array(mechanismResultSchema),
    /** By class of receiving domain and attack, as in `hermetic.check/1`. */
    exposure: z.record(z.enum(senders), z.record(z.enum(attacks), z.enum(outcomes))),
    tls: senderTlsSchema.optional(),
  })
  .meta({
    id: 'hermetic.sender-1',
    title: 'hermetic.sender/1',
    description: 'The treatment of mail by a sender, case by case, as receivers observed it.',
  });
export type SenderTestResult = Readonly<z.infer<typeof senderResultSchema>>;
