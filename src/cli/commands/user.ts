import type { Command } from 'commander';
import { HermeticError } from '../../base/index.js';
import { openStore, type Store } from '../../store/index.js';
import {
  AccountTable,
  hashPassword,
  isPassword,
  parseAccountName,
  roles,
  webFailures,
} from '../../web/index.js';
import { exitCodes } from '../exit-codes.js';
import { databaseFile, DEFAULT_STORE } from '../files.js';
import { addHelpPage } from '../help.js';
import { readWord } from '../options.js';
import type { CommandContext } from '../output.js';
import { readPassword } from '../read-password.js';

interface UserFlags {
  readonly store: string;
  readonly role?: string;
  readonly customer?: readonly string[];
}

/** Defines `hermetic user`, which manages the local accounts of the operator pages. */
export function defineUser(command: Command, context: CommandContext): void {
  const { output } = context;
  const sub = (name: string, description: string, example: string): Command =>
    addHelpPage(
      command
        .command(name)
        .description(description)
        .option('--store <file>', 'database of the daemon', DEFAULT_STORE),
      output,
      { examples: [example] },
    );
  sub(
    'add',
    'add an account; the password is read from the terminal or standard input',
    'hermetic user add alice --role admin',
  )
    .argument('<name>', 'letters, digits and . _ @ + -')
    .option('--role <role>', roles.join(', '), 'viewer')
    .option('--customer <name...>', 'confine the account to the domains of these customers')
    .action(async (typed: string, { store, role, customer }: UserFlags) => {
      const name = accountName(typed);
      const known = readWord('--role', role ?? 'viewer', roles);
      const password = await newPassword(context);
      await withAccounts(store, async (accounts) => {
        const isAdded = await accounts.add(
          { name, role: known, customers: customer },
          password,
          by(),
        );
        if (!isAdded) throw failure('web-user-exists', name);
      });
      output.out(`${name} can sign in as ${known}\n`);
    });
  sub('list', 'list the accounts', 'hermetic user list').action(async ({ store }: UserFlags) => {
    await withAccounts(store, (accounts) => {
      for (const { name, role, customers } of accounts.list())
        output.out(`${name}  ${role}  ${customers?.join(', ') ?? 'all domains'}\n`);
    });
  });
  sub('remove', 'remove an account, its sessions and its tokens', 'hermetic user remove alice')
    .argument('<name>', 'the account')
    .action(async (typed: string, { store }: UserFlags) => {
      const name = accountName(typed);
      await withAccounts(store, async (accounts) => {
        if (!(await accounts.remove(name, by()))) throw failure('web-user-unknown', name);
      });
      output.out(`${name} is removed\n`);
    });
  sub(
    'passwd',
    'set a new password and end the sessions of the account',
    'hermetic user passwd alice',
  )
    .argument('<name>', 'the account')
    .action(async (typed: string, { store }: UserFlags) => {
      const name = accountName(typed);
      const password = await newPassword(context);
      await withAccounts(store, async (accounts) => {
        if (!(await accounts.setPassword(name, password, by())))
          throw failure('web-user-unknown', name);
      });
      output.out(`${name} has a new password\n`);
    });
  addHelpPage(command, output, {
    note: 'Accounts can sign in if the configuration has pages.signIn. The change is effective immediately.',
    exitStatus: [
      [exitCodes.good, 'the change is in the database'],
      [exitCodes.usage, 'the name, password or database cannot be used'],
    ],
    examples: ['hermetic user add alice --role admin', 'hermetic user add bob --customer acme'],
  });
}

function accountName(typed: string): string {
  const name = parseAccountName(typed);
  if (name === undefined) throw failure('web-user-invalid', typed);
  return name;
}

async function newPassword({ output }: CommandContext): Promise<string> {
  const password = await readPassword(output);
  if (!isPassword(password)) throw failure('web-password-short', 'password');
  return hashPassword(password);
}

/** Returns the account of the machine that runs the command. */
function by(): { at: number; actor: string; way: string; network: string } {
  const { SUDO_USER, USER } = process.env;
  return { at: Date.now(), actor: SUDO_USER ?? USER ?? 'unknown', way: 'command', network: '' };
}

async function withAccounts(
  filePath: string,
  work: (accounts: AccountTable) => Promise<void> | void,
): Promise<void> {
  const store: Store = await openStore(databaseFile(filePath), { mustExist: true });
  try {
    await work(new AccountTable(store));
    await store.settle();
  } finally {
    store.close();
  }
}

function failure(code: Parameters<typeof webFailures.make>[0], about: string): HermeticError {
  const { message, fix } = webFailures.entries[code];
  return new HermeticError(code, `${about}: ${message}`, { fix });
}
