/** The UTC day, by which budgets count connections. */
export const TODAY = `(now() AT TIME ZONE 'UTC')::date`;
