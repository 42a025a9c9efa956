import type { TlsQuestion, ServerHello, ServerKeyExchange } from '../tls/index.js';

/**
 * A question of the prober and its answer, as plain JSON. The chains that the server
 * presented are stored next to this object.
 */
export interface ProbeEvidence {
  readonly question: TlsQuestion;
  readonly answer:
    | {
        readonly kind: 'hello';
        readonly hello: ServerHello;
        readonly keyExchange?: KeyExchangeEvidence;
      }
    | { readonly kind: 'refused'; readonly alert?: number }
    | { readonly kind: 'ssl2'; readonly ciphers: readonly number[] }
    | { readonly kind: 'none'; readonly reason: string };
}

/** The parameters of a key exchange. Octets are lower-case hex. */
export type KeyExchangeEvidence =
  | Exclude<ServerKeyExchange, { kind: 'dhe' }>
  | {
      readonly kind: 'dhe';
      readonly prime: string;
      readonly generator: string;
      readonly scheme?: number;
    };
