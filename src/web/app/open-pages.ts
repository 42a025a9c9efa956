import { readTextFile, separateTurns, unwrap } from '../../base/index.js';
import { parseOptOut } from '../../check/index.js';
import { slotTables } from '../../sender/index.js';
import type { TableSet } from '../../store/index.js';
import { AccessService } from '../access/access-service.js';
import { accessTables } from '../access/access-tables.js';
import { OidcSignIn } from '../access/oidc-sign-in.js';
import { BatchService } from '../checks/batch-service.js';
import { batchTables } from '../checks/batch-table.js';
import { PublicShare } from '../clients/public-share.js';
import { CheckService } from '../checks/check-service.js';
import type { PagesContext } from '../checks/pages-context.js';
import { pagesTables } from '../checks/check-table.js';
import type { OpenPagesOptions } from './create-app.js';
import type { PagesSettings } from '../settings.js';

/** A plain text refusal. */
interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const busy: Refusal = {
  status: 503,
  headers: {
    'content-type': 'text/plain; charset=utf-8',
    'retry-after': '5',
    'cache-control': 'no-store',
  },
  body: 'Too many visitors request pages of this site. Try again in a few seconds.\n',
};

/** The running pages. */
export interface Pages {
  /**
   * Returns the function that answers requests on the public ports, or on the operator's
   * loopback port.
   */
  handler(
    isOperator: boolean,
  ): (request: Request, peer: { readonly address: string }) => Promise<Response>;
  readonly checks: CheckService;
  readonly access: AccessService;
  /** The limit on the CPU time of requests without an account. */
  readonly share: PublicShare;
  /**
   * Returns the refusal of a public request while the share is used up, without the cost
   * of a `Request`. Returns undefined while requests are accepted, and for paths that
   * need an account.
   */
  refusal(method: string, hostName: string, path: string): Refusal | undefined;
  /** Every route as `METHOD path`. */
  readonly routes: readonly string[];
  /** Ends running checks and streams. */
  stop(): void;
}

/**
 * Creates the services and the application of the pages. Loads the web framework, which
 * needs memory, only when it is called. Rejects with HermeticError for an opt-out list
 * that cannot be read.
 */
export async function openPages(
  settings: PagesSettings,
  context: PagesContext,
  options: OpenPagesOptions = {},
): Promise<Pages> {
  const { createApp } = await import('./create-app.js');
  const optOut = settings.optOut === undefined ? undefined : readOptOut(settings.optOut);
  const checks = new CheckService(settings, context, optOut);
  const batches = new BatchService(checks, context);
  const access = new AccessService(settings, context, options.secrets);
  const provider = settings.signIn?.oidc;
  const oidc = provider && new OidcSignIn(provider, context, options.secrets?.oidcClient);
  const app = createApp(settings, context, { checks, access, batches, oidc }, options);
  const turn = separateTurns();
  const share = new PublicShare(context.clock);
  const isAdmitted = (path: string): boolean => !share.isExhausted || isForAccounts(path);
  return {
    handler: (isOperator) => {
      const answer = async (request: Request, peer: string): Promise<Response> => {
        // Each request gets its own turn of the event loop, because grading and rendering
        // a page takes milliseconds.
        await turn();
        return app.fetch(request, { peer, isOperator });
      };
      const answerPublic = async (request: Request, peer: string): Promise<Response> => {
        await share.enter();
        await turn();
        const began = context.clock.monotonic();
        const response = await app.fetch(request, { peer, isOperator });
        share.spend(context.clock.monotonic() - began);
        return response;
      };
      return (request, { address: peer }) => {
        if (isOperator || access.hasAccount({ peer, headers: request.headers }))
          return answer(request, peer);
        if (!share.isExhausted) return answerPublic(request, peer);
        share.refuse();
        const { status, headers, body } = busy;
        return Promise.resolve(new Response(body, { status, headers }));
      };
    },
    refusal(_method, _hostName, path) {
      if (isAdmitted(path)) return undefined;
      share.refuse();
      return busy;
    },
    share,
    checks,
    access,
    routes: app.routes,
    stop: () => checks.stop(),
  };
}

/**
 * Returns whether requests for a path may have an account. Only the handler can determine
 * whether they do.
 */
function isForAccounts(path: string): boolean {
  return path === '/o' || path.startsWith('/o/') || path.startsWith('/api/');
}

/** Returns the tables that the pages read and write. */
export async function tablesOfPages(hasOperatorPages: boolean): Promise<readonly TableSet[]> {
  const own = [pagesTables, batchTables, accessTables, slotTables];
  if (!hasOperatorPages) return own;
  const { ownDomainsTables } = await import('../operator/own-domains.js');
  return [...own, ...ownDomainsTables];
}

/**
 * Reads the opt-out list of the configuration. Throws HermeticError for an invalid list.
 */
export function readOptOut(filePath: string): ReturnType<typeof unwrapOptOut> {
  return unwrapOptOut(
    readTextFile(filePath, { code: 'config-file-unreadable', label: 'pages.optOut:' }),
  );
}

function unwrapOptOut(
  text: string,
): Extract<ReturnType<typeof parseOptOut>, { ok: true }>['value'] {
  return unwrap('pages.optOut', parseOptOut(text), 'Correct the named line of the list.');
}
