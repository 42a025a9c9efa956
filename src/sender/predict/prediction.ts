import { z } from 'zod';
import { attacks, outcomes, senders, type SenderClass } from '../../tls-policy/index.js';
import {
  caseGroups,
  senderMechanisms,
  type SenderCase,
  type SenderMechanism,
} from '../cases/sender-case.js';
import { caseVerdicts, mechanismVerdicts } from '../verdict.js';
import { judgePrediction } from './judge-prediction.js';
import type { PredictedDelivery } from './predict-delivery.js';
import { predictCases } from './predict-sender.js';
import { fullSender } from './read-own.js';
import { senderExposure, type SenderExposure } from './sender-exposure.js';
import { senderPrograms, type SenderModel } from './sender-model.js';
import { suggestChanges } from './suggest-changes.js';

/** `cannot-tell`, or the verdict that the test of the case must return. */
export const predictedVerdicts = [...caseVerdicts, 'cannot-tell'] as const;
export type PredictedVerdict = (typeof predictedVerdicts)[number];

/** The reason of a cell, and the line of the configuration that decides it. */
const cause = { reason: z.string(), line: z.string() };

/** The mechanism whose change in `changes` improves the result. */
const change = z.enum(senderMechanisms).optional();

const cellSchema = z.strictObject({ result: z.enum(outcomes), ...cause, change });

/** The prediction of a sender from its configuration. */
export const predictionSchema = z
  .strictObject({
    schema: z.literal('hermetic.sender-prediction/1'),
    program: z.enum(senderPrograms),
    version: z.string().optional(),
    /** The domain of the recipients; other domains may have other rules. */
    domain: z.string(),
    /**
     * The server that relays all mail: its rules apply, so the cases are `cannot-tell`.
     */
    smartHost: z.string().optional(),
    mechanisms: z.array(
      z.strictObject({
        mechanism: z.enum(senderMechanisms),
        verdict: z.enum(mechanismVerdicts),
        ...cause,
        /** Cases whose outcome violates the standard. */
        faults: z.array(z.string()),
      }),
    ),
    /** Whether the server reports its sessions for TLS reports (RFC 8460). */
    tlsReports: z.enum(['yes', 'no', 'cannot-tell']),
    cases: z.array(
      z.strictObject({
        case: z.string(),
        group: z.enum(caseGroups),
        expect: z.enum(['deliver', 'refuse', 'inform']),
        verdict: z.enum(predictedVerdicts),
        /** Whether the result meets the expectation of the case. */
        met: z.enum(['yes', 'no', 'open', 'none']),
        /** Age of the message in seconds at this result; earlier attempts fail. */
        delaySeconds: z.int().min(0).optional(),
        /** The sender bounces the message instead of deferring it. */
        bounced: z.literal(true).optional(),
        ...cause,
        change,
      }),
    ),
    /** Results by class of receiving domain and attack. */
    exposure: z.record(z.enum(senders), z.record(z.enum(attacks), cellSchema)),
    changes: z.array(
      z.strictObject({
        mechanism: z.enum(senderMechanisms),
        place: z.string(),
        lines: z.array(z.string()),
        note: z.string().optional(),
      }),
    ),
    /** Destinations with specific rules. */
    destinations: z.array(
      z.strictObject({
        destination: z.string(),
        tls: z.enum(['never', 'opportunistic', 'required', 'broken', 'cannot-tell']),
        line: z.string(),
      }),
    ),
    assumptions: z.array(z.string()),
    warnings: z.array(z.string()),
  })
  .meta({
    id: 'hermetic.sender-prediction-1',
    title: 'hermetic.sender-prediction/1',
    description: 'The treatment of mail by a sender, predicted from its configuration.',
  });
export type SenderPrediction = Readonly<z.infer<typeof predictionSchema>>;

/** Returns the published JSON Schema (draft 2020-12) by file name. */
export function predictionSchemas(): Readonly<Record<string, object>> {
  return {
    'hermetic.sender-prediction-1.json': z.toJSONSchema(predictionSchema, {
      target: 'draft-2020-12',
    }),
  };
}

/** Predicts a sender: every case, each mechanism, and the exposure table. Pure. */
export function predictSender(model: SenderModel, cases: readonly SenderCase[]): SenderPrediction {
  const predictions = predictCases(model, cases);
  const mechanisms = judgePrediction(model, predictions);
  const changes = suggestChanges(model, mechanisms);
  const changed = new Set(changes.map(({ mechanism }) => mechanism));
  const { smartHost, tlsReports } = model;
  return {
    schema: 'hermetic.sender-prediction/1',
    program: model.program,
    version: model.version,
    domain: model.domain,
    smartHost: smartHost.known ? smartHost.value : undefined,
    mechanisms: mechanisms.map((mechanism) => ({ ...mechanism, faults: [...mechanism.faults] })),
    tlsReports: tlsReports.known ? tlsReports.value : 'cannot-tell',
    cases: predictions.map(({ case: { id, group, expect, evidenceOf }, delivery }) => ({
      case: id,
      group,
      expect,
      verdict: verdictOf(delivery),
      met: metBy(expect, delivery),
      delaySeconds: delivery.delaySeconds,
      bounced: delivery.bounced === true ? true : undefined,
      ...causeOf(delivery),
      change:
        metBy(expect, delivery) === 'no'
          ? evidenceOf.find((mechanism) => changed.has(mechanism))
          : undefined,
    })),
    exposure: exposureOf(senderExposure(model), changed),
    changes: changes.map((one) => ({ ...one, lines: [...one.lines] })),
    destinations: model.destinations.map(({ destination, rules, source }) => ({
      destination,
      tls: rules.tls.known ? rules.tls.value : 'cannot-tell',
      line: source.line,
    })),
    assumptions: [...model.assumptions],
    warnings: [...model.warnings],
  };
}

function causeOf({ reason, source }: PredictedDelivery): { reason: string; line: string } {
  return { reason, line: source.line };
}

/**
 * Returns the verdict of the test for a predicted result. A sender that withholds mail by
 * its own decision refuses the host; a failed handshake shows no decision.
 */
function verdictOf({ result, atHandshake }: PredictedDelivery): PredictedVerdict {
  switch (result) {
    case 'verified':
      return 'delivered-verified';
    case 'unverified':
      return 'delivered-unverified';
    case 'cleartext':
      return 'delivered-in-plaintext';
    case 'deferred':
      return atHandshake ? 'deferred' : 'refused';
    default:
      return 'cannot-tell';
  }
}

function metBy(
  expect: SenderCase['expect'],
  { result }: PredictedDelivery,
): SenderPrediction['cases'][number]['met'] {
  if (expect === 'inform') return 'none';
  if (result === 'unknown') return 'open';
  return (expect === 'refuse') === (result === 'deferred') ? 'yes' : 'no';
}

/** The mechanisms that protect mail to each class of domain. */
const protections: Readonly<Record<SenderClass, readonly SenderMechanism[]>> = {
  opportunistic: ['starttls'],
  mtaStsFirst: ['mta-sts'],
  mtaStsCached: ['mta-sts'],
  dane: ['dane'],
  bothFirst: ['dane', 'mta-sts'],
  bothCached: ['dane', 'mta-sts'],
};

function exposureOf(
  exposure: SenderExposure,
  changed: ReadonlySet<SenderMechanism>,
): SenderPrediction['exposure'] {
  // No setting improves a result that a sender with every mechanism also gets.
  const best = senderExposure(fullSender);
  return Object.fromEntries(
    senders.map((domainClass) => [
      domainClass,
      Object.fromEntries(
        attacks.map((attack) => {
          const delivery = exposure[domainClass][attack];
          const { result } = delivery;
          const change =
            result === best[domainClass][attack].result
              ? undefined
              : protections[domainClass].find((mechanism) => changed.has(mechanism));
          return [attack, { result, ...causeOf(delivery), change }];
        }),
      ),
    ]),
  ) as SenderPrediction['exposure'];
}
