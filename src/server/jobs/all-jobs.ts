import { watchSection } from '../../watch/settings.js';
import type { Job } from '../service.js';
import {
  pagesSchema,
  postfixSchema,
  publishSchema,
  reportingSchema,
  reportSchema,
  senderTestSchema,
} from './job-sections.js';

/**
 * Every job of the daemon. A new job needs a file in this folder and an entry here. The
 * code of a job is loaded when its section exists: modules cost start time and memory.
 */
export const jobs: readonly Job[] = [
  job({
    section: 'postfix',
    schema: postfixSchema,
    listens: ({ listen }) => listen,
    load: async () => (await import('./postfix.js')).postfixJob,
  }),
  job({
    section: 'publish',
    schema: publishSchema,
    load: async () => (await import('./publish.js')).publishJob,
  }),
  job({
    section: 'report',
    schema: reportSchema,
    listens: ({ smtp }) => smtp?.listen ?? [],
    load: async () => (await import('./tls-rpt-receive.js')).reportJob,
  }),
  job({
    section: 'reporting',
    schema: reportingSchema,
    listens: ({ feed }) => feed ?? [],
    load: async () => (await import('./tls-rpt-send.js')).reportingJob,
  }),
  job({
    section: 'watch',
    schema: watchSection,
    load: async () => (await import('./watch.js')).watchJob,
  }),
  job({
    section: 'senderTest',
    schema: senderTestSchema,
    listens: ({ dns, smtp }) => [...(dns?.listen ?? []), ...(smtp?.listen ?? [])],
    load: async () => (await import('./sender-test.js')).senderTestJob,
  }),
  job({
    section: 'pages',
    schema: pagesSchema,
    listens: ({ listen, operatorPort }) => [...listen, ...operatorPort],
    load: async () => (await import('./pages.js')).pagesJob,
  }),
];

/**
 * Returns the definition unchanged; the compiler infers the type of the section from the
 * schema.
 */
function job<Section>(definition: Job<Section>): Job<Section> {
  return definition;
}
