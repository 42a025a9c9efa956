import type { Alert, Wait } from '../actions.js';
import type { MailHostWish } from '../desired/publish-section.js';
import type { RolloverState } from '../rollover/types.js';
import { renewsKey, takeBrought, type BroughtOptions } from './take-brought.js';

export interface BroughtReading {
  /** SHA-256 of keys in use that the files hold no longer: the server is to leave them. */
  readonly leave: readonly string[];
  readonly waits: readonly Wait[];
  readonly alerts: readonly Alert[];
}

/** What the files say that somebody else keeps for a mail host: certificates are taken into the ring, and a key that is not the one in use is told of. */
export function readBrought(
  { host, slots }: RolloverState,
  wish: MailHostWish,
  options: Omit<BroughtOptions, 'made'>,
): BroughtReading {
  const parts = wish.files.map((files) => {
    const { key, waits, alerts } = takeBrought(host, files, {
      ...options,
      made: (type) => slots[type]?.made ?? 0,
    });
    const current = key && slots[key.type]?.current;
    const another = key && current && key.sha256 !== current.sha256;
    const kept = wish.install !== undefined;
    const told: Alert[] = [];
    if (another)
      told.push({
        code: kept ? 'publish-key-brought' : 'publish-key-brought-unannounced',
        subject: host,
        detail: `${files.key} holds ${key.name}, in use is ${current.name}`,
      });
    else if (wish.dane && !kept && renewsKey(files.chain) === true)
      told.push({ code: 'publish-key-not-kept', subject: host, detail: files.chain });
    return { leave: another ? [current.sha256] : [], waits, alerts: [...alerts, ...told] };
  });
  return {
    leave: parts.flatMap(({ leave }) => leave),
    waits: parts.flatMap(({ waits }) => waits),
    alerts: parts.flatMap(({ alerts }) => alerts),
  };
}
