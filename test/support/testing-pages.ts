import type { TestContext } from 'node:test';
import { systemClock, type Clock, type Name } from '../../src/base/index.js';
import { parseRecord, type DnsAnswer, type Resolver } from '../../src/dns/index.js';
import type { Network } from '../../src/net/index.js';
import { openStore, type Store } from '../../src/store/index.js';
import { builtinTrustStore } from '../../src/tls/index.js';
import {
  openPages,
  pagesSection,
  type OpenPagesOptions,
  type Pages,
  type PagesContext,
} from '../../src/web/index.js';
import { hashPassword } from '../../src/web/access/password-hash.js';
import type { Scope } from '../../src/web/roles.js';
import type { Role } from '../../src/web/index.js';
import { formTokenOf } from '../../src/web/access/random-secret.js';
import { FakeClock } from './fake-clock.js';
import { waitUntil } from './wait-until.js';

/** Returns a clock that starts at a fixed time and that the test moves. */
export const movedClock = (): FakeClock =>
  new FakeClock(Date.parse('2026-11-30T12:00:00Z'), 'wait');

/**
 * Returns a resolver that answers from zone lines. All other names do not exist. `gate`
 * delays each answer.
 */
export function zoneResolver(lines: readonly string[], gate?: () => Promise<void>): Resolver {
  const records = lines.map((line) => {
    const parsed = parseRecord(line);
    if (!parsed.ok) throw new Error(line);
    return parsed.value;
  });
  return {
    health: () => ({ upstreams: [] }),
    async ask(name: Name, type: number, options): Promise<DnsAnswer> {
      await gate?.();
      options?.signal?.throwIfAborted();
      const found = records.filter(
        (record) => record.type === type && record.name.toLower() === name.toLower(),
      );
      return {
        question: { name, type },
        status: found.length > 0 ? 'found' : 'nxdomain',
        dnssec: 'insecure',
        records: found,
        canonicalName: name,
        aliases: [],
        ttl: 60,
      };
    },
  };
}

/** Returns the addresses of the domain's MX hosts. */
export function mailZone(domain: string, addresses: readonly string[]): readonly string[] {
  return [
    `${domain}. 60 IN MX 10 mx.${domain}.`,
    ...addresses.map((ip) => `mx.${domain}. 60 IN ${ip.includes(':') ? 'AAAA' : 'A'} ${ip}`),
  ];
}

/**
 * Returns a network in which nothing answers. The network records the addresses of
 * attempted connections.
 */
export function silentNetwork(): Network & { readonly dialled: string[] } {
  const dialled: string[] = [];
  return {
    dialled,
    dial: ({ address }) => {
      dialled.push(address);
      return Promise.resolve({ ok: false, failure: { code: 'net-refused', detail: '' } });
    },
    exchange: ({ to }) => {
      dialled.push(to.address);
      return Promise.resolve({ ok: false, failure: { code: 'net-timeout', detail: '' } });
    },
  };
}

/** Returns the cookie that a response sets, as a browser sends it back. */
export function cookieOf(response: Response): string {
  return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
}

/** Returns the token of the forms of a session. */
export function formToken(cookie: string): string {
  return formTokenOf(cookie.split('=')[1] ?? '');
}

/** Pages without sockets: requests are function calls. */
export class TestPages {
  private constructor(
    readonly pages: Pages,
    readonly store: Store,
    readonly clock: Clock,
    readonly logged: string[],
  ) {}

  static async open(
    t: TestContext,
    settings: object = {},
    context: Partial<PagesContext> = {},
    options: OpenPagesOptions = {},
  ): Promise<TestPages> {
    const store = context.store ?? (await openStore(':memory:'));
    const clock = context.clock ?? systemClock;
    const logged: string[] = [];
    const log = {
      info: () => undefined,
      error: (event: string, fields?: object) =>
        void logged.push(`${event} ${JSON.stringify(fields)}`),
    };
    const pages = await openPages(
      pagesSection.parse(settings),
      {
        network: silentNetwork(),
        resolver: zoneResolver([]),
        trustStore: builtinTrustStore(),
        log,
        ...context,
        store,
        clock,
      },
      { hasOperatorPages: true, ...options },
    );
    t.after(async () => {
      pages.stop();
      await store.settle();
    });
    return new TestPages(pages, store, clock, logged);
  }

  /** Sends a request from a client's address. `operator`: to the loopback port. */
  async ask(
    path: string,
    {
      from = '198.51.100.7',
      operator = false,
      ...init
    }: RequestInit & { from?: string; operator?: boolean } = {},
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('host')) headers.set('host', operator ? '127.0.0.1:8080' : 'check.example');
    const url = `http://${headers.get('host')}${path}`;
    return this.pages.handler(operator)(new Request(url, { ...init, headers }), { address: from });
  }

  async text(path: string): Promise<string> {
    return (await this.ask(path)).text();
  }

  /** Adds an account. The password of the account is `password of NAME`. */
  async addUser(name: string, role: Role, customers?: readonly string[]): Promise<void> {
    const { access } = this.pages;
    const by = { at: this.clock.now(), actor: 'test', way: 'command', network: '' };
    const hash = await hashPassword(`password of ${name}`, { log2N: 4, r: 8, p: 1 });
    await access.accounts.add({ name, role, customers }, hash, by);
  }

  /** Submits the form of the sign-in from a page of this site. */
  signIn(
    name: string,
    password = `password of ${name}`,
    { from, cookie, next = '' }: { from?: string; cookie?: string; next?: string } = {},
  ): Promise<Response> {
    const headers = new Headers({ origin: 'http://check.example' });
    if (cookie !== undefined) headers.set('cookie', cookie);
    const body = new URLSearchParams({ name, password, next });
    return this.ask('/sign-in', { method: 'POST', body, headers, from: from ?? '198.51.100.7' });
  }

  /** Signs in and resolves to the cookie of the session. */
  async session(name: string): Promise<string> {
    return cookieOf(await this.signIn(name));
  }

  /** Creates a token of an account for 365 days; resolves to its secret. */
  async token(name: string, scopes: readonly Scope[]): Promise<string> {
    const { access } = this.pages;
    const account = access.accounts.find(name);
    if (!account) throw new Error(name);
    const { role, customers } = account;
    const at = this.clock.now();
    const token = { label: 'test', owner: name, way: 'password' as const, role, customers, scopes };
    const by = { at, actor: name, way: 'password', network: '' };
    const secret = await access.tokens.create({ ...token, endsAt: at + 365 * 86_400_000 }, by);
    return secret ?? '';
  }

  /** Submits a form of an operator page within a session. */
  async submitForm(
    path: string,
    cookie: string,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Response> {
    const headers = { cookie, origin: 'http://check.example' };
    const body = new URLSearchParams({ token: formToken(cookie), ...fields });
    return this.ask(path, { method: 'POST', body, headers });
  }

  /** Submits the form. */
  submit(domain: string, from?: string): Promise<Response> {
    const body = new URLSearchParams({ domain });
    return this.ask('/check', { method: 'POST', body, ...(from === undefined ? {} : { from }) });
  }

  /** Calls the API with a JSON body. */
  post(path: string, body: unknown, from?: string): Promise<Response> {
    return this.ask(path, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      ...(from === undefined ? {} : { from }),
    });
  }

  /** Submits the form and waits for the result; resolves to its path. */
  async checked(domain: string, from?: string): Promise<string> {
    const path = (await this.submit(domain, from)).headers.get('location') ?? '';
    await this.finished(path);
    return path;
  }

  async finished(path: string): Promise<void> {
    const id = path.split('/')[2] ?? '';
    await waitUntil(`the end of ${path}`, () =>
      ['done', 'failed'].includes(this.pages.checks.status(id)?.state ?? ''),
    );
  }
}
