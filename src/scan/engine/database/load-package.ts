import { scanError } from './failures.js';

/**
 * Imports an optional package. Throws HermeticError `scan-package-missing` if the package
 * is not installed: checks, daemons and reports work without PostgreSQL.
 */
export async function loadPackage<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw scanError('scan-package-missing', name, error);
  }
}
