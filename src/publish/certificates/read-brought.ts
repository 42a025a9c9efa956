import type { Alert, Wait } from '../actions.js';
import type { DesiredMailHost } from '../config.js';
import type { RolloverState } from '../tlsa/types.js';
import {
  examineAdopted,
  examineBrought,
  renewsKey,
  type BroughtOptions,
  type Import,
} from './take-brought.js';

export interface BroughtReading {
  /** What the ring lacks of the files. */
  readonly imports: readonly Import[];
  /**
   * SHA-256 of keys in use that the files no longer hold: the server is to leave them.
   */
  readonly leave: readonly string[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/**
 * Reads the files that other programs keep for a mail host: what the ring is to import
 * from them, and whether they hold another key than the one in use. Nothing is written.
 */
export function readBrought(
  { host, slots }: RolloverState,
  wish: DesiredMailHost,
  options: Omit<BroughtOptions, 'made'>,
): BroughtReading {
  const imports: Import[] = [];
  const alerts: Alert[] = [];
  const waits: Wait[] = [];
  const leave: string[] = [];
  for (const file of wish.adopt) {
    const adopted = examineAdopted(host, file, options);
    const isNew = ({ action }: Import): boolean =>
      !imports.some((one) => one.action.key === action.key);
    imports.push(...adopted.imports.filter(isNew));
    alerts.push(...adopted.alerts);
  }
  for (const files of wish.files) {
    const brought = examineBrought(host, files, {
      ...options,
      made: (type) =>
        (slots[type]?.made ?? 0) +
        imports.filter(({ key }) => key.name.startsWith(`${type}-`)).length,
    });
    imports.push(...brought.imports);
    waits.push(...brought.waits);
    alerts.push(...brought.alerts);
    const { key } = brought;
    const current = key && slots[key.type]?.current;
    const another = key && current && key.sha256 !== current.sha256;
    const installed = wish.install !== undefined;
    if (another) {
      leave.push(current.sha256);
      alerts.push({
        code: installed ? 'publish-key-brought' : 'publish-key-brought-unannounced',
        subject: host,
        detail: `${files.key} holds ${key.name}, in use is ${current.name}`,
      });
    } else if (wish.dane && !installed && renewsKey(files.chain) === true)
      alerts.push({ code: 'publish-key-not-kept', subject: host, detail: files.chain });
  }
  return { imports, leave, waits, alerts };
}
