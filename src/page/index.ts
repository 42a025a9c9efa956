/**
 * HTML pages: the reports of `hermetic check` and the pages of the daemon. All functions
 * are pure.
 *
 * A report is self-contained. It loads no script, font, picture or style, so a user can
 * send a report as one file. Its content security policy forbids scripts, so an attacker
 * who controls a server's replies cannot make the report run code. A page of a site links
 * to the style and script of that site, and to nothing else. The layout adapts to screens
 * from 320 pixels up, to the system's light or dark setting, and to paper. Colours keep a
 * contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3), and no fact is shown by colour alone.
 *
 * {@link markup} is the only way to make HTML: it escapes every value that is not HTML
 * already, and makes control, bidi and invisible characters visible. The components are
 * functions from data to {@link Markup}; {@link pageShell} puts them into a document.
 * The caller chooses the words of a page and their meaning for mail.
 *
 * @example
 * ```ts
 * const page = pageShell({
 *   title: 'Hello',
 *   top: 'Hermetic',
 *   main: markup`<h1>${name}</h1>`,
 * });
 * ```
 */
export { Markup, markup, lines, type Piece } from './markup.js';
export { pageShell, type LinkedFiles, type PageParts } from './shell.js';
export { pageStyle } from './style.js';
export {
  badge,
  badgeItem,
  codeBox,
  dataTable,
  definitions,
  markSign,
  scoreList,
  type Sign,
  type ScoreLine,
  type TableColumn,
  type Tone,
} from './components.js';
