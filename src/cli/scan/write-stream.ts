import { createWriteStream } from 'node:fs';
import { rename } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { STANDARD_STREAM } from '../files.js';
import type { Output } from '../output.js';

/**
 * Writes content of any length to a file, or text to standard output for `-`. The file
 * appears under its name when it is complete.
 */
export async function writeStream(
  content: AsyncIterable<string | Uint8Array>,
  file: string,
  output: Output,
): Promise<void> {
  if (file !== STANDARD_STREAM) {
    const unfinished = `${file}.unfinished`;
    await pipeline(Readable.from(content), createWriteStream(unfinished));
    await rename(unfinished, file);
    return;
  }
  for await (const part of content) {
    if (output.gone) return;
    output.out(String(part));
  }
}
