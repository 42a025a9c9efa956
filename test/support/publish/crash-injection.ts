import type { Store } from '../../../src/store/index.js';
import { nodeDisk, type Disk } from '../../../src/publish/keys/durable-file.js';

/** The error that a test throws to simulate a crash of the process. */
export class Crash extends Error {}

/**
 * The moments of a crash: before a step, with half a file written, or after a step. A
 * step is any persistent effect: a write to the database, a file, and effects that a test
 * adds, such as a request or a change of records. If every external effect is a step, a
 * crash after a step equals a crash before the next step: `enough` lists the moments that
 * such tests need.
 */
export const moments = ['before a step', 'halfway through a file', 'after a step'] as const;
export const enough = ['before a step', 'halfway through a file'] as const;
export type Moment = (typeof moments)[number];

/** Crashes a process at its nth step. After the crash every step throws. */
export class CrashInjector {
  dead = false;
  #steps = 0;
  #together = false;

  constructor(
    private readonly nth: number,
    private readonly moment: Moment,
  ) {}

  store(store: Store): Store {
    return {
      ...store,
      prepare: <Row>(sql: string) => {
        const statement = store.prepare<Row>(sql);
        return {
          ...statement,
          run: (...values) =>
            this.#together ? statement.run(...values) : this.step(() => statement.run(...values)),
        };
      },
      // A transaction is written completely or not at all, so it is one step.
      transaction: (work) =>
        this.#together
          ? store.transaction(work)
          : this.step(() => store.transaction(() => this.#whole(work))),
      write: (job, work) =>
        this.#stepInQueue(() =>
          store.write(job, () => {
            const result = this.#whole(work);
            return isGenerator(result) ? this.#wholeSteps(result) : result;
          }),
        ),
    };
  }

  #whole<T>(work: () => T): T {
    this.#together = true;
    try {
      return work();
    } finally {
      this.#together = false;
    }
  }

  *#wholeSteps<T>(steps: Generator<unknown, T>): Generator<unknown, T> {
    for (;;) {
      const { done, value } = this.#whole(() => steps.next());
      if (done === true) return value;
      yield;
    }
  }

  async #stepInQueue<T>(whole: () => Promise<T>): Promise<T> {
    if (this.dead) throw new Crash();
    if (this.moment === 'halfway through a file' || ++this.#steps !== this.nth) return whole();
    this.dead = true;
    if (this.moment === 'after a step') await whole();
    throw new Crash();
  }

  readonly disk: Disk = {
    write: (path, text, mode, owner) =>
      this.step(
        () => nodeDisk.write(path, text, mode, owner),
        () => nodeDisk.write(path, text.slice(0, text.length / 2), mode, owner),
      ),
    symlink: (target, path) => this.step(() => nodeDisk.symlink(target, path)),
    link: (from, to) => this.step(() => nodeDisk.link(from, to)),
    rename: (from, to) => this.step(() => nodeDisk.rename(from, to)),
    remove: (path) => this.step(() => nodeDisk.remove(path)),
  };

  /** Executes one step, or crashes. `half`: the effect of a partially written file. */
  step<T>(whole: () => T, half?: () => void): T {
    if (this.dead) throw new Crash();
    // Only the write of a file can be partial.
    if (this.moment === 'halfway through a file' && !half) return whole();
    if (++this.#steps !== this.nth) return whole();
    this.dead = true;
    if (this.moment === 'after a step') whole();
    else if (this.moment === 'halfway through a file') half?.();
    throw new Crash();
  }
}

function isGenerator<T>(value: unknown): value is Generator<unknown, T> {
  return Object.prototype.toString.call(value) === '[object Generator]';
}

/**
 * Runs a simulation with a crash at one of its steps, for every `stride`th step. Returns
 * the number of steps, at most `stride` more. `simulation` has to restart after the crash
 * and judge the result.
 */
export async function crashAtEveryStep(
  moment: Moment,
  simulation: (injector: CrashInjector, nth: number) => Promise<void>,
  stride = 1,
): Promise<number> {
  for (let nth = 1; ; nth += stride) {
    const injector = new CrashInjector(nth, moment);
    await simulation(injector, nth);
    if (!injector.dead) return nth - 1;
  }
}

/** Runs until the end or until the crash. */
export async function untilCrash(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
  }
}
