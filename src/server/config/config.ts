import { z } from 'zod';
import type { Result } from '../../base/index.js';
import { jobs } from '../jobs/all-jobs.js';
import { loadConfig, type ConfigProblem } from './load-config.js';
import { houseSections } from './sections.js';

type HouseConfig = z.output<z.ZodObject<typeof houseSections>>;

/** A whole configuration: the daemon's own sections, and those of the jobs by name. */
export interface Config extends HouseConfig {
  readonly jobs: Readonly<Record<string, unknown>>;
}

const houseKeys = Object.keys(houseSections);

const schema = z
  .strictObject({
    ...houseSections,
    ...Object.fromEntries(jobs.map((job) => [job.section, job.schema.optional()])),
  })
  .transform((all): Config => {
    const entries = Object.entries(all);
    return {
      ...(Object.fromEntries(entries.filter(([key]) => houseKeys.includes(key))) as HouseConfig),
      jobs: Object.fromEntries(entries.filter(([key]) => !houseKeys.includes(key))),
    };
  });

/** Reads the text of a `hermetic.yaml`. */
export function parseConfig(text: string): Result<Config, readonly ConfigProblem[]> {
  return loadConfig(text, schema);
}
