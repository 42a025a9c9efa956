import { z } from 'zod';
import type { Result } from '../../base/index.js';
import { jobs } from '../jobs/all-jobs.js';
import { loadConfig } from './load-config.js';
import type { ConfigProblem, ConfigSource } from './merged-files.js';
import { commonSections } from './sections.js';

type CommonConfig = z.output<z.ZodObject<typeof commonSections>>;

/** A complete configuration: the daemon's own sections, and those of the jobs by name. */
export interface Config extends CommonConfig {
  readonly jobs: Readonly<Record<string, unknown>>;
}

const commonKeys = Object.keys(commonSections);

const schema = z
  .strictObject({
    ...commonSections,
    ...Object.fromEntries(jobs.map((job) => [job.section, job.schema.optional()])),
  })
  .transform((all): Config => {
    const entries = Object.entries(all);
    return {
      ...(Object.fromEntries(
        entries.filter(([sectionName]) => commonKeys.includes(sectionName)),
      ) as CommonConfig),
      jobs: Object.fromEntries(
        entries.filter(([sectionName]) => !commonKeys.includes(sectionName)),
      ),
    };
  });

/** Parses the text of one `hermetic.yaml`. */
export function parseConfig(
  text: string,
  file = 'hermetic.yaml',
): Result<Config, readonly ConfigProblem[]> {
  return parseConfigFiles([{ file, text }]);
}

/** Parses a configuration of several files, each with its own sections. */
export function parseConfigFiles(
  sources: readonly ConfigSource[],
): Result<Config, readonly ConfigProblem[]> {
  return loadConfig(sources, schema);
}

/**
 * Returns the JSON Schema of one file of a configuration, for editors. The schema
 * describes the form of each key. Conflicts between keys are found only by
 * `hermetic serve --check`.
 */
export function configJsonSchema(): object {
  return {
    ...z.toJSONSchema(schema, {
      io: 'input',
      unrepresentable: 'any',
      target: 'draft-2020-12',
      override: ({ jsonSchema }) => {
        // Editors do not know this format of zod. The schema also has an equivalent
        // pattern.
        if (jsonSchema.format === 'starts_with') delete jsonSchema.format;
      },
    }),
    title: 'Configuration of hermetic serve',
  };
}
