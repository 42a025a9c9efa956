import { createHash } from 'node:crypto';
import { markup, Markup } from './markup.js';
import { pageStyle } from './style.js';

/** The parts of a page that its caller provides. */
export interface PageParts {
  /** The text of the window's title; a print of the page has it as its name. */
  readonly title: string;
  /** The line above everything: the name of the product or the place. */
  readonly top: Markup | string;
  /** The date the page speaks of, RFC 3339 UTC. */
  readonly date?: string | undefined;
  /** The content between header and footer. */
  readonly main: Markup | readonly Markup[];
  readonly footer?: Markup | string | undefined;
}

/**
 * The hash of the page's own style. The security policy admits this style alone and
 * forbids everything else, so injected markup could neither run nor load anything.
 */
const styleHash = createHash('sha256').update(pageStyle).digest('base64');
const securityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;

/**
 * Renders a whole document that loads nothing and sends no referrer. Ends with a line
 * feed.
 */
export function pageShell({ title, top, date, main, footer }: PageParts): string {
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Markup(securityPolicy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${new Markup(`<style>${pageStyle}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <span>${top}</span>
          ${date !== undefined && markup`<time datetime="${date}">${date.slice(0, 10)}</time>`}
        </header>
        <main id="main">${main}</main>
        ${footer !== undefined && markup`<footer>${footer}</footer>`}
      </body>
    </html>`;
  return `${page.text}\n`;
}
