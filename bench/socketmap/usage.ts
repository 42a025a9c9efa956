/** The usage that a server process reports. */
export interface Usage {
  /** Microseconds of processor time so far. */
  readonly cpu: number;
  /** Octets resident. */
  readonly rss: number;
}

/** Tells the parent where this process listens, and its usage whenever it asks. */
export function reportUsage(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() } satisfies Usage);
  });
  process.send?.({ port });
}
