import type { PlanSource } from '../../src/web/index.js';

/** The differences of a test from the usual plans. */
interface TestPlans {
  /** The detail of the alert. */
  readonly detail?: string;
  /** A domain that is not published. */
  readonly absent?: string;
  /**
   * The gate that delays the plans: the daemon computes plans only after the gate opens.
   */
  readonly gate?: Promise<void>;
}

/**
 * Plans of every domain and its mail host: a step, a delay, and an alert. An attempt to
 * save one of these plans in a page fails.
 */
export function testPlans({ detail = '', absent, gate }: TestPlans = {}): PlanSource {
  return {
    async observe(name) {
      await gate;
      return {
        plans: name === absent ? [] : plansOf(name, detail),
        explain: () => ({ message: 'A record names an unknown key.', fix: 'Import the key.' }),
      };
    },
  };
}

type Plans = Awaited<ReturnType<PlanSource['observe']>>['plans'];

function plansOf(name: string, detail: string): Plans {
  const host = `mx.${name}`;
  const save = (): Promise<boolean> => Promise.reject(new Error('a page saves nothing'));
  const common = { dns: 'print', waits: [], alerts: [], proposals: [], failures: [], save };
  const step = {
    action: {
      kind: 'set-rrset',
      name: `_mta-sts.${name}`,
      type: 'TXT',
      from: ['"v=STSv1; id=1;"'],
      to: ['"v=STSv1; id=2;"'],
      ttl: 3600,
    },
    because: 'every policy host serves the new policy',
    clause: 'RFC 8461 §8.1',
  } as const;
  return [
    {
      ...common,
      kind: 'host',
      subject: host,
      place: 'ecdsa: k1 in use',
      steps: [],
      alerts: [{ code: 'publish-key-unknown', subject: host, detail }],
    },
    {
      ...common,
      kind: 'domain',
      subject: name,
      place: 'testing',
      steps: [step],
      waits: [{ subject: name, why: 'caches expire', until: Date.UTC(2026, 11, 1) }],
    },
  ];
}
