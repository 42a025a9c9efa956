/**
 * One metric family of the Prometheus text format, version 0.0.4. Names get the prefix
 * `hermetic_` here.
 */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Creates a metric with one sample and no labels. */
export function single(name: string, type: Metric['type'], help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}

/** Samples that differ in the value of one label. */
export interface LabelledSamples {
  readonly label: string;
  /** Value of the label and of the sample. */
  readonly values: Iterable<readonly [string, number]>;
}

/** Creates a metric with one label: a sample for each entry. */
export function labelled(
  name: string,
  type: Metric['type'],
  help: string,
  { label, values }: LabelledSamples,
): Metric {
  const samples = [...values].map(([identity, value]) => ({
    labels: { [label]: identity },
    value,
  }));
  return { name, type, help, samples };
}

/**
 * Formats metrics for a scrape. Samples of one family are printed together, as the format
 * requires.
 */
export function formatMetrics(metrics: readonly Metric[]): string {
  const families = new Map<string, Metric>();
  for (const metric of metrics) {
    const known = families.get(metric.name);
    families.set(
      metric.name,
      known ? { ...known, samples: [...known.samples, ...metric.samples] } : metric,
    );
  }
  return [...families.values()]
    .flatMap(({ name, help, type, samples }) => [
      `# HELP hermetic_${name} ${help.replace(/[\\\n]/g, ' ')}`,
      `# TYPE hermetic_${name} ${type}`,
      ...samples.map(({ labels = {}, value }) => `hermetic_${name}${braced(labels)} ${value}`),
    ])
    .map((line) => `${line}\n`)
    .join('');
}

function braced(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(
    ([identity, value]) => `${identity}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
