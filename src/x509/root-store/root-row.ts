/** Where a set of trust anchors comes from. */
export interface StoreIdentity {
  /** Such as `mozilla`, `system` or `file`. */
  readonly name: string;
  /** Version of the list, where it has one. */
  readonly version?: string;
  /** Date of the list, `YYYY-MM-DD`, where it is known. */
  readonly date?: string;
  /** SHA-256 of the list, lower-case hex. */
  readonly sha256: string;
}

/**
 * One root of a generated list: its label, its certificate (DER in base64), and the time
 * after which issued leaves are distrusted, in ISO 8601.
 */
export type RootRow = readonly [label: string, certificate: string, distrustAfter?: string];
