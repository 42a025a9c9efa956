import { gunzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { fail, ok, type Result } from '../base/index.js';
import { reportFailures } from './failures.js';
import type { QuirkCode } from './quirks-registry.js';
import { filesInZip, isZip } from './files-in-zip.js';

/** The octets of an unpacked report, and the departures of its packing from RFC 8460. */
export interface UnpackedReport {
  readonly bytes: Uint8Array;
  readonly quirks: readonly QuirkCode[];
}

/** The limit for the unpacked octets of one body. */
export interface UnpackReportsOptions {
  /**
   * Maximum unpacked octets, summed over all layers and files. Default 10 MB (RFC 8460
   * §5.2).
   */
  readonly maxBytes?: number;
}

const MAX_LAYERS = 2;
/**
 * Maximum number of files of an archive that may fail to unpack. After that many failures
 * the remaining files are skipped.
 */
const MAX_FAILURES = 10;
/** Maximum expansion ratio of Deflate: a body that states a larger ratio is damaged. */
const MAX_RATIO = 1032;
/**
 * Number of octets that every body may unpack to: a body of several gzip members states
 * only the size of the last member.
 */
const MIN_OUTPUT = 1024 * 1024;

/** The octets and failures that unpacking may still produce. */
interface Room {
  octets: number;
  failures: number;
}

type Open = (packedBytes: Uint8Array, room: Room) => readonly Result<Uint8Array>[];

/**
 * Unpacks gzip (RFC 8460 §5.2) [8460-5.2-1], zlib and zip. Returns for each file its
 * octets, or the reason why it cannot be unpacked. The list has at least one element.
 * Content that is not packed is returned unchanged. The format is recognised by the
 * content, not by a name or a media type, and names in archives are not read (RFC 8460
 * §6.3) [8460-6.3-1].
 */
export function unpackReports(
  packed: Uint8Array,
  { maxBytes = 10_000_000 }: UnpackReportsOptions = {},
): readonly Result<UnpackedReport>[] {
  if (packed.length > maxBytes)
    return [fail(reportFailures.make('report-too-large', `${packed.length} octets`))];
  return openLayer({ bytes: packed, quirks: [] }, 0, { octets: maxBytes, failures: MAX_FAILURES });
}

/**
 * Returns the function that unpacks a body, selected by the first octets; undefined for a
 * body that is not packed.
 */
function openerOf(packedBytes: Uint8Array): Open | undefined {
  if (isGzip(packedBytes)) return openGzip;
  if (isZip(packedBytes)) return openZip;
  return isZlib(packedBytes) ? openZlib : undefined;
}

function openLayer(
  { bytes: packed, quirks }: UnpackedReport,
  layer: number,
  room: Room,
): readonly Result<UnpackedReport>[] {
  const decoded = packed[0] === 0x7b || isGzip(packed) ? undefined : decodeBase64(packed);
  const packedBytes = decoded ?? packed;
  const odd: QuirkCode[] = decoded ? [...quirks, 'packed-as-base64'] : [...quirks];
  const open = openerOf(packedBytes);
  if (!open) return [ok({ bytes: packedBytes, quirks: odd })];
  if (layer === MAX_LAYERS)
    return [fail(reportFailures.make('report-damaged', 'packed more than twice'))];
  if (layer === 1) odd.push('packed-twice');
  if (open === openZip) odd.push('packed-as-zip');
  if (open === openZlib) odd.push('packed-as-zlib');
  return open(packedBytes, room).flatMap((file) =>
    file.ok ? openLayer({ bytes: file.value, quirks: odd }, layer + 1, room) : [file],
  );
}

/**
 * Returns the unpacked size that a packed body states (RFC 1952 §2.3.1, ISIZE); the size
 * of the body itself if it is not packed; infinity for zip. The sender chooses the stated
 * size, so the result is only an estimate.
 */
export function claimedSize(packedBytes: Uint8Array): number {
  if (isZip(packedBytes)) return Infinity;
  if (packedBytes[0] !== 0x1f || packedBytes[1] !== 0x8b || packedBytes.length < 18)
    return packedBytes.length;
  return Buffer.from(packedBytes.buffer, packedBytes.byteOffset, packedBytes.length).readUInt32LE(
    packedBytes.length - 4,
  );
}

function openGzip(packedBytes: Uint8Array, room: Room): readonly Result<Uint8Array>[] {
  // A decompression bomb that states its true size is not unpacked. If the stated size is
  // false, unpacking stops at the limit.
  const claimed = claimedSize(packedBytes);
  if (claimed > room.octets && packedBytes.length * MAX_RATIO >= claimed)
    return [fail(reportFailures.make('report-too-large', 'unpacked'))];
  // With a buffer of the stated size, a report is unpacked into one chunk.
  const chunkSize = Math.min(Math.max(claimed + 1, 64), 65_536);
  const most = Math.max(claimed, MIN_OUTPUT);
  const open = (packed: Uint8Array): Result<Uint8Array> =>
    inflate(room, most, (maxOutputLength) => gunzipSync(packed, { chunkSize, maxOutputLength }));
  const opened = open(packedBytes);
  // A line end or the footer of a mailing list may follow the packed data.
  const endOffset = opened.ok
    ? 0
    : endOfGzip(packedBytes, Math.max(1, Math.min(most, room.octets)));
  return [
    endOffset > 0 && endOffset < packedBytes.length
      ? open(packedBytes.subarray(0, endOffset))
      : opened,
  ];
}

/**
 * Returns the offset after the first gzip member (RFC 1952 §2.3); 0 if it cannot be
 * found.
 */
function endOfGzip(packedBytes: Uint8Array, maxOutputLength: number): number {
  const archiveView = Buffer.from(packedBytes.buffer, packedBytes.byteOffset, packedBytes.length);
  const flags = archiveView[3] ?? 0;
  let startOffset = 10;
  if ((flags & 4) !== 0)
    startOffset +=
      2 + (startOffset + 2 <= archiveView.length ? archiveView.readUInt16LE(startOffset) : 0);
  for (const flag of [8, 16])
    if ((flags & flag) !== 0) startOffset = archiveView.indexOf(0, startOffset) + 1;
  if ((flags & 2) !== 0) startOffset += 2;
  try {
    const { engine } = inflateRawSync(archiveView.subarray(startOffset), {
      maxOutputLength,
      info: true,
    }) as unknown as {
      engine: { bytesWritten: number };
    };
    return startOffset + engine.bytesWritten + 8;
  } catch {
    return 0;
  }
}

function isGzip(packedBytes: Uint8Array): boolean {
  return packedBytes[0] === 0x1f && packedBytes[1] === 0x8b;
}

/**
 * Returns true for a zlib header: the method is deflate, and the first two octets, read
 * as one number, are a multiple of 31 (RFC 1950 §2.2).
 */
function isZlib(packedBytes: Uint8Array): boolean {
  return packedBytes[0] === 0x78 && (0x7800 + (packedBytes[1] ?? 0)) % 31 === 0;
}

function openZlib(packedBytes: Uint8Array, room: Room): readonly Result<Uint8Array>[] {
  return [
    inflate(room, Infinity, (maxOutputLength) => inflateSync(packedBytes, { maxOutputLength })),
  ];
}

function openZip(packedBytes: Uint8Array, room: Room): readonly Result<Uint8Array>[] {
  const files = filesInZip(packedBytes);
  if (!files.ok) return [files];
  return files.value.map(({ method, packed }) =>
    inflate(room, Infinity, (maxOutputLength) => {
      if (method !== 0) return inflateRawSync(packed, { maxOutputLength });
      if (packed.length > maxOutputLength)
        throw Object.assign(new RangeError(), { code: 'ERR_BUFFER_TOO_LARGE' });
      return packed;
    }),
  );
}

/**
 * Unpacks at most the remaining octets, and subtracts the unpacked octets from the limit.
 */
function inflate(
  room: Room,
  most: number,
  call: (maxOutputLength: number) => Uint8Array,
): Result<Uint8Array> {
  if (room.failures === 0)
    return fail(reportFailures.make('report-damaged', 'too many files that cannot be opened'));
  try {
    const packedBytes = call(Math.max(1, Math.min(most, room.octets)));
    room.octets -= packedBytes.length;
    return ok(packedBytes);
  } catch (error) {
    room.failures--;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    return fail(
      code === 'ERR_BUFFER_TOO_LARGE'
        ? reportFailures.make('report-too-large', 'unpacked')
        : reportFailures.make('report-damaged', code),
    );
  }
}

/**
 * Decodes a body of gzip, zip or JSON that is entirely base64, because no earlier step
 * removed this transfer encoding.
 */
function decodeBase64(packedBytes: Uint8Array): Uint8Array | undefined {
  const archiveView = Buffer.from(packedBytes.buffer, packedBytes.byteOffset, packedBytes.length);
  if (!/^\s*(H4sI|UEsD|[eW][w-z0-9+/])/.test(archiveView.toString('latin1', 0, 100)))
    return undefined;
  const sourceText = archiveView.toString('latin1');
  return /^[A-Za-z0-9+/_\s-]+(={1,2}\s*)?$/.test(sourceText)
    ? Buffer.from(sourceText, 'base64')
    : undefined;
}
