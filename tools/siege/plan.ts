/** The ports of the daemon under siege, and the duration of a role. */
export interface Plan {
  readonly folder: string;
  readonly ports: Readonly<Record<'web' | 'smtp' | 'postfix' | 'metrics' | 'dns' | 'sink', number>>;
  readonly seconds: number;
  /** The factor by which a role multiplies its requests per second. */
  readonly pace: number;
  /** TXT record of the key that signs genuine mail. */
  readonly keyText: string;
}

/** A report that was sent, and the number of its acknowledgements. */
export interface Sent {
  readonly id: string;
  readonly sessions: number;
  readonly acknowledged: boolean;
}

/** One answer: the time of the request (milliseconds since 1970), and its duration. */
export type Sample = readonly [at: number, ms: number];

/** The result of a role for the controller. */
export interface RoleReport {
  readonly role: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly samples?: readonly Sample[];
  readonly signed?: readonly Sent[];
  readonly posted?: readonly Sent[];
  /** The time of the first acknowledged report of a genuine failure. */
  readonly failureAt?: number | undefined;
}

export const DOMAIN = 'rcpt.example';
export const WEB_HOST = 'reports.rcpt.example';
export const WEB_PATH = '/v1/tlsrpt';
export const RECIPIENT = 'tlsrpt@rcpt.example';
export const SIGNER = 'sender.example';

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Returns yesterday in UTC, the day that genuine reports are about. */
export const day = (): string => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
