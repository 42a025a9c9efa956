import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Metric, Sample } from './metrics.js';

/** Maximum number of samples of one family in a scrape. */
export const MAX_SAMPLES = 10_000;
/** Maximum characters of a label value: a domain name is shorter. */
const MAX_LABEL_LENGTH = 255;

/**
 * The metrics of the process and of Node.js, which are created at the first scrape and
 * then reused.
 */
let processRegistry: Registry | undefined;

/**
 * Formats the given metrics and those of the process for a scrape, in the text format of
 * Prometheus. The daemon loads this module at the first scrape: without scrapes it
 * neither loads the library nor measures its event loop.
 *
 * Samples of one family with equal labels are added up, such as the connections of two
 * addresses of one port. A family of more than 10,000 samples is truncated, and
 * `hermetic_metrics_dropped_samples` names the family.
 */
export async function formatMetrics(metrics: readonly Metric[]): Promise<string> {
  const registry = new Registry();
  const families = new Map<string, Metric>();
  for (const metric of metrics) {
    const known = families.get(metric.name);
    const samples = [...(known?.samples ?? []), ...metric.samples];
    families.set(metric.name, { ...(known ?? metric), samples });
  }
  const dropped: Sample[] = [];
  for (const family of families.values()) {
    addFamily(registry, { ...family, samples: family.samples.slice(0, MAX_SAMPLES) });
    const rest = family.samples.length - MAX_SAMPLES;
    if (rest > 0) dropped.push({ labels: { family: `hermetic_${family.name}` }, value: rest });
  }
  addFamily(registry, {
    name: 'metrics_dropped_samples',
    type: 'gauge',
    help: 'Samples that the scrape omitted, because their family has too many.',
    samples: dropped,
  });
  processRegistry ??= processMetrics();
  return `${await registry.metrics()}\n${await processRegistry.metrics()}`;
}

function processMetrics(): Registry {
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

/**
 * Adds one family to the registry. The jobs hold the counters, so each scrape creates the
 * families again. The library starts a family without labels at 0. A family without
 * samples must not start at 0: an expiry time of 0 would raise an alarm.
 */
function addFamily(register: Registry, { name, help, type, samples }: Metric): void {
  const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels ?? {})))];
  const config = {
    name: `hermetic_${name}`,
    help,
    labelNames: samples.length === 0 ? ['none'] : labelNames,
    registers: [register],
  };
  const family = type === 'counter' ? new Counter(config) : new Gauge(config);
  for (const { labels = {}, value } of samples) {
    const bounded = Object.entries(labels).map(
      ([label, text]) => [label, text.slice(0, MAX_LABEL_LENGTH)] as const,
    );
    family.inc(Object.fromEntries(bounded), value);
  }
}
