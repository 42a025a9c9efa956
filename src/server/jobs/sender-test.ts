import { repeat } from '../../base/index.js';
import {
  respondToQuery,
  serveDnsStream,
  typeName,
  type AuthorityResponse,
} from '../../dns/index.js';
import type { Endpoint } from '../../net/index.js';
import { ObservationBuffer, SiteZones, slotTables, SlotTable } from '../../sender/index.js';
import { labelled, single } from '../metrics.js';
import { openSenderKeys, senderSite } from '../sender-site.js';
import type { DatagramPort, JobCode, JobContext, Service, StreamPort } from '../service.js';
import type { SenderTestJobSettings } from './job-sections.js';

/** Milliseconds between two writes of observations: a page shows them soon. */
const FLUSH_MS = 500;
const PURGE_MS = 3_600_000;
/** TCP connections for DNS; resolvers close theirs soon. */
const DNS_CONNECTIONS = 200;
const DNS_IDLE_MS = 10_000;

/**
 * The job `senderTest`: the public test of senders. It answers DNS for the zone, and saves
 * the DNS questions about lent slots.
 */
export const senderTestJob: JobCode<SenderTestJobSettings> = {
  tables: () => [slotTables],
  check: ({ keys }) => void openSenderKeys(keys),
  start(settings, jobContext): Service {
    const { store, clock } = jobContext;
    const site = senderSite(settings, openSenderKeys(settings.keys));
    const table = new SlotTable(store);
    const buffer = new ObservationBuffer(table, () => clock.now());
    const zones = new SiteZones({
      site,
      key: site.keys.zone,
      apexAddresses: settings.policyAddresses,
      slotState(slot) {
        const lent = table.bySlot(slot);
        return lent && { withdrawn: lent.withdrawnAt !== undefined };
      },
      now: () => clock.now(),
    });
    const dns = new SenderDns(zones, buffer);
    const stopping = new AbortController();
    const rounds = saveInRounds(buffer, table, jobContext, stopping.signal);
    const { udp, tcp } = dnsPorts(settings, dns);
    return {
      ports: tcp ? [tcp] : [],
      datagramPorts: udp ? [udp] : [],
      metrics: () => [
        single('sender_slots', 'gauge', 'Slots that are lent.', table.lent(clock.now()).length),
        labelled('sender_dns_answers_total', 'counter', 'DNS answers by response code.', {
          label: 'rcode',
          values: [...dns.answers].map(([rcode, count]) => [String(rcode), count]),
        }),
        single(
          'sender_observations_dropped_total',
          'counter',
          'Observations over the limits of a slot.',
          buffer.dropped,
        ),
      ],
      async stop() {
        stopping.abort(new Error('stopped'));
        await rounds;
        await buffer.flush();
      },
    };
  },
};

/** Answers DNS questions, and saves those about lent slots. */
class SenderDns {
  /** Answers by response code. */
  readonly answers = new Map<number, number>();

  constructor(
    private readonly zones: SiteZones,
    private readonly buffer: ObservationBuffer,
  ) {}

  answer(
    query: Uint8Array,
    peer: Endpoint,
    transport: 'udp' | 'tcp',
    truncate = false,
  ): Uint8Array | undefined {
    const response = respondToQuery(query, {
      zones: (domainName) => this.zones.zonesFor(domainName),
      transport,
      isExpected: (domainName) => this.zones.isExpected(domainName),
      truncate,
    });
    if (!response) return undefined;
    this.answers.set(response.rcode, (this.answers.get(response.rcode) ?? 0) + 1);
    // A truncated answer is followed by the same question over TCP.
    if (!response.truncated) this.#save(response, peer, transport);
    return response.bytes;
  }

  #save(
    { question, dnssecOk }: AuthorityResponse,
    { address }: Endpoint,
    transport: 'udp' | 'tcp',
  ): void {
    const named = question && this.zones.namedCase(question.name);
    if (!named) return;
    this.buffer.addQuestion({
      case: named.caseId,
      slot: named.slot,
      source: address,
      name: question.name.toLower(),
      type: typeName(question.type),
      dnssecOk,
      transport,
    });
  }
}

function dnsPorts(
  { dns: settings }: SenderTestJobSettings,
  dns: SenderDns,
): { readonly udp?: DatagramPort; readonly tcp?: StreamPort } {
  if (!settings) return {};
  const { listen, perSecond } = settings;
  return {
    udp: {
      what: 'sender-dns-udp',
      listen,
      perSecond,
      answer: (query, peer, truncate) => dns.answer(query, peer, 'udp', truncate),
    },
    tcp: {
      what: 'sender-dns',
      listen,
      limits: { connections: DNS_CONNECTIONS, idleMs: DNS_IDLE_MS },
      serve: (connection) =>
        serveDnsStream(connection, (query) => dns.answer(query, connection.remote, 'tcp')),
    },
  };
}

async function saveInRounds(
  buffer: ObservationBuffer,
  table: SlotTable,
  { clock, log }: JobContext,
  signal: AbortSignal,
): Promise<void> {
  const onError = ({ message }: Error): void =>
    log.error('sender-test-not-saved', { error: message });
  await Promise.all([
    repeat(() => buffer.flush(), { clock, signal, pauseMs: FLUSH_MS, onError }),
    repeat(() => table.purge(clock.now()), { clock, signal, pauseMs: PURGE_MS, onError }),
  ]);
}
