import { markup, type Markup } from '../../page/index.js';
import { sentenceOf } from '../failures.js';

/** A domain that the page suggests. */
export interface ExampleDomain {
  readonly domain: string;
  /** The property for which the domain is an example, in a few words. */
  readonly says: string;
}

/** The state of the first page. */
export interface HomeView {
  /** The text that the visitor entered and that was refused. */
  readonly typed?: string | undefined;
  /** The code of the refusal. */
  readonly problem?: string | undefined;
  /** Seconds until the request may be repeated. */
  readonly retrySeconds?: number | undefined;
  readonly examples: readonly ExampleDomain[];
}

/** Returns the first page: the form, the list of tests, and the example domains. */
export function homePage(view: HomeView): Markup {
  return markup`<div class="ask">
      <h1>Can others read the mail that is sent to you?</h1>
      <p class="lead">Hermetic examines the mail servers of a domain. It shows how senders deliver today,
        which attacks succeed, and how to stop them.</p>
      ${field(view)}
    </div>
    ${view.examples.length > 0 && examples(view.examples)}
    <div class="three">
      <section><h2>Mail servers</h2><p>MX records, STARTTLS, TLS versions, ciphers and certificates, at every
        address of every mail host.</p></section>
      <section><h2>Policies</h2><p>DNSSEC, DANE and MTA-STS: whether senders must encrypt mail and verify the server.</p></section>
      <section><h2>Under attack</h2><p>Six kinds of sender and five attacks, and for each pair: does the mail
        stay private?</p></section>
    </div>`;
}

/**
 * Returns the form. A problem is shown above the field, and screen readers announce the
 * problem with the field.
 */
function field({ typed = '', problem, retrySeconds }: HomeView): Markup {
  const says = problem === undefined ? undefined : sentenceOf(problem);
  return markup`<form class="field" method="post" action="/check">
    ${says !== undefined && markup`<p class="problem" id="problem" role="alert"><b>${says.message}</b> ${nextStep(says.fix, retrySeconds)}</p>`}
    <label for="domain">Domain</label>
    <div class="line">
      <input id="domain" name="domain" value="${typed}" required maxlength="253" placeholder="example.com"
        autocomplete="off" autocapitalize="none" spellcheck="false" inputmode="url"
        aria-describedby="${problem === undefined ? 'hint' : 'problem'}"${problem !== undefined && markup` aria-invalid="true"`} />
      <button>Check</button>
    </div>
    <p class="hint" id="hint">The part after the @ of a mail address. A check takes between five seconds and two
      minutes. No page lists the result.</p>
  </form>`;
}

/**
 * Returns the next step after a refusal: the time to wait if it is known, or else `fix`.
 */
export function nextStep(fix: string, retrySeconds: number | undefined): string {
  return retrySeconds === undefined ? fix : `Try again in ${secondsInWords(retrySeconds)}.`;
}

function examples(domains: readonly ExampleDomain[]): Markup {
  const items = domains.map(
    ({ domain, says }) =>
      markup`<li><button class="link" name="domain" value="${domain}">${domain}</button> <span>${says}</span></li> `,
  );
  return markup`<section>
    <h2>Domains to try</h2>
    <form method="post" action="/check"><ul class="try lined">${items}</ul></form>
  </section>`;
}

/** Returns a number of seconds as text: `40 seconds`, `3 minutes`. */
export function secondsInWords(seconds: number): string {
  if (seconds < 90) return `${seconds} ${seconds === 1 ? 'second' : 'seconds'}`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(minutes / 60)} hours`;
}
