import { createHash } from 'node:crypto';
import { markup, Markup } from './markup.js';
import { pageStyle } from './style.js';

/** The parts of a page that its caller provides. */
export interface PageParts {
  readonly title: string;
  /** The line above everything: the name of the product or the place. */
  readonly top: Markup | string;
  /** The date the page speaks of, RFC 3339 UTC. */
  readonly date?: string | undefined;
  readonly main: Markup | readonly Markup[];
  readonly footer?: Markup | string | undefined;
}

/** Only the page's own style applies, by its hash; everything else is forbidden. */
const styleHash = createHash('sha256').update(pageStyle).digest('base64');
const securityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;

/** A whole document that loads nothing. The text ends with a line feed. */
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
