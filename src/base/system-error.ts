// errno(3)
const words: Readonly<Record<string, readonly [message: string, fix: string]>> = {
  ENOENT: ['there is no such file or folder', 'Check the path.'],
  ENOTDIR: ['a part of the path is not a folder', 'Check the path.'],
  EISDIR: ['is a folder', 'Specify a file.'],
  ENAMETOOLONG: ['the name is too long', 'Check the path.'],
  EACCES: ['permission denied', 'Check the permissions of the file and of the folders above it.'],
  EPERM: ['permission denied', 'Check the permissions of the file and of the folders above it.'],
  EROFS: ['the disk is read-only', 'Specify another location.'],
  ENOSPC: ['the disk is full', 'Free space, or specify another location.'],
  EDQUOT: ['the disk quota is exceeded', 'Free space, or specify another location.'],
  EIO: ['the disk fails', 'Look at the system log.'],
  EMFILE: ['too many open files', 'Raise the limit (ulimit -n), or run fewer tasks at once.'],
  EADDRINUSE: ['another program listens there', 'Stop the other program, or choose another port.'],
  EADDRNOTAVAIL: [
    'this machine does not have that address',
    'Check the address in the configuration.',
  ],
};

/**
 * Describes an error of the operating system (errno(3)) as a message and a fix. An
 * unknown error keeps its code as the message.
 */
export function describeSystemError(error: unknown): {
  readonly message: string;
  readonly fix: string;
} {
  const { code, message: sourceText } = error as NodeJS.ErrnoException;
  const [message = code ?? sourceText, fix = 'Check the path and its permissions.'] =
    words[code ?? ''] ?? [];
  return { message, fix };
}

// errno(3)
const writeFixes: Readonly<Record<string, string>> = {
  EROFS:
    'Mount the file system for writing. Add the folder to ReadWritePaths= (systemctl edit hermetic): the unit permits writes only in /var/lib/hermetic.',
  ENOENT:
    'Create the folder for the user of the daemon: install -d -m 700 -o hermetic -g hermetic FOLDER',
  EACCES:
    'Run the command as the user of the daemon, or give it the folder: chown hermetic: FOLDER',
  EPERM: 'Run the command as the user of the daemon, or give it the folder: chown hermetic: FOLDER',
};

/** Returns the fix if the daemon cannot write a path; undefined for other errors. */
export function fixUnwritable(error: unknown): string | undefined {
  return writeFixes[(error as NodeJS.ErrnoException).code ?? ''];
}
