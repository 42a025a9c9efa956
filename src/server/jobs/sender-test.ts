import { createSecureContext, type SecureContext } from 'node:tls';
import { join } from 'node:path';
import { BoundedMap, repeat } from '../../base/index.js';
import { acmeTables } from '../../publish/index.js';
import {
  ObservationBuffer,
  SlotPolicySite,
  SiteZones,
  SlotCertificates,
  SlotReceivers,
  slotTables,
  SlotTable,
  type HostKeyAndChain,
} from '../../sender/index.js';
import { servingTls } from '../../tls/index.js';
import { reportTables } from '../../tls-rpt-receive/index.js';
import { labelled, single, type Metric } from '../metrics.js';
import { SlotIssuer } from '../sender-issuer.js';
import { openSenderKeys, senderSite, type SenderSite } from '../sender-site.js';
import type { JobCode, JobContext, Service, SharedPortSite, StreamPort } from '../service.js';
import type { SenderTestJobSettings } from './job-sections.js';
import { SenderDns } from './sender-dns.js';

/**
 * Milliseconds between two writes of observations; short, so that a page shows new
 * observations soon.
 */
const FLUSH_MS = 500;
const PURGE_MS = 3_600_000;
/** Milliseconds between two searches for slots without a certificate. */
const CERTIFY_MS = 5000;
const SMTP_IDLE_MS = 120_000;
/** Maximum number of policy hosts whose TLS contexts are in memory. */
const MAX_CONTEXTS = 400;

/**
 * The job `senderTest`: the public test of senders. It answers DNS for the zone, acts as
 * the mail hosts and policy hosts of allocated slots, and saves its observations. It
 * sends and relays nothing.
 */
export const senderTestJob: JobCode<SenderTestJobSettings> = {
  // The pages of the test show the TLS reports that the job `report` stores.
  tables: ({ reportUri }) => [
    slotTables,
    acmeTables,
    ...(reportUri === undefined ? [] : [reportTables]),
  ],
  check: ({ keys }) => void openSenderKeys(keys),
  start: (settings, jobContext) => new SenderTest(settings, jobContext).service(),
};

/** The components of the running job. */
class SenderTest {
  readonly #stopping = new AbortController();
  readonly #table: SlotTable;
  readonly #buffer: ObservationBuffer;
  readonly #issuer: SlotIssuer | undefined;
  readonly #dns: SenderDns;
  readonly #receivers: SlotReceivers;
  readonly #policies: SlotPolicySite;
  readonly #contexts = new BoundedMap<{
    readonly pair: HostKeyAndChain;
    readonly context: SecureContext;
  }>(MAX_CONTEXTS);

  constructor(
    private readonly settings: SenderTestJobSettings,
    private readonly jobContext: JobContext,
  ) {
    const { store, clock } = jobContext;
    const { zone, page } = settings;
    const now = (): number => clock.now();
    const site = senderSite(settings, openSenderKeys(settings.keys));
    const table = new SlotTable(store);
    const buffer = new ObservationBuffer(table, now);
    const issuer = this.#openIssuer(site, table);
    const { host, issuer: issuerKey } = site.keys;
    const certificates = new SlotCertificates({
      host,
      issuer: issuerKey,
      now,
      publicCertificate: (hostName) => issuer?.certificateFor(hostName),
    });
    const zones = new SiteZones({
      site,
      key: site.keys.zone,
      apexAddresses: settings.policyAddresses,
      slotState(slot) {
        const allocated = table.bySlot(slot);
        return allocated && { withdrawn: allocated.withdrawnAt !== undefined };
      },
      textAt: (domainName) => issuer?.textAt(domainName),
      now,
    });
    const common = { zone, table, certificates, buffer, now };
    this.#table = table;
    this.#buffer = buffer;
    this.#issuer = issuer;
    this.#dns = new SenderDns(zones, buffer);
    this.#receivers = new SlotReceivers({ ...common, addresses: site.addresses, page });
    this.#policies = new SlotPolicySite(common);
  }

  #openIssuer(site: SenderSite, table: SlotTable): SlotIssuer | undefined {
    const { acme, zone, keys } = this.settings;
    if (!acme) return undefined;
    const options = {
      acme,
      zone,
      table,
      cases: site.cases,
      keyPem: site.keys.host.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      folder: join(keys, 'certificates'),
      signal: this.#stopping.signal,
    };
    return new SlotIssuer(options, this.jobContext);
  }

  service(): Service {
    const rounds = this.#runRounds();
    const { udp, tcp } = this.#dns.ports(this.settings);
    return {
      sites: [this.#policySite()],
      ports: [...tcp, ...this.#smtpPorts()],
      datagramPorts: udp,
      metrics: () => this.#metrics(),
      stop: async () => {
        this.#stopping.abort(new Error('stopped'));
        await rounds;
        await this.#buffer.flush();
      },
    };
  }

  #smtpPorts(): readonly StreamPort[] {
    const { smtp } = this.settings;
    if (!smtp) return [];
    return [
      {
        what: 'sender-smtp',
        listen: smtp.listen,
        limits: {
          connections: smtp.connections,
          idleMs: SMTP_IDLE_MS,
          refusal: '421 4.3.2 Too many connections, try again later\r\n',
        },
        serve: (connection) => void this.#receivers.serve(connection),
      },
    ];
  }

  #policySite(): SharedPortSite {
    return {
      serves: (hostName) => this.#policies.placeOf(hostName) !== undefined,
      handle: (request, { address }) => this.#policies.handle(request, address),
      certificateFor: (serverName) => {
        const pair = this.#policies.certificateFor(serverName);
        return pair && this.#contextOf(serverName, pair);
      },
    };
  }

  #contextOf(serverName: string, pair: HostKeyAndChain): SecureContext {
    const known = this.#contexts.get(serverName);
    if (known?.pair === pair) return known.context;
    const { chainPem: cert, keyPem: key } = pair;
    const context = createSecureContext({ cert, key, ...servingTls });
    this.#contexts.set(serverName, { pair, context });
    return context;
  }

  async #runRounds(): Promise<void> {
    const { clock, log } = this.jobContext;
    const { signal } = this.#stopping;
    const onError = ({ message }: Error): void =>
      log.error('sender-test-round-failed', { error: message });
    const common = { clock, signal, onError };
    await Promise.all([
      repeat(() => this.#buffer.flush(), { ...common, pauseMs: FLUSH_MS }),
      repeat(() => this.#table.purge(clock.now()), { ...common, pauseMs: PURGE_MS }),
      repeat(() => this.#certify(), { ...common, pauseMs: CERTIFY_MS }),
    ]);
  }

  async #certify(): Promise<void> {
    const now = this.jobContext.clock.now();
    for (const slot of this.#table.allocated(now)) {
      if (this.#stopping.signal.aborted) return;
      if (this.#issuer) await this.#issuer.certify(slot);
      else await this.#table.markReady(slot.slot, now);
    }
  }

  #metrics(): readonly Metric[] {
    const now = this.jobContext.clock.now();
    return [
      single('sender_slots', 'gauge', 'Allocated slots.', this.#table.allocated(now).length),
      labelled('sender_dns_answers_total', 'counter', 'DNS answers by response code.', {
        label: 'rcode',
        values: [...this.#dns.answers].map(([rcode, count]) => [String(rcode), count]),
      }),
      single(
        'sender_observations_dropped_total',
        'counter',
        'Observations dropped because a limit of a slot was reached.',
        this.#buffer.dropped,
      ),
      single(
        'sender_connections_unassigned_total',
        'counter',
        'SMTP connections that no slot matched.',
        this.#receivers.unassigned,
      ),
    ];
  }
}
