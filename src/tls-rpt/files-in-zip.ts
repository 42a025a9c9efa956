import { fail, ok, type Result } from '../base/index.js';
import { reportFailures } from './failures.js';

/** A file in an archive, in its stored form. */
export interface ZipFile {
  /** The compression method: 0 for stored, 8 for deflate. */
  readonly method: 0 | 8;
  /** The stored octets, a view into the archive. */
  readonly packed: Uint8Array;
}

/**
 * Maximum number of files in one archive: even a small archive can list very many empty
 * files.
 */
const MAX_FILES = 1000;

/** Returns true for the signature of a local file header or of an empty archive. */
export function isZip(archiveBytes: Uint8Array): boolean {
  return (
    archiveBytes[0] === 0x50 &&
    archiveBytes[1] === 0x4b &&
    (archiveBytes[2] === 3 || archiveBytes[2] === 5)
  );
}

/**
 * Returns the non-empty files of a zip archive, at least one and at most 1,000. The
 * function reads the central directory, since only this directory contains the sizes in
 * every variant of zip (APPNOTE.TXT §4.3.12). Names are not read, so a file name cannot
 * select a path on this machine.
 */
export function filesInZip(archiveBytes: Uint8Array): Result<readonly ZipFile[]> {
  const refuse = (code: 'report-archive' | 'report-damaged', reason: string): Result<never> =>
    fail(reportFailures.make(code, reason));
  const archiveView = Buffer.from(
    archiveBytes.buffer,
    archiveBytes.byteOffset,
    archiveBytes.length,
  );
  const endOffset = archiveView.lastIndexOf('PK\x05\x06', -22, 'latin1');
  if (endOffset < 0) return refuse('report-damaged', 'a zip archive without its directory');
  const zipFiles: ZipFile[] = [];
  let offset = archiveView.readUInt32LE(endOffset + 16);
  for (let remaining = archiveView.readUInt16LE(endOffset + 10); remaining > 0; remaining--) {
    if (offset + 46 > archiveView.length || archiveView.readUInt32LE(offset) !== 0x02014b50)
      return refuse('report-damaged', 'zip directory');
    const method = archiveView.readUInt16LE(offset + 10);
    const length = archiveView.readUInt32LE(offset + 20);
    const local = archiveView.readUInt32LE(offset + 42);
    // An entry without content is a folder.
    if (archiveView.readUInt32LE(offset + 24) !== 0 || length !== 0) {
      if ((archiveView.readUInt16LE(offset + 8) & 1) !== 0)
        return refuse('report-archive', 'encrypted');
      if (method !== 0 && method !== 8) return refuse('report-archive', `method ${method}`);
      if (zipFiles.length === MAX_FILES)
        return refuse('report-archive', `more than ${MAX_FILES} files`);
      if (local + 30 > archiveView.length) return refuse('report-damaged', 'zip entry');
      const startOffset =
        local + 30 + archiveView.readUInt16LE(local + 26) + archiveView.readUInt16LE(local + 28);
      zipFiles.push({ method, packed: archiveBytes.subarray(startOffset, startOffset + length) });
    }
    offset +=
      46 +
      archiveView.readUInt16LE(offset + 28) +
      archiveView.readUInt16LE(offset + 30) +
      archiveView.readUInt16LE(offset + 32);
  }
  return zipFiles.length === 0 ? refuse('report-archive', 'no file') : ok(zipFiles);
}
