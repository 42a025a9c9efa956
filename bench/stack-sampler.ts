import { Session, type Profiler } from 'node:inspector/promises';

/** The interval is so long that sampling costs nothing: a scan takes minutes. */
const INTERVAL_US = 10_000;

/** Samples the stacks of this process to attribute its CPU time to its parts. */
export class StackSampler {
  readonly #session = new Session();

  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
    await this.#session.post('Profiler.start');
  }

  /** Returns the share of the busy samples whose stack has a function of these files. */
  async stop(files: RegExp): Promise<number> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    return shareOf(profile, files);
  }
}

function shareOf({ nodes }: Profiler.Profile, files: RegExp): number {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  let [within, busy] = [0, 0];
  const visit = (node: Profiler.ProfileNode, inherited: boolean): void => {
    const { functionName, url } = node.callFrame;
    const isWithin = inherited || files.test(url);
    const hits = functionName === '(idle)' ? 0 : (node.hitCount ?? 0);
    busy += hits;
    if (isWithin) within += hits;
    for (const id of node.children ?? []) {
      const child = byId.get(id);
      if (child) visit(child, isWithin);
    }
  };
  const [root] = nodes;
  if (root) visit(root, false);
  return busy === 0 ? 0 : within / busy;
}
