/** What a run is to find out. A profile names the sets it grades; an inventory wants everything. */
export interface Goals {
  /** Every suite, order, group: the whole surface. */
  readonly inventory: boolean;
  /** "Is any of these accepted?" for TLS 1.2 and earlier (or 1.3, by the suites' own kind), worst first. */
  readonly suiteSets: readonly { readonly id: string; readonly suites: readonly number[] }[];
  readonly groupSets: readonly { readonly id: string; readonly groups: readonly number[]; readonly version: 'TLSv1.2' | 'TLSv1.3' }[];
  readonly signatureSets: readonly { readonly id: string; readonly schemes: readonly number[] }[];
  /** Ask whether the server or the client chooses, worst suites first. */
  readonly order: boolean;
  /** Size of the finite-field group. */
  readonly dhe: boolean;
  readonly ssl2: boolean;
}
