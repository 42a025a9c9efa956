import { markup, pageShell, type Markup } from '../../page/index.js';
import { tabs } from './operator/operator-layout.js';

/** The properties of a request and the site that determine the layout of a page. */
export interface Place {
  /** The path of the page. */
  readonly path: string;
  /** The account of the request; undefined on public pages. */
  readonly account?: PageAccount | undefined;
  /** Whether the operator pages require a sign-in. */
  readonly hasSignIn: boolean;
  /** Whether this installation tests senders. */
  readonly hasSenderTest: boolean;
  /** Whether this installation shows statistics of scans. */
  readonly hasStatistics: boolean;
  /**
   * The paths of the style sheet and the script. Each path contains a hash of the file.
   */
  readonly style: string;
  readonly script: string;
}

/** The account that requests an operator page. */
export interface PageAccount {
  /** The operator pages that the account may open. */
  readonly sections: readonly (readonly [path: string, name: string])[];
  /** The name of the account and the token for forms; undefined on the loopback port. */
  readonly session?: { readonly name: string; readonly token: string } | undefined;
}

/** A page of the site: title, content, and its place in the navigation. */
export interface SitePage {
  readonly title: string;
  readonly main: Markup | readonly Markup[];
  /** The path of the navigation entry to which the page belongs. */
  readonly section?: string | undefined;
  /** Seconds after which a browser without scripts loads the page again. */
  readonly refresh?: number | undefined;
}

/**
 * Returns the HTML of a page in the layout of the site: navigation above, footer below.
 */
export function sitePage({ title, main, section, refresh }: SitePage, place: Place): string {
  const { account } = place;
  const entries = [
    ['/', 'Check'],
    ...(place.hasSenderTest ? ([['/sender', 'Test a sender']] as const) : []),
    ...(place.hasStatistics ? ([['/statistics', 'Statistics']] as const) : []),
    ...(account ? ([['/o', 'Your domains']] as const) : []),
    ...(place.hasSignIn && !account ? ([['/o', 'Sign in']] as const) : []),
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
    main: section === '/o' && account ? [accountLine(account, place.path), main].flat() : main,
    footer: markup`<p class="fine">Hermetic checks how mail travels between servers.
      It sends no mail. <a href="/privacy">Privacy</a>
      <a href="/opt-out">Opt out</a></p>`,
    linked: { style, script, refresh },
  });
}

/**
 * Returns the links to the operator pages, and the signed-in account with a button to
 * sign out.
 */
function accountLine({ sections, session }: PageAccount, path: string): readonly Markup[] {
  const inside = sections.filter(([section]) => `${path}/`.startsWith(`${section}/`));
  const [current = '/o'] = inside.map(([section]) => section).sort((a, b) => b.length - a.length);
  const name = markup`<form class="tools" method="post" action="/o/sign-out">
    <input type="hidden" name="token" value="${session?.token}" />
    <span>Signed in as ${session?.name}</span> <button class="link">Sign out</button></form>`;
  return [tabs('Sections', sections, current), ...(session ? [name] : [])];
}
