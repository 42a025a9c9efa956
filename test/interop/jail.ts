import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { unpackPackage } from './debian.js';
import { Daemon, runProgram } from './process.js';

/**
 * A separate root directory for a mail server with compiled-in paths and users: the
 * server is not installed, and the spool of the system stays unchanged. Must run as root.
 */
export class Jail {
  constructor(
    readonly root: string,
    packageName: string,
    private readonly program: string,
    users: readonly string[],
    release?: string,
  ) {
    mkdirSync(root, { recursive: true });
    // Programs of another release need the files of that release's base system.
    if (release !== undefined)
      for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
        mkdirSync(join(root, 'usr', folder), { recursive: true });
        symlinkSync(`usr/${folder}`, join(root, folder));
      }
    unpackPackage(packageName, root, release);
    for (const folder of [
      'etc',
      'tmp',
      'dev',
      'run',
      'var/run',
      'var/empty',
      'var/log',
      'var/spool',
    ])
      mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    for (const [name, minor] of [
      ['null', 3],
      ['urandom', 9],
    ] as const)
      execFileSync('mknod', ['-m', '666', join(root, 'dev', name), 'c', '1', String(minor)]);
    const ids = ['root', ...users].map((name, i) => ({ name, id: i === 0 ? 0 : this.idOf(i) }));
    this.write(
      'etc/passwd',
      ids.map(({ name, id }) => `${name}:x:${id}:${id}::/var/empty:/bin/false\n`).join(''),
    );
    this.write('etc/group', ids.map(({ name, id }) => `${name}:x:${id}:\n`).join(''));
    this.write('etc/hosts', '127.0.0.1 localhost\n');
    this.write('etc/services', 'smtp 25/tcp\nsmtps 465/tcp\n');
    if (release === undefined) this.#bringLibraries();
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content, { mode });
  }

  /** Creates a folder that the nth user owns. */
  folder(path: string, user: number): void {
    mkdirSync(join(this.root, path), { recursive: true });
    chownSync(join(this.root, path), this.idOf(user), this.idOf(user));
  }

  /** Returns the id of the nth user and of its group. */
  idOf(user: number): number {
    return 900 + user;
  }

  /** Runs the program, or another program of the package, and waits for its end. */
  ask(
    args: readonly string[],
    program = this.program,
  ): Promise<{ code: number; out: string; err: string }> {
    return runProgram('chroot', [this.root, program, ...args], { anyStatus: true });
  }

  run(args: readonly string[]): Daemon {
    return new Daemon('chroot', [this.root, this.program, ...args], this.root);
  }

  /** Copies the libraries that the loader would load from the system. */
  #bringLibraries(): void {
    const own = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).filter((f) =>
      /\.so(\.|$)/.test(f),
    );
    const path = [...new Set(own.map((f) => dirname(join(this.root, f))))].join(':');
    const printed = execFileSync('ldd', [join(this.root, this.program)], {
      env: { ...process.env, LD_LIBRARY_PATH: path },
      encoding: 'utf8',
    });
    for (const [, file = ''] of printed.matchAll(/(?:=>\s*|^\s+)(\/\S+) \(/gm)) {
      const inside = file.startsWith(this.root) ? undefined : join(this.root, file);
      if (!inside || existsSync(inside)) continue;
      mkdirSync(dirname(inside), { recursive: true });
      cpSync(realpathSync(file), inside);
    }
  }
}
