import { BoundedMap, networkOf, WindowCount } from '../../base/index.js';
import type { Connection } from '../../net/index.js';
import { senderCase, senderCases } from '../cases/all-cases.js';
import { caseOfName } from '../cases/case-names.js';
import type { SenderCase } from '../cases/sender-case.js';
import type { Observation } from '../observation.js';
import type { CertificateSource } from '../receive/case-certificates.js';
import { Recorder, type CasePlace } from '../receive/recorder.js';
import type { NamedPlay, PlayedCase, PlaySelection } from '../receive/receiver-session.js';
import { SmtpReceiver } from '../receive/smtp-receiver.js';
import { behaviourOf, type CaseAddresses } from './case-addresses.js';
import type { ObservationBuffer } from './observation-buffer.js';
import type { SlotTable } from './slot-table.js';

export interface SlotReceiversOptions {
  readonly zone: string;
  readonly table: SlotTable;
  readonly addresses: CaseAddresses;
  readonly certificates: CertificateSource;
  readonly buffer: ObservationBuffer;
  /** Returns the wall-clock time in milliseconds since 1970. */
  readonly now: () => number;
  /** Address of the page that starts a test. */
  readonly page?: string | undefined;
}

/** Maximum connections of one slot in an hour, and of one network in a minute. */
const PER_SLOT = 200;
const PER_NETWORK = 60;
const HOUR = 3_600_000;
const MINUTE = 60_000;
/**
 * Milliseconds for which a network gets the case of its turn: longer than the retry
 * interval of a sender.
 */
const TURN_MS = 15 * MINUTE;
const MAX_NETWORKS = 5000;
/** Maximum octets of one message, which are counted and discarded. */
const MAX_DATA = 1_000_000;

/**
 * The mail hosts of all slots. The destination address identifies the case, and with IPv6
 * also the slot; SNI and the recipient identify the rest. If a connection showed the
 * behaviour of another case before its own case was known, the receiver defers the
 * message, and shows the right case to the network of the client at the next attempt.
 * Such connections are not recorded.
 */
export class SlotReceivers {
  readonly #receiver: SmtpReceiver;
  readonly #perSlot: WindowCount;
  readonly #perNetwork: WindowCount;
  readonly #turns = new BoundedMap<{ readonly place: CasePlace; readonly until: number }>(
    MAX_NETWORKS,
  );
  /** The slot in which a network was seen last. */
  readonly #slotOf = new BoundedMap<string>(MAX_NETWORKS);
  #connections = 0;
  /** Number of connections whose slot never became known. */
  unassigned = 0;
  /** Number of connections that were deferred until their turn. */
  turns = 0;

  constructor(private readonly options: SlotReceiversOptions) {
    const { zone, certificates, now } = options;
    this.#perSlot = new WindowCount(HOUR, now);
    this.#perNetwork = new WindowCount(MINUTE, now);
    this.#receiver = new SmtpReceiver({
      zone,
      certificates,
      recorder: new SlotRecorder(options.table, '', now),
      limits: { maxData: MAX_DATA },
    });
  }

  /**
   * Serves one connection. The promise never rejects: after an error, for example of the
   * database, the method closes the connection.
   */
  async serve(connection: Connection): Promise<void> {
    try {
      await this.#serve(connection);
    } catch {
      this.unassigned++;
      connection.close();
    }
  }

  async #serve(connection: Connection): Promise<void> {
    const network = networkOf(connection.remote.address);
    if (this.#perNetwork.count(network).count > PER_NETWORK) {
      connection.stream.end('421 4.7.0 Too many connections, try again later\r\n');
      return;
    }
    const local = connection.local.address.replace(/^::ffff:/i, '');
    const first = this.#firstGuess(local, network);
    const { table, now } = this.options;
    const id = `${now().toString(36)}-${(++this.#connections).toString(36)}`;
    const seen: Observation[] = [];
    const recorder = new SlotRecorder(table, id, now, (observation) => seen.push(observation));
    const selection = new Selection(this, `${network} ${local}`);
    const played = this.playOf(first);
    const { place } = await this.#receiver.play(connection, { played, recorder, selection });
    if (selection.isPutOff) {
      this.turns++;
      return;
    }
    this.#save(place, seen, network);
  }

  #save(
    { senderCase: { id }, slot }: CasePlace,
    seen: readonly Observation[],
    network: string,
  ): void {
    if (!this.isAllocated(slot)) {
      this.unassigned++;
      return;
    }
    this.#slotOf.set(network, slot);
    // Earlier observations of the connection belong to the case too.
    for (const observation of seen) this.options.buffer.add({ ...observation, case: id, slot });
  }

  /** Returns the case of an address, and the slot if it is known. */
  #firstGuess(local: string, network: string): CasePlace {
    const { addresses, now, table } = this.options;
    const turn = this.#turns.get(`${network} ${local}`);
    if (turn && turn.until > now()) return turn.place;
    const allocated = table.allocated(now()).map(({ slot }) => slot);
    // The address of an ended slot: its recipients get the refusal with its explanation.
    if (local.includes(':')) return addresses.placeAt(local, allocated) ?? nowhere;
    const [first] = addresses.casesAt(local);
    const known = this.#slotOf.get(network);
    const only = allocated.length === 1 ? allocated[0] : undefined;
    return first ? { senderCase: first, slot: known ?? only ?? '' } : nowhere;
  }

  /** Returns the allocated slot and the case of a name. */
  find(name: string): CasePlace | undefined {
    const named = caseOfName(name, this.options.zone);
    const found = named && senderCase(named.caseId);
    return found && this.isAllocated(named.slot)
      ? { senderCase: found, slot: named.slot }
      : undefined;
  }

  isAllocated(slot: string): boolean {
    return (this.options.table.bySlot(slot)?.endsAt ?? 0) > this.options.now();
  }

  playOf(place: CasePlace): PlayedCase {
    const played = this.#receiver.playOf(place);
    const { withdrawn } = place.senderCase;
    return withdrawn && this.isWithdrawn(place.slot)
      ? { ...played, host: { ...played.host, starttls: 'absent' } }
      : played;
  }

  isWithdrawn(slot: string): boolean {
    return this.options.table.bySlot(slot)?.withdrawnAt !== undefined;
  }

  /** Counts a connection of a slot, and returns false beyond the limit. */
  admits(slot: string): boolean {
    return this.#perSlot.count(slot).count <= PER_SLOT;
  }

  /** Assigns a case to the next connection, unless another case has its turn. */
  giveTurn(key: string, place: CasePlace): void {
    const now = this.options.now();
    if ((this.#turns.get(key)?.until ?? 0) <= now)
      this.#turns.set(key, { place, until: now + TURN_MS });
  }

  endTurn(key: string): void {
    this.#turns.delete(key);
  }

  get refusal(): string {
    const { page } = this.options;
    return page === undefined
      ? 'no test is running here'
      : `no test is running here; start one at ${page}`;
  }
}

/** A plain mail host that belongs to no slot. */
const nowhere: CasePlace = { senderCase: senderCases[0] as SenderCase, slot: '' };

/** Finds the case of one connection by the names that the client mentions. */
class Selection implements PlaySelection {
  isPutOff = false;
  #counted: string | undefined;
  /** The case of the first recipient that was accepted: the connection is its evidence. */
  #accepted: CasePlace | undefined;

  constructor(
    private readonly receivers: SlotReceivers,
    /** Network and address, to which a turn is assigned. */
    private readonly key: string,
  ) {}

  get refusal(): string {
    return this.receivers.refusal;
  }

  byServerName(serverName: string, played: PlayedCase): NamedPlay {
    const place = this.receivers.find(serverName);
    if (!place) return undefined;
    const next = this.receivers.playOf(place);
    return startsAlike(next, played) ? this.#take(next) : this.#putOff(place);
  }

  byRecipient(domain: string, played: PlayedCase, secured: boolean): NamedPlay {
    const place = this.receivers.find(domain);
    if (!place) return undefined;
    if (this.#accepted && !isSamePlace(this.#accepted, place)) {
      this.receivers.giveTurn(this.key, place);
      return 'turn';
    }
    if (!this.#admits(place.slot)) {
      this.isPutOff = true;
      return 'turn';
    }
    const next = this.receivers.playOf(place);
    // In plaintext the client has seen no certificate yet.
    const alike = secured ? looksAlike(next, played) : startsAlike(next, played);
    if (!alike) return this.#putOff(place);
    this.receivers.endTurn(this.key);
    this.#accepted = place;
    return this.#take(next);
  }

  #take(next: PlayedCase): NamedPlay {
    this.isPutOff = false;
    return next;
  }

  #putOff(place: CasePlace): NamedPlay {
    this.isPutOff = true;
    this.receivers.giveTurn(this.key, place);
    return 'turn';
  }

  /** Returns whether the slot permits this connection, which counts once for its slot. */
  #admits(slot: string): boolean {
    if (this.#counted === slot) return true;
    this.#counted = slot;
    return this.receivers.admits(slot);
  }
}

function isSamePlace(left: CasePlace, right: CasePlace): boolean {
  return left.slot === right.slot && left.senderCase.id === right.senderCase.id;
}

/** Returns whether two cases behave the same up to the certificate. */
function startsAlike(left: PlayedCase, right: PlayedCase): boolean {
  return before(left) === before(right);
}

function before({ place, host }: PlayedCase): string {
  return host.starttls === 'absent' ? 'absent' : behaviourOf(place.senderCase);
}

/** Returns whether two cases behave the same in a complete connection. */
function looksAlike(left: PlayedCase, right: PlayedCase): boolean {
  const hostOf = ({ host }: PlayedCase): string => JSON.stringify({ ...host, tlsa: undefined });
  return (
    left.place.senderCase.id === right.place.senderCase.id ||
    (startsAlike(left, right) && hostOf(left) === hostOf(right))
  );
}

/** Records one connection; the table knows which policies are withdrawn. */
class SlotRecorder extends Recorder {
  constructor(
    private readonly table: SlotTable,
    private readonly id: string,
    now: () => number,
    onChange?: (observation: Observation) => void,
  ) {
    super(now, onChange);
  }

  override nextConnection(): string {
    return this.id;
  }

  override messageOf(place: CasePlace): 1 | 2 | undefined {
    if (!place.senderCase.withdrawn) return undefined;
    return this.isWithdrawn(place) ? 2 : 1;
  }

  override isWithdrawn({ senderCase, slot }: CasePlace): boolean {
    return senderCase.withdrawn === true && this.table.bySlot(slot)?.withdrawnAt !== undefined;
  }
}
