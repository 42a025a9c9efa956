/** Budgets count by days of UTC. */
export const TODAY = `(now() AT TIME ZONE 'UTC')::date`;
