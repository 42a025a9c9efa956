import {
  respondToQuery,
  serveDnsStream,
  typeName,
  type AuthorityResponse,
} from '../../dns/index.js';
import type { Endpoint } from '../../net/index.js';
import type { ObservationBuffer, SiteZones } from '../../sender/index.js';
import type { DatagramPort, StreamPort } from '../service.js';
import type { SenderTestJobSettings } from './job-sections.js';

/** Maximum number of TCP connections for DNS; resolvers close their connections soon. */
const CONNECTIONS = 200;
const IDLE_MS = 10_000;

/** Answers DNS questions, and saves the questions about allocated slots. */
export class SenderDns {
  /** Number of answers by response code. */
  readonly answers = new Map<number, number>();

  constructor(
    private readonly zones: SiteZones,
    private readonly buffer: ObservationBuffer,
  ) {}

  /** Returns the ports of the section; empty without `dns`. */
  ports({ dns: settings }: SenderTestJobSettings): {
    readonly udp: readonly DatagramPort[];
    readonly tcp: readonly StreamPort[];
  } {
    if (!settings) return { udp: [], tcp: [] };
    const { listen, perSecond } = settings;
    const udp: DatagramPort = {
      what: 'sender-dns-udp',
      listen,
      perSecond,
      answer: (query, peer, truncate) => this.answer(query, peer, 'udp', truncate),
    };
    const tcp: StreamPort = {
      what: 'sender-dns',
      listen,
      limits: { connections: CONNECTIONS, idleMs: IDLE_MS },
      serve: (connection) =>
        serveDnsStream(connection, (query) => this.answer(query, connection.remote, 'tcp')),
    };
    return { udp: [udp], tcp: [tcp] };
  }

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
    // After a truncated answer a resolver repeats the question over TCP, and that
    // question is saved.
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
