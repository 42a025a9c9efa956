import {
  attacks,
  attackView,
  senders,
  type Attack,
  type DeliveryResult,
  type Exposure,
  type HostView,
  type SenderClass,
  type View,
} from '../../tls-policy/index.js';
import { predictDelivery, type PredictedDelivery, type ServerFacts } from './predict-delivery.js';
import { asResolved } from './predict-sender.js';
import { requirementOf, type PolicyInForce } from './requirement.js';
import type { SenderModel } from './sender-model.js';

/**
 * Receiving domains by their protection, named like the classes of senders: the rows of
 * the exposure table of a sender. `First` and `Cached` are the state of this sender's
 * MTA-STS cache for the domain.
 */
export type DomainClass = SenderClass;

/** The domain and MX host of every class. */
const DOMAIN = 'example.com';
const MX_HOST = 'mx.example.com';

/** One cell: the delivery, and the setting that decides it. */
export type SenderExposure = Readonly<
  Record<DomainClass, Readonly<Record<Attack, PredictedDelivery>>>
>;

/** Predicts mail of a sender to each class of domain under each attack. Pure. */
export function senderExposure(model: SenderModel): SenderExposure {
  return Object.fromEntries(
    senders.map((domainClass) => [
      domainClass,
      Object.fromEntries(
        attacks.map((attack) => [attack, exposureCell(model, domainClass, attack)]),
      ),
    ]),
  ) as unknown as SenderExposure;
}

/** Returns only the results, as the table of `check` shows them. */
export function exposureResults(exposure: SenderExposure): Exposure {
  return Object.fromEntries(
    senders.map((domainClass) => [
      domainClass,
      Object.fromEntries(
        attacks.map((attack): [Attack, DeliveryResult] => [
          attack,
          exposure[domainClass][attack].result,
        ]),
      ),
    ]),
  ) as unknown as Exposure;
}

function exposureCell(
  model: SenderModel,
  domainClass: DomainClass,
  attack: Attack,
): PredictedDelivery {
  const { smartHost } = model;
  if (!smartHost.known || smartHost.value !== undefined)
    return {
      result: 'unknown',
      reason: smartHost.known
        ? `mail goes through ${smartHost.value ?? ''}, so that server decides`
        : smartHost.reason,
      source: smartHost.source,
    };
  const view = domainView(domainClass);
  const validates = model.resolver.known && model.resolver.value === 'validates';
  const attacked = asResolved(attackView(view, attack, validates), model);
  const cached = domainClass === 'mtaStsCached' || domainClass === 'bothCached';
  const { live, mx } = cached ? view.mtaSts : attacked.mtaSts;
  const policy: PolicyInForce | undefined =
    live === 'enforce' ? { mode: 'enforce', mx } : undefined;
  const [host] = attacked.hosts;
  if (host === undefined)
    return { result: 'unknown', reason: 'no host', source: model.rules.tls.source };
  const question = { rules: model.rules, host, mxDnssec: attacked.route.dnssec, policy };
  return predictDelivery(model, requirementOf(question), serverFacts(host));
}

/**
 * Returns a domain of a class: one MX host, with a valid certificate and matching TLSA
 * records.
 */
function domainView(domainClass: DomainClass): View {
  const dane = ['dane', 'bothFirst', 'bothCached'].includes(domainClass);
  const sts = !['opportunistic', 'dane'].includes(domainClass);
  const dnssec = dane ? 'secure' : 'insecure';
  return {
    route: { kind: 'mx', dnssec },
    mtaSts: sts ? { live: 'enforce', mx: [MX_HOST], maxAge: 604_800 } : { live: 'absent', mx: [] },
    hosts: [
      {
        name: MX_HOST,
        preference: 10,
        dnssec,
        tlsa: dane ? 'usable' : 'absent',
        servers: [
          {
            ip: '',
            reachable: 'yes',
            starttls: 'yes',
            tls: 'yes',
            pkix: 'yes',
            dane: dane ? 'yes' : 'no',
            attacker: false,
          },
        ],
      },
    ],
  };
}

/**
 * Returns the facts about the server of an MX host, as an attack presents it. If only a
 * forged MX record names a host, the attacker controls the host and has a valid
 * certificate for its name. A sender accepts that certificate if it takes the name from
 * an unsigned answer.
 */
function serverFacts({ name, servers: [server] }: HostView): ServerFacts {
  const forged = name !== MX_HOST;
  const starttls = { yes: 'offered', no: 'absent', unknown: 'unknown' } as const;
  return {
    starttls: starttls[server?.starttls ?? 'unknown'],
    handshake: server?.tls === 'no' ? 'fails' : 'works',
    pkix: forged ? 'yes' : (server?.pkix ?? 'unknown'),
    dane: server?.dane ?? 'unknown',
    attacker: server?.attacker ?? false,
    name,
    domain: DOMAIN,
  };
}
