/** Where the daemon under siege listens, and for how long a role attacks it. */
export interface Plan {
  readonly folder: string;
  readonly ports: Readonly<Record<'web' | 'smtp' | 'postfix' | 'metrics' | 'dns' | 'sink', number>>;
  readonly seconds: number;
  /** Requests per second are multiplied by this. */
  readonly pace: number;
  /** TXT record of the key that signs genuine mail. */
  readonly keyText: string;
}

/** A report that was sent, and how often the daemon said that it has it. */
export interface Sent {
  readonly id: string;
  readonly sessions: number;
  readonly acknowledged: boolean;
}

/** One answer: when it was asked for (milliseconds since 1970), and how long it took. */
export type Sample = readonly [at: number, ms: number];

/** The result of a role for the controller. */
export interface RoleReport {
  readonly role: string;
  readonly counts: Readonly<Record<string, number>>;
  readonly samples?: readonly Sample[];
  readonly signed?: readonly Sent[];
  readonly posted?: readonly Sent[];
  /** When the first genuine report of a failure was acknowledged. */
  readonly failureAt?: number | undefined;
}

export const DOMAIN = 'rcpt.example';
export const WEB_HOST = 'reports.rcpt.example';
export const WEB_PATH = '/v1/tlsrpt';
export const RECIPIENT = 'tlsrpt@rcpt.example';
export const SIGNER = 'sender.example';

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

/** Yesterday in UTC: the day that genuine reports are about. */
export const day = (): string => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
