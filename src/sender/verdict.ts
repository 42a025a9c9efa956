import { z } from 'zod';
import { attacks, outcomes, senders } from '../tls-policy/index.js';
import { caseGroups, deliverySteps, senderMechanisms } from './cases/sender-case.js';

/**
 * The result of a case.
 *
 * - `delivered-verified`: under TLS, and a counterpart of the case with a false identity
 *   was refused, so the sender verifies.
 * - `delivered-unverified`: under TLS, and nothing shows that the sender verifies.
 * - `delivered-in-plaintext`: at least one message arrived without TLS.
 * - `refused`: the sender saw the property of the case and left by itself without a
 *   message, at every attempt. It may come again: senders queue such mail for days.
 * - `deferred`: the sender came, and its attempts ended for another reason.
 * - `not-seen`: a message is under way, and no attempt was seen. Silence is never a
 *   refusal.
 * - `not-started`: no message is known to be under way.
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
 * The result of a mechanism. Every value but `cannot-tell` depends on one case that was
 * delivered as it must be, and one that must not be delivered.
 *
 * - `enforces`: every case of the mechanism that was tested ended as the standard requires.
 * - `observes-only`: the sender asked for the policy and delivered if it forbids it.
 *   For STARTTLS: TLS is used if offered, and not required.
 * - `does-not-use`: no sign of the mechanism, and mail was delivered against it.
 * - `enforces-wrongly`: the mechanism is in use, and at least one case ended against the
 *   standard.
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
  /** DNS questions arrived and no connection; the evidence does not show a sender. */
  'asked-dns-only',
  /** The policy was fetched and no connection arrived. */
  'fetched-policy-only',
  /** The policy was fetched after the delivery, so the delivery does not break it. */
  'fetched-policy-later',
  /** The verdict may still change: the sender has had too little time. */
  'still-open',
  /** MAIL or RCPT went over plaintext, though no message was accepted. */
  'envelope-in-plaintext',
  /** A first attempt under TLS failed, and a later one used plaintext. */
  'fell-back-to-plaintext',
  /** Our own reply was a temporary error. */
  'receiver-deferred',
  /** Attempts came from another network, or under another EHLO domain, than the rest. */
  'other-network',
  /** The message never reached the sender: its server refused to take it. */
  'not-submitted',
  /** The expectation of the case was not met. */
  'unexpected',
] as const;
export type CaseNote = (typeof caseNotes)[number];

const time = z.iso.datetime();

/**
 * A TLS report about a case (RFC 8460), next to the observations: the claim of a
 * reporter, and the agreement of the test. A report never changes a verdict.
 */
export const caseReportSchema = z.strictObject({
  organization: z.string(),
  /** UTC day that it is about. */
  day: z.string().optional(),
  /** A signature of the reporter vouches for it; any client can send another report. */
  authenticated: z.boolean(),
  successes: z.int().min(0),
  failures: z.int().min(0),
  /** Result types of its failures (RFC 8460 §4.3). */
  resultTypes: z.array(z.string()),
  /** Connections of the judged sender to the case on that day. */
  seen: z.int().min(0),
  /** Whether its failures name an address in a network of the judged sender. */
  fromSender: z.enum(['yes', 'no', 'not-named']),
  /**
   * Whether its results are those of the property of the case. `open`: the standard leaves
   * the result type of the case open.
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
   * Whether the result meets the expectation; `open` if that is unknown, `none` for
   * cases without one.
   */
  met: z.enum(['yes', 'no', 'open', 'none']),
  notes: z.array(z.enum(caseNotes)),
  /** SMTP connections that belong to the verdict. */
  attempts: z.int().min(0),
  /** The last attempt, or the last sign of the case. */
  lastSeen: time.optional(),
  /** TLS reports about the case, the authenticated ones first; absent without any. */
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
  /** Cases that ended against it. */
  faults: z.array(z.string()),
  /** Cases that would settle an open question. */
  missing: z.array(z.string()),
});
export type MechanismResult = Readonly<z.infer<typeof mechanismResultSchema>>;

/** The identity of a sender as its connections show it. */
export const senderIdentitySchema = z.strictObject({
  /** Networks of the connections, IPv4 /24 or IPv6 /48; the one that was judged first. */
  networks: z.array(z.string()),
  ehloNames: z.array(z.string()),
  /** Software, if it shows itself. */
  software: z.string().optional(),
  /**
   * Domains of the DKIM signatures of its messages (RFC 6376 §3.5, `d=`). The signatures
   * are not verified.
   */
  signingDomains: z.array(z.string()).optional(),
  /**
   * True if another host than the one that took the messages made the connections: the
   * test then judges that host.
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

/** The judgement of a test: pure function of its observations. */
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
