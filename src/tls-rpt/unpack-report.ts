import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { fail, ok, type Result } from '../base/index.js';
import { reportFailures } from './failures.js';
import type { QuirkCode } from './quirks-registry.js';

/** Octets of JSON, and what was odd about their wrapping. */
export interface UnpackedReport {
  readonly bytes: Uint8Array;
  readonly quirks: readonly QuirkCode[];
}

export interface UnpackReportOptions {
  /** Octets unpacked. Default 10 MB (RFC 8460 §5.2). No layer yields more than this. */
  readonly maxBytes?: number;
}

const MAX_LAYERS = 2;
/** Deflate yields at most so many octets for one: a smaller body that claims more is damaged. */
const MAX_RATIO = 1032;
/** Unpacked in any case, since a body of several gzip members tells the size of the last alone. */
const LEAST_OUTPUT = 1024 * 1024;

/**
 * Opens gzip (RFC 8460 §5.2) [8460-5.2-1], and zip where one file is inside; what is neither is returned as it is. The content decides, not a name or a media type.
 * File names in archives are not looked at (RFC 8460 §6.3) [8460-6.3-1].
 */
export function unpackReport(packed: Uint8Array, { maxBytes = 10_000_000 }: UnpackReportOptions = {}): Result<UnpackedReport> {
  let bytes = packed;
  const quirks: QuirkCode[] = [];
  for (let layer = 0; ; layer++) {
    if (bytes.length > maxBytes) return fail(reportFailures.make('report-too-large', `${bytes.length} octets`));
    const decoded = bytes[0] === 0x7b || isGzip(bytes) ? undefined : decodeBase64(bytes);
    if (decoded) {
      bytes = decoded;
      quirks.push('packed-as-base64');
    }
    const open = isGzip(bytes) ? openGzip : isZip(bytes) ? openZip : isZlib(bytes) ? openZlib : undefined;
    if (!open) return ok({ bytes, quirks });
    if (layer === MAX_LAYERS) return fail(reportFailures.make('report-damaged', 'packed more than twice'));
    if (layer === 1) quirks.push('packed-twice');
    if (open === openZip) quirks.push('packed-as-zip');
    if (open === openZlib) quirks.push('packed-as-zlib');
    const opened = open(bytes, maxBytes);
    if (!opened.ok) return opened;
    bytes = opened.value;
  }
}

/** What a packed body says of its size unpacked (RFC 1952 §2.3.1, ISIZE); its own size where it is not packed; no limit for zip. Nothing has to be true of it. */
export function claimedSize(bytes: Uint8Array): number {
  if (isZip(bytes)) return Infinity;
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b || bytes.length < 18) return bytes.length;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt32LE(bytes.length - 4);
}

function openGzip(bytes: Uint8Array, maxBytes: number): Result<Uint8Array> {
  // An honest bomb is not opened at all, and one that lies about its size is left as soon as that shows.
  const claimed = claimedSize(bytes);
  if (claimed > maxBytes && bytes.length * MAX_RATIO >= claimed) return fail(reportFailures.make('report-too-large', 'unpacked'));
  // Room for what is claimed, so that a report comes out in one piece.
  const chunkSize = Math.min(Math.max(claimed + 1, 64), 65_536);
  const options = { chunkSize, maxOutputLength: Math.min(maxBytes, Math.max(claimed, LEAST_OUTPUT)) };
  const opened = inflate(() => gunzipSync(bytes, options));
  // A line end after it, as editors and mail programs leave one.
  let end = bytes.length;
  while (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d) end--;
  return opened.ok || end === bytes.length ? opened : inflate(() => gunzipSync(bytes.subarray(0, end), options));
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** RFC 1950 §2.2: the method is deflate, and the two octets are a multiple of 31. */
function isZlib(bytes: Uint8Array): boolean {
  return bytes[0] === 0x78 && (0x7800 + (bytes[1] ?? 0)) % 31 === 0;
}

function openZlib(bytes: Uint8Array, maxBytes: number): Result<Uint8Array> {
  return inflate(() => inflateSync(bytes, { maxOutputLength: maxBytes }));
}

/** What is base64 all through, of gzip, zip or a JSON object: a transfer encoding that nobody took off. */
function decodeBase64(bytes: Uint8Array): Uint8Array | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!/^\s*(H4sI|UEsD|ey)/.test(view.toString('latin1', 0, 100))) return undefined;
  const text = view.toString('latin1');
  return /^[A-Za-z0-9+/\s]+(={1,2}\s*)?$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/** The one file of a zip archive, found through its directory, which alone has the sizes in every variant. */
function openZip(bytes: Uint8Array, maxBytes: number): Result<Uint8Array> {
  const refuse = (why: string): Result<Uint8Array> => fail(reportFailures.make('report-archive', why));
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = view.lastIndexOf('PK\x05\x06', -22, 'latin1');
  if (end < 0) return fail(reportFailures.make('report-damaged', 'a zip archive without its directory'));
  let at = view.readUInt32LE(end + 16);
  let file: { at: number; method: number; packed: number } | undefined;
  for (let n = view.readUInt16LE(end + 10); n > 0; n--) {
    if (at + 46 > view.length || view.readUInt32LE(at) !== 0x02014b50) return fail(reportFailures.make('report-damaged', 'zip directory'));
    const [flags, method, packed, size] = [8, 10, 20, 24].map((o, i) => (i < 2 ? view.readUInt16LE(at + o) : view.readUInt32LE(at + o)));
    if (((flags ?? 0) & 1) !== 0) return refuse('encrypted');
    if (size !== 0 || packed !== 0) {
      if (file) return refuse('more than one file');
      file = { at: view.readUInt32LE(at + 42), method: method ?? 0, packed: packed ?? 0 };
    }
    at += 46 + view.readUInt16LE(at + 28) + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32);
  }
  if (!file) return refuse('no file');
  if (file.at + 30 > view.length) return fail(reportFailures.make('report-damaged', 'zip entry'));
  const start = file.at + 30 + view.readUInt16LE(file.at + 26) + view.readUInt16LE(file.at + 28);
  const body = bytes.subarray(start, start + file.packed);
  if (file.method === 0) return ok(body);
  return file.method === 8 ? inflate(() => inflateRawSync(body, { maxOutputLength: maxBytes })) : refuse(`method ${file.method}`);
}

function inflate(call: () => Uint8Array): Result<Uint8Array> {
  try {
    return ok(call());
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return fail(
      code === 'ERR_BUFFER_TOO_LARGE' ? reportFailures.make('report-too-large', 'unpacked') : reportFailures.make('report-damaged', code),
    );
  }
}
