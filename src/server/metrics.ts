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

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with one sample and no labels. */
export function single(name: string, type: Metric['type'], help: string, value: number): Metric {
  return { name, type, help, samples: [{ value }] };
}

/** A metric with one label: a sample for each entry. */
export function labelled(
  name: string,
  type: Metric['type'],
  help: string,
  label: string,
  values: Iterable<readonly [string, number]>,
): Metric {
  return {
    name,
    type,
    help,
    samples: [...values].map(([key, value]) => ({ labels: { [label]: key }, value })),
  };
}

/** Text for a scrape. Families of one name are told together. */
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
    ([key, value]) => `${key}="${value.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
