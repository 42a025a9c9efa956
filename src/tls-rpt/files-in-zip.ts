import { fail, ok, type Result } from '../base/index.js';
import { reportFailures } from './failures.js';

/** A file as it lies in an archive. */
export interface ZipFile {
  /** 0: as it is; 8: deflate. */
  readonly method: 0 | 8;
  readonly packed: Uint8Array;
}

const MAX_FILES = 1000;

/** Whether octets begin like a zip archive: a local file header, or an empty archive. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5);
}

/**
 * The files of a zip archive that are not empty, at least one and at most 1,000, found
 * through its directory, which alone has the sizes in every variant (APPNOTE.TXT
 * §4.3.12). Names are skipped.
 */
export function filesInZip(bytes: Uint8Array): Result<readonly ZipFile[]> {
  const refuse = (code: 'report-archive' | 'report-damaged', why: string): Result<never> =>
    fail(reportFailures.make(code, why));
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = view.lastIndexOf('PK\x05\x06', -22, 'latin1');
  if (end < 0) return refuse('report-damaged', 'a zip archive without its directory');
  const files: ZipFile[] = [];
  let at = view.readUInt32LE(end + 16);
  for (let n = view.readUInt16LE(end + 10); n > 0; n--) {
    if (at + 46 > view.length || view.readUInt32LE(at) !== 0x02014b50)
      return refuse('report-damaged', 'zip directory');
    const method = view.readUInt16LE(at + 10);
    const length = view.readUInt32LE(at + 20);
    const local = view.readUInt32LE(at + 42);
    if (view.readUInt32LE(at + 24) !== 0 || length !== 0) {
      if ((view.readUInt16LE(at + 8) & 1) !== 0) return refuse('report-archive', 'encrypted');
      if (method !== 0 && method !== 8) return refuse('report-archive', `method ${method}`);
      if (files.length === MAX_FILES)
        return refuse('report-archive', `more than ${MAX_FILES} files`);
      if (local + 30 > view.length) return refuse('report-damaged', 'zip entry');
      const start = local + 30 + view.readUInt16LE(local + 26) + view.readUInt16LE(local + 28);
      files.push({ method, packed: bytes.subarray(start, start + length) });
    }
    at += 46 + view.readUInt16LE(at + 28) + view.readUInt16LE(at + 30) + view.readUInt16LE(at + 32);
  }
  return files.length === 0 ? refuse('report-archive', 'no file') : ok(files);
}
