// Types for the functions of mailauth that its `dkimVerify` uses.
declare module 'mailauth/lib/dkim/dkim-verifier.js' {
  import type { DKIMVerifyOptions } from 'mailauth';
  import type { Headers } from 'mailauth/lib/tools.js';

  export interface SignatureHeader {
    readonly type: 'DKIM' | 'ARC' | 'AS';
    readonly signingDomain: string;
    readonly bodyHashKey?: string;
    readonly selector: string;
    /** `rsa` or `ed25519`. */
    readonly signAlgo: string;
    readonly algorithm: string;
    readonly canonicalization: string;
    readonly timestamp?: Date | null;
    readonly expiration?: Date | null;
    /** The tags of the signature by name. */
    readonly parsed: Readonly<Record<'h' | 'b' | 'bh', { readonly value: string } | undefined>>;
    /** The header field as received. */
    readonly original: string | Buffer;
    skip?: boolean;
  }

  export interface BodyHash {
    digest(encoding: 'base64'): string;
  }

  /** A verifier that receives first the header, then the body. */
  export class DkimVerifier {
    constructor(options: DKIMVerifyOptions);
    headers: Headers;
    readonly signatureHeaders: readonly SignatureHeader[];
    readonly bodyHashes: Map<string, BodyHash>;
    messageHeaders(headers: Headers): Promise<void>;
    nextChunk(bodyBytes: Buffer): Promise<void>;
  }
}

declare module 'mailauth/lib/tools.js' {
  export interface Headers {
    /** The header fields, each with its name in lower case and its line as received. */
    readonly parsed: readonly { readonly key?: string; readonly line: string | Buffer }[];
  }
  /** The signed header fields, and their names in the form of `h=`. */
  export interface SigningHeaderLines {
    readonly keys: string;
    readonly headers: Headers['parsed'];
  }
  export function getSigningHeaderLines(
    fields: Headers['parsed'],
    names: string | undefined,
    verify: boolean,
  ): SigningHeaderLines;
  /**
   * Returns the key of a key record. Throws an error with a code if the record contains
   * no key.
   */
  export function getPublicKey(
    type: 'DKIM',
    name: string,
    minBitLength: number | undefined,
    resolver: () => Promise<string[][]>,
  ): Promise<{ readonly publicKey: string; readonly rr: string }>;
  export function parseHeaders(header: Buffer): Headers;
}

declare module 'mailauth/lib/dkim/header/index.js' {
  import type { SigningHeaderLines } from 'mailauth/lib/tools.js';

  export function generateCanonicalizedHeader(
    type: 'DKIM',
    lines: SigningHeaderLines,
    options: { readonly signatureHeaderLine: string | Buffer; readonly canonicalization: string },
  ): { readonly canonicalizedHeader: Buffer };
}
