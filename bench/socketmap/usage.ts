/** The usage that a server process reports. */
export interface Usage {
  /** Microseconds of CPU time so far. */
  readonly cpu: number;
  /** Octets of resident memory. */
  readonly rss: number;
}

/**
 * Reports to the parent where this process listens, and its resource usage on request.
 */
export function reportUsage(port: number): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpu: user + system, rss: process.memoryUsage.rss() } satisfies Usage);
  });
  process.send?.({ port });
}
