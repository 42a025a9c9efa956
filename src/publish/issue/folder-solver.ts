import { join } from 'node:path';
import { nodeDisk, replaceFile, type Disk } from '../keys/durable-file.js';
import type { ChallengeSolver } from '../../acme/index.js';

/**
 * Answers http-01 challenges with files for an existing web server:
 * `FOLDER/.well-known/acme-challenge/TOKEN`. [8555-8.3-1]
 */
export function folderSolver(folder: string, disk: Disk = nodeDisk): ChallengeSolver {
  const fileOf = (token: string): string => join(folder, '.well-known', 'acme-challenge', token);
  return {
    type: 'http-01',
    show({ token, keyAuthorization }) {
      try {
        replaceFile(fileOf(token), keyAuthorization, { mode: 0o644 }, disk);
        return Promise.resolve({ status: 'done' });
      } catch (error) {
        const { code = '', message } = error as NodeJS.ErrnoException;
        return Promise.resolve({
          status: 'failed',
          code: 'publish-write-failed',
          detail: `${fileOf(token)}: ${code || message}`,
        });
      }
    },
    hide({ token }) {
      disk.remove(fileOf(token));
      return Promise.resolve();
    },
  };
}
