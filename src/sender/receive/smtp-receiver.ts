import { createSecureContext, type SecureContext } from 'node:tls';
import type { Connection } from '../../net/index.js';
import { BoundedMap } from '../../base/index.js';
import { senderGroups } from '../../tls/index.js';
import { caseNames } from '../cases/case-names.js';
import type { CaseHost } from '../cases/sender-case.js';
import type { CertificateSource, HostKeyAndChain } from './case-certificates.js';
import {
  ReceiverSession,
  type PlayedCase,
  type ReceiverLimits,
  type ReceiverSessionOptions,
} from './receiver-session.js';
import type { CasePlace, Recorder } from './recorder.js';

/** Certificates, records and limits of the receivers of a test. */
export interface SmtpReceiverOptions {
  /** The zone that contains the names of all slots. */
  readonly zone: string;
  readonly recorder: Recorder;
  readonly certificates: CertificateSource;
  readonly limits?: Partial<ReceiverLimits>;
  /**
   * Reports that a message for the case was accepted and that its connection has ended.
   */
  onAccepted?(place: CasePlace): void;
}

/** Maximum number of TLS settings in memory, enough for several slots with all cases. */
const MAX_CONTEXTS = 400;

const receiverLimits: ReceiverLimits = {
  commandMs: 60_000,
  sessionMs: 300_000,
  maxData: 10_000_000,
  // [5321-4.5.3.1.8-1]
  recipients: 100,
  commands: 200,
};

/**
 * The mail hosts of the cases. Each connection follows the description of its case and is
 * recorded. Nothing is relayed, stored or sent: message content is counted and discarded,
 * and a recipient outside the case is refused.
 */
export class SmtpReceiver {
  readonly #contexts = new BoundedMap<{
    readonly issued: HostKeyAndChain;
    readonly context: SecureContext;
  }>(MAX_CONTEXTS);

  constructor(private readonly options: SmtpReceiverOptions) {}

  /**
   * Serves one connection to the host of a case. Resolves when the connection has ended.
   */
  async serve(connection: Connection, place: CasePlace): Promise<void> {
    const { recorder, onAccepted } = this.options;
    const { accepted } = await this.play(connection, { played: this.playOf(place), recorder });
    if (accepted) onAccepted?.(place);
  }

  /** Returns the description of a case for a connection that begins now. */
  playOf(place: CasePlace): PlayedCase {
    const { zone, recorder } = this.options;
    const { host, id } = place.senderCase;
    return {
      place,
      names: caseNames(id, place.slot, zone),
      host: recorder.isWithdrawn(place) ? { ...host, starttls: 'absent' } : host,
    };
  }

  /**
   * Serves one connection whose case may become known while it runs. Resolves to the case
   * that was finally shown.
   */
  async play(
    connection: Connection,
    options: Pick<ReceiverSessionOptions, 'played' | 'recorder' | 'selection'>,
  ): Promise<{ readonly accepted: boolean; readonly place: CasePlace }> {
    const session = new ReceiverSession(connection, {
      ...options,
      limits: { ...receiverLimits, ...this.options.limits },
      contextFor: (place, serverName) => this.#contextFor(place, serverName),
      onlyGroup: ({ senderCase }) => onlyGroup(senderCase.host),
    });
    const accepted = await session.run();
    return { accepted, place: session.place };
  }

  /**
   * Returns the TLS settings of a host; the settings depend on SNI if the case requires
   * different ones.
   */
  #contextFor({ senderCase, slot }: CasePlace, serverName: string | undefined): SecureContext {
    const { id, host } = senderCase;
    const { mxHost } = caseNames(id, slot, this.options.zone);
    const other = serverName === undefined && host.withoutSni === 'other-name';
    const kind = other ? 'wrong-name' : (host.certificate ?? 'valid');
    const issued = this.options.certificates.certificateFor(kind, mxHost);
    const key = `${id}.${slot} ${other}`;
    const known = this.#contexts.get(key);
    // A renewed certificate requires a new context.
    if (known?.issued === issued) return known.context;
    const { keyPem, chainPem } = issued;
    const context = createSecureContext({ key: keyPem, cert: chainPem, ...settingsOf(host) });
    this.#contexts.set(key, { issued, context });
    return context;
  }
}

const HYBRID = 'X25519MLKEM768';

/**
 * Returns the hybrid group for a host that requires it, if the OpenSSL of this Node.js
 * supports the group; OpenSSL 3.0 does not.
 */
function onlyGroup({ requiresHybrid }: CaseHost): string | undefined {
  return requiresHybrid && senderGroups().includes(HYBRID) ? HYBRID : undefined;
}

/**
 * Returns the TLS settings of a host. Security level 0 permits TLS 1.0 and 1.1, which
 * OpenSSL otherwise refuses.
 */
function settingsOf(host: CaseHost): {
  readonly ecdhCurve?: string | undefined;
  readonly minVersion: NonNullable<CaseHost['version']>;
  readonly maxVersion: NonNullable<CaseHost['version']>;
  readonly ciphers: string;
} {
  const { version, suites = 'DEFAULT' } = host;
  return {
    ecdhCurve: onlyGroup(host),
    minVersion: version ?? 'TLSv1.2',
    maxVersion: version ?? 'TLSv1.3',
    ciphers: `${suites}:@SECLEVEL=0`,
  };
}
