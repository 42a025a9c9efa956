import { markup, type Markup, type Piece } from '../../../page/index.js';

/** Returns an operator page with a heading and the content. */
export function operatorPage(
  { title, lead }: { readonly title: Piece; readonly lead?: Piece },
  content: readonly (Markup | false | undefined)[],
): readonly Markup[] {
  return [
    markup`<header class="hero"><div class="hero-line"><h1>${title}</h1></div>
      ${lead !== undefined && markup`<p class="lead">${lead}</p>`}</header>`,
    ...content.filter((part): part is Markup => part instanceof Object),
  ];
}

/**
 * Returns links in one line. The current link is marked visibly and for screen readers.
 */
export function tabs(
  label: string,
  entries: readonly (readonly [path: string, name: string])[],
  current: string,
): Markup {
  const links = entries.map(
    ([path, name]) =>
      markup`<a href="${path}"${path === current && markup` aria-current="page"`}>${name}</a> `,
  );
  return markup`<nav class="tabs" aria-label="${label}">${links}</nav>`;
}

/** Returns a whole number with a space between thousands. */
export function grouped(value: number): Markup {
  const text = String(value).replace(/\B(?=(\d{3})+$)/g, '\u2009');
  return markup`<span class="number">${text}</span>`;
}

/** Returns a time, given in milliseconds since 1970, as text to the minute in UTC. */
export function minuteOfTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** Returns the path of a page about a domain. */
export function domainPath(domain: string, tab = ''): string {
  return `/o/domains/${encodeURIComponent(domain)}${tab}`;
}
