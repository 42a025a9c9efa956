/**
 * Returns a shell command that prints the lines with a text of the last 30 days from the
 * log of a mail server: from the journal of systemd, else from the files of syslog. The
 * text is a regular expression for both `journalctl` and `zgrep`, without quotation marks.
 */
export const logLines = (text: string): string =>
  `(journalctl -o cat -S -30d -g '${text}' || zgrep -h '${text}' /var/log/mail.log* /var/log/maillog*) 2>/dev/null`;
