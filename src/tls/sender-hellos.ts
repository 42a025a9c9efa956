import { readFileSync } from 'node:fs';

/** The recorded hellos of the package. */
const HELLO_LIST = new URL('../../../data/sender-hellos.json', import.meta.url);

/** A sender of mail, described by its ClientHello. */
export interface SenderHello {
  /** The id of the hello, which is stable because saved evidence refers to it. */
  readonly id: string;
  readonly name: string;
  /** The TLS library and its settings. */
  readonly stack: string;
  /**
   * `recorded`: from the sender's own software. `stand-in`: from other software with the
   * same library. `documented`: made from the vendor's published lists.
   */
  readonly origin: 'recorded' | 'stand-in' | 'documented';
  /** Program, version and settings. */
  readonly source: string;
  /** `YYYY-MM-DD`. */
  readonly date: string;
  /** Extension types of the record that are not sent. */
  readonly omitted?: readonly number[];
  /** The TLS record, hex. */
  readonly hello: string;
}

let loaded: readonly SenderHello[] | undefined;

/** Returns the recorded hellos, read once, on first use. */
export function senderHellos(): readonly SenderHello[] {
  loaded ??= (
    JSON.parse(readFileSync(HELLO_LIST, 'utf8')) as { readonly hellos: readonly SenderHello[] }
  ).hellos;
  return loaded;
}
