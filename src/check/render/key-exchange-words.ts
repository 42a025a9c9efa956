import type { MailAddress, MailHost, SenderResult } from '../../evidence/index.js';
import { isPostQuantum } from '../../tls/index.js';
import { versionName } from './words.js';

/**
 * States whether a recording of mail to this host can be decrypted later, with the groups
 * that prevent it; undefined if no address showed it. The worst address determines the
 * result: a sender may use any address.
 */
export function decryptedLaterWords({ addresses }: MailHost): string | undefined {
  const answers = addresses.map(({ decryptedLater }) => decryptedLater ?? 'unknown');
  if (answers.includes('possible')) return 'possible';
  if (!answers.includes('prevented')) return undefined;
  const groups = new Set(addresses.flatMap(({ tls }) => tls.groups.filter(isPostQuantum)));
  return `prevented (${[...groups].join(', ')}, by senders that offer it)`;
}

/** Returns the session that each sender would get, as pairs of sender and result. */
export function senderWords({
  senders = [],
}: Pick<MailAddress, 'senders'>): readonly (readonly [sender: string, result: string])[] {
  return senders.map((sender) => [sender.name, resultWords(sender)]);
}

function resultWords(sender: SenderResult): string {
  const { result, version = '', suite = '', group, postQuantum, alert, reason } = sender;
  if (result === 'unknown') return `not known${reason === undefined ? '' : ` (${reason})`}`;
  if (result === 'refused')
    return alert === undefined
      ? 'none: the server closes the connection'
      : `none: the server refuses with alert ${alert}`;
  const exchange = [group ?? 'no named group', ...(postQuantum ? ['post-quantum'] : [])].join(', ');
  return `${versionName(version)}, ${suite.replace(/^TLS_/, '')}, ${exchange}`;
}
