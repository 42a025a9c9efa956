import type { Context } from 'hono';
import type { CheckService } from '../checks/check-service.js';
import type { PagesContext } from '../checks/pages-context.js';
import type { ExampleDomain } from '../pages/home-page.js';
import type { SitePage } from '../pages/layout.js';
import type { AppEnv } from './request-guards.js';
import type { SenderTests } from '../sender/sender-tests.js';
import type { PagesSettings } from '../settings.js';

/** The resources that the routes of the site share. */
export interface SiteResources {
  readonly settings: PagesSettings;
  readonly context: PagesContext;
  readonly checks: CheckService;
  /** The public sender test; undefined without the section `senderTest`. */
  readonly senderTests: SenderTests | undefined;
  readonly examples: readonly ExampleDomain[];
  /** Mutes the alarms of a domain until a time, and records this in the audit log. */
  mute(context: Context<AppEnv>, domain: string, until: number): Promise<void>;
  /** Returns a response with a page in the layout of the site. */
  page(context: Context<AppEnv>, sitePage: SitePage, status?: number): Response | Promise<Response>;
}
