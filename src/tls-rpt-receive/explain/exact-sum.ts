/**
 * Returns an SQL expression for a sum, limited to integers that JavaScript represents
 * exactly.
 */
export function exactSum(expression: string, column = expression): string {
  return `CAST(min(total(${expression}), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) AS ${column}`;
}
