/** The SQL of a sum, as an integer that JavaScript holds exactly. */
export function exactSum(expression: string, column = expression): string {
  return `CAST(min(total(${expression}), ${Number.MAX_SAFE_INTEGER}) AS INTEGER) AS ${column}`;
}
