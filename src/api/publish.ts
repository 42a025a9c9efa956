/**
 * Publish MTA-STS policies and TLSA records without breaking delivery.
 *
 * The planners are pure: `stepRollover` and `stepPolicy` take the saved state and an
 * observation, and return the new state with the steps that are safe now. `planAll` and
 * `applyOnce` run the planners for a configuration: observe, plan, save, execute.
 */
export {
  applyOnce,
  covers,
  describeAction,
  dnsWriters,
  Issuer,
  KeyRing,
  openAcmeStore,
  openLedger,
  planAll,
  policyId,
  publishSection,
  recordsOf,
  startPolicy,
  startRollover,
  stepPolicy,
  stepRollover,
  stsRecord,
  type Action,
  type ActionOutcome,
  type Alert,
  type Applied,
  type DesiredPolicy,
  type DesiredRollover,
  type Executor,
  type Ledger,
  type Observer,
  type PlanOptions,
  type PolicyState,
  type PolicyStep,
  type TlsaRolloverState,
  type RolloverStep,
  type Step,
  type SubjectPlan,
  type Wait,
} from '../publish/index.js';
