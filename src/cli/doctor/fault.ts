/** The urgency of a fault; doctor prints the lowest number first. */
export const importance = {
  /** Mail is deferred, or will be at the next restart. */
  mailDeferred: 1,
  /** Mail is sent with less protection than configured. */
  protectionLost: 2,
  /** Reports, certificates or data are lost or will be. */
  dataLost: 3,
  /** The installation works, but differs from the documentation. */
  advice: 4,
} as const;

export type Importance = (typeof importance)[keyof typeof importance];

/** A fault of the installation. */
export interface InstallationFault {
  /** Stable name, such as `map-without-daemon`. */
  readonly id: string;
  readonly importance: Importance;
  readonly message: string;
  /** An instruction. */
  readonly fix: string;
}
