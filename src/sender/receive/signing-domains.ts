import { parseDomain } from '../../base/index.js';

/** Maximum octets of a message that the reader searches. */
const MAX_HEAD = 32_768;
const MAX_DOMAINS = 10;

/**
 * Reads the domains of DKIM signatures (RFC 6376 §3.5, tag `d=`) from the header of a
 * message as it arrives. Nothing else of the message is kept, and no signature is
 * verified: the domains are a claim of the sender.
 */
export class SigningDomains {
  #head = '';
  #isComplete = false;
  readonly #found = new Set<string>();

  /** Reads the next octets of the message. */
  add(chunk: Uint8Array): void {
    if (this.#isComplete) return;
    const room = MAX_HEAD - this.#head.length;
    this.#head += Buffer.from(chunk.subarray(0, room)).toString('latin1');
    const end = /\r?\n\r?\n/.exec(this.#head)?.index;
    if (end === undefined && this.#head.length < MAX_HEAD) return;
    this.#read(this.#head.slice(0, end));
  }

  /** Returns the domains after the end of the message, at most ten, in lower case. */
  end(): readonly string[] {
    if (!this.#isComplete) this.#read(this.#head);
    return [...this.#found];
  }

  #read(header: string): void {
    this.#isComplete = true;
    this.#head = '';
    for (const line of header.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
      const [, tags] = /^DKIM-Signature[ \t]*:(.*)$/i.exec(line) ?? [];
      const tag = tags?.split(';').find((one) => /^\s*d\s*=/.test(one));
      const parsed = parseDomain(tag?.slice(tag.indexOf('=') + 1).replace(/\s+/g, '') ?? '');
      if (tag === undefined || !parsed.ok || this.#found.size >= MAX_DOMAINS) continue;
      this.#found.add(parsed.value.toLower());
    }
  }
}
