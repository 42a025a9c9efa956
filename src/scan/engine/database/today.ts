/** SQL expression for the present day in UTC, for which budgets count connections. */
export const TODAY = `(now() AT TIME ZONE 'UTC')::date`;
