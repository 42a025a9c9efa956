import { fail, ok, type Result } from '../base/index.js';
import { reportFailures } from './failures.js';

/** A file as the archive stores it. */
export interface ZipFile {
  /** The compression method: 0 for stored, 8 for deflate. */
  readonly method: 0 | 8;
  /** The stored octets, a view into the archive. */
  readonly packed: Uint8Array;
}

/** Files of one archive. An archive of empty files costs nothing to send. */
const MAX_FILES = 1000;

/** True for the signature of a local file header or of an empty archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * Returns the files of a zip archive that are not empty, at least one and at most 1,000.
 * They are found through the central directory, which alone has the sizes in every
 * variant (APPNOTE.TXT §4.3.12). Names are not read, so they cannot name a path.
 */
export function filesInZip(bytes: Uint8Array): Result<readonly ZipFile[]> {
  const refuse = (code: 'report-archive' | 'report-damaged', why: string): Result<never> =>
    fail(reportFailures.make(code, why));
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = view.lastIndexOf('PK\x05\x06', -22, 'latin1');
  if (end < 0) return refuse('report-damaged', 'a zip archive without its directory');
  const files: ZipFile[] = [];
  let offset = view.readUInt32LE(end + 16);
  for (let remaining = view.readUInt16LE(end + 10); remaining > 0; remaining--) {
    if (offset + 46 > view.length || view.readUInt32LE(offset) !== 0x02014b50)
      return refuse('report-damaged', 'zip directory');
    const method = view.readUInt16LE(offset + 10);
    const length = view.readUInt32LE(offset + 20);
    const local = view.readUInt32LE(offset + 42);
    // An entry without content is a folder.
    if (view.readUInt32LE(offset + 24) !== 0 || length !== 0) {
      if ((view.readUInt16LE(offset + 8) & 1) !== 0) return refuse('report-archive', 'encrypted');
      if (method !== 0 && method !== 8) return refuse('report-archive', `method ${method}`);
      if (files.length === MAX_FILES)
        return refuse('report-archive', `more than ${MAX_FILES} files`);
      if (local + 30 > view.length) return refuse('report-damaged', 'zip entry');
      const start = local + 30 + view.readUInt16LE(local + 26) + view.readUInt16LE(local + 28);
      files.push({ method, packed: bytes.subarray(start, start + length) });
    }
    offset +=
      46 +
      view.readUInt16LE(offset + 28) +
      view.readUInt16LE(offset + 30) +
      view.readUInt16LE(offset + 32);
  }
  return files.length === 0 ? refuse('report-archive', 'no file') : ok(files);
}
