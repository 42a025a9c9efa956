/**
 * One root of a generated list: its label, its certificate (DER in base64), and the time
 * after which issued leaves are distrusted, in ISO 8601.
 */
export type RootRow = readonly [label: string, certificate: string, distrustAfter?: string];
