import { scanError } from './failures.js';

/**
 * Imports an optional package. Throws HermeticError `scan-package-missing` when it is not
 * installed: a check, a daemon and a report need no PostgreSQL.
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw scanError('scan-package-missing', name, error);
  }
}
