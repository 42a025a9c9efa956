import { markup, pageShell, type Markup } from '../../page/index.js';

/** The port that a request came in on, as far as pages differ by it. */
export interface Place {
  /** The loopback port of the operator, which has the operator pages too. */
  readonly isOperator: boolean;
  /** Paths of style and script; each holds a hash of its file. */
  readonly style: string;
  readonly script: string;
}

/** A page of the site: title, content, and its place in the navigation. */
export interface SitePage {
  readonly title: string;
  readonly main: Markup | readonly Markup[];
  /** Path of the entry in the navigation that stands for this page. */
  readonly section?: string;
  /** Seconds after which a browser without scripts loads the page again. */
  readonly refresh?: number | undefined;
}

/** Puts a page into the layout of the site: navigation above, the fine print below. */
export function sitePage({ title, main, section, refresh }: SitePage, place: Place): string {
  const entries = [
    ['/', 'Check'],
    ...(place.isOperator ? ([['/o', 'Your domains']] as const) : []),
    ['/api', 'API'],
    ['/about', 'About'],
  ] as const;
  const links = entries.map(
    ([path = '', name]) =>
      markup`<li><a href="${path}"${path === section && markup` aria-current="page"`}>${name}</a></li> `,
  );
  const { style, script } = place;
  return pageShell({
    title: `${title} · Hermetic`,
    top: markup`<a class="brand" href="/">Hermetic</a>
      <nav aria-label="Site"><ul>${links}</ul></nav>`,
    main,
    footer: markup`<p class="fine">Hermetic checks how mail travels between servers.
      It sends no mail and sets no cookie. <a href="/privacy">Privacy</a>
      <a href="/opt-out">Opt out</a></p>`,
    linked: { style, script, refresh },
  });
}
