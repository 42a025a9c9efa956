import { createHash } from 'node:crypto';
import { markup, Markup } from './markup.js';
import { pageStyle } from './style.js';

/** The parts of a page that its caller provides. */
export interface PageParts {
  /** The title of the window, and the name of a printed page. */
  readonly title: string;
  /** The top line of the page, such as the name of the product. */
  readonly top: Markup | string;
  /** The date that the page describes, RFC 3339 UTC. */
  readonly date?: string | undefined;
  /** The content between header and footer. */
  readonly main: Markup | readonly Markup[];
  readonly footer?: Markup | string | undefined;
  /**
   * Files of a site that the page loads. The site then sends the security policy as a
   * header. Default: the page contains its style and loads nothing.
   */
  readonly linked?: LinkedFiles | undefined;
  /** The style of a page that contains its style. Default: {@link pageStyle}. */
  readonly style?: string | undefined;
}

/** Paths of the files that a page of a site loads. */
export interface LinkedFiles {
  readonly style: string;
  readonly script?: string | undefined;
  /** Seconds after which a browser without scripts loads the page again. */
  readonly refresh?: number | undefined;
}

/**
 * Returns the security policy of a page that contains its style. The policy permits this
 * style alone and forbids everything else, so injected markup could neither run nor load
 * anything.
 */
function securityPolicyOf(style: string): string {
  const styleHash = createHash('sha256').update(style).digest('base64');
  return `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
}

/**
 * Renders a whole document that sends no referrer to other sites. Without `linked` the
 * page loads nothing. Ends with a line feed.
 */
export function pageShell(parts: PageParts): string {
  const { title, top, date, main, footer, linked, style = pageStyle } = parts;
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        ${linked === undefined && markup`<meta http-equiv="Content-Security-Policy" content="${new Markup(securityPolicyOf(style))}" />`}
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="${linked === undefined ? 'no-referrer' : 'same-origin'}" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        ${linked === undefined ? new Markup(`<style>${style}</style>`) : links(linked)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div>${top}</div>
          ${date !== undefined && markup`<time datetime="${date}">${date.slice(0, 10)}</time>`}
        </header>
        <main id="main">${main}</main>
        ${footer !== undefined && markup`<footer>${footer}</footer>`}
      </body>
    </html>`;
  return `${page.text}\n`;
}

/** Returns the elements of the head that load the files of a site. */
function links({ style, script, refresh }: LinkedFiles): Markup {
  return markup`<link rel="stylesheet" href="${style}" />
    ${script !== undefined && markup`<script type="module" src="${script}"></script>`}
    ${refresh !== undefined && markup`<noscript><meta http-equiv="refresh" content="${refresh}" /></noscript>`}`;
}
