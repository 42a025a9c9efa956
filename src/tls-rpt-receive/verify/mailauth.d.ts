// The parts of mailauth behind its `dkimVerify`; it has no types for them.
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { DKIMResult, DKIMVerifyOptions } from 'mailauth';
  import type { Headers } from 'mailauth/lib/tools.js';

  export interface SignatureHeader {
    readonly type: 'DKIM' | 'ARC' | 'AS';
    readonly signingDomain: string;
    /** The field as received. */
    readonly original: string | Buffer;
    readonly bodyHashKey?: string;
    skip?: boolean;
  }

  /** Receives the header, then the body, then the end. */
  export class DkimVerifier {
    constructor(options: DKIMVerifyOptions);
    headers: Headers;
    readonly signatureHeaders: readonly SignatureHeader[];
    readonly bodyHashes: Map<string, unknown>;
    readonly results: readonly DKIMResult[];
    messageHeaders(headers: Headers): Promise<void>;
    nextChunk(bodyBytes: Buffer): Promise<void>;
    finalChunk(): Promise<void>;
  }
}

declare module 'mailauth/lib/tools.js' {
  export interface Headers {
    /** Header fields, each with its name in small letters and as received. */
    readonly parsed: readonly { readonly key?: string; readonly line: string | Buffer }[];
  }
  export function parseHeaders(header: Buffer): Headers;
}
