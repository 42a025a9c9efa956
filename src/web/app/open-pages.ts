import { readTextFile, separateTurns, unwrap } from '../../base/index.js';
import { parseOptOut } from '../../check/index.js';
import { slotTables } from '../../sender/index.js';
import type { TableSet } from '../../store/index.js';
import { AccessService } from '../access/access-service.js';
import { accessTables } from '../access/access-tables.js';
import { OidcSignIn } from '../access/oidc-sign-in.js';
import { BatchService } from '../checks/batch-service.js';
import { batchTables } from '../checks/batch-table.js';
import { CheckService, type PagesContext } from '../checks/check-service.js';
import { pagesTables } from '../checks/check-table.js';
import type { OpenPagesOptions } from './create-app.js';
import type { PagesSettings } from '../settings.js';

/** The running pages. */
export interface Pages {
  /** Answers requests of the public ports, or of the operator's loopback port. */
  handler(
    isOperator: boolean,
  ): (request: Request, peer: { readonly address: string }) => Promise<Response>;
  readonly checks: CheckService;
  readonly access: AccessService;
  /** Every route as `METHOD path`. */
  readonly routes: readonly string[];
  /** Ends running checks and streams. */
  stop(): void;
}

/**
 * Opens the pages. The web framework is loaded here, so that a process without pages does
 * not need its memory. Rejects with HermeticError for an opt-out list that cannot be
 * read.
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
  return {
    handler: (isOperator) => async (request, peer) => {
      // A page takes milliseconds to grade and to render, and clients send many requests.
      await turn();
      return app.fetch(request, { peer: peer.address, isOperator });
    },
    checks,
    access,
    routes: app.routes,
    stop: () => checks.stop(),
  };
}

/** Returns the tables that the pages read and write. */
export async function tablesOfPages(hasOperatorPages: boolean): Promise<readonly TableSet[]> {
  const own = [pagesTables, batchTables, accessTables, slotTables];
  if (!hasOperatorPages) return own;
  const { ownDomainsTables } = await import('../operator/own-domains.js');
  return [...own, ...ownDomainsTables];
}

/** Reads the opt-out list of the configuration. Throws HermeticError for a faulty one. */
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
