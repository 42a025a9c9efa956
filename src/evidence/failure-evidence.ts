/** A failure as stored: see the failure catalogues. */
export interface FailureEvidence {
  readonly code: string;
  readonly detail: string;
}
