/**
 * A metric family as a job reports it. In a scrape its name has the prefix `hermetic_`.
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

/** The samples of a metric that differ only in the value of one label. */
export interface LabelledSamples {
  readonly label: string;
  /** Pairs of the label's value and the sample's value. */
  readonly values: Iterable<readonly [string, number]>;
}

/** Creates a metric with one label and a sample for each entry. */
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
