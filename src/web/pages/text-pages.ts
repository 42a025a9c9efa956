import { codeBox, markup, type Markup } from '../../page/index.js';
import type { PagesSettings } from '../settings.js';

/**
 * Returns the page that names the operator and describes the visits that a mail server
 * observes.
 */
export function aboutPage({ operator, contact, helo, limits }: PagesSettings): Markup {
  return markup`<div class="text">
    <h1>About this service</h1>
    <p class="lead">This page runs Hermetic, a free program that examines how mail travels between servers.</p>
    <p>${operator === undefined ? 'The operator of this page has not given a name.' : `${operator} operates it.`}
      ${contact !== undefined && markup`Write to <a href="mailto:${contact}">${contact}</a>.`}</p>
    <h2>If your mail server saw us</h2>
    <p>A visitor asked this page about a domain, and the MX record of that domain leads to your server.</p>
    <ul>
      <li>We greet with the name ${helo === undefined ? 'hermetic.invalid' : markup`<b>${helo}</b>`}, start TLS, and disconnect.</li>
      <li>We never send MAIL, RCPT or DATA, and we try no password.</li>
      <li>One connection is open at a time. One visit takes at most 14 connections.</li>
      <li>We open at most ${limits.perServer} connections to one address in a day, for all visitors together.</li>
      <li>We stop after a reply such as 421 or 450.</li>
    </ul>
    <p><a href="/opt-out">Opt out</a> if you do not want this.</p>
    <h2>The meaning of a result</h2>
    <p>A result shows one moment, seen from one network. “Could not tell” means that the check could not observe a fact.
      Such a fact never counts as good or bad.</p>
    <p>The evidence of a result can be downloaded and graded again with <code>hermetic grade</code>.</p>
  </div>`;
}

/** Returns the page that describes how the operator of a mail server opts out. */
export function optOutPage({ contact }: PagesSettings): Markup {
  return markup`<div class="text">
    <h1>Opt out</h1>
    <p class="lead">Publish one TXT record, and this service no longer contacts your mail server.</p>
    <p>Publish the record at the name of the mail host, not at the domains that use it. A record at a parent
      domain covers all hosts below it. The nearest record decides.</p>
    ${codeBox('_hermetic.mx.example.com. 3600 IN TXT "v=hermetic1; check=no"', 'TXT record')}
    <p>Visitors then see that the operator of the host refused the check. The record takes effect within an hour.</p>
    <p>${
      contact === undefined
        ? 'If you cannot publish a record, block the addresses of this service.'
        : markup`If you cannot publish a record, write to <a href="mailto:${contact}">${contact}</a>. We then add your hosts to a list.`
    }</p>
  </div>`;
}

/** Returns the page that lists the saved data and the time until their deletion. */
export function privacyPage({ keepDays, signIn }: PagesSettings): Markup {
  return markup`<div class="text">
    <h1>Privacy</h1>
    <p class="lead">This service needs no account, sets no cookie, and loads nothing from other sites.</p>
    <h2>Saved data</h2>
    <ul>
      <li>For each check: the domain, the time, and the observed data. They are deleted after ${keepDays} days.</li>
      <li>The network of the visitor (IPv4 /24 or IPv6 /48), to stop abuse. It is deleted after 14 days.</li>
      ${signIn && markup`<li>For each sign-in of an operator: the account, the network, the browser and the time. One cookie holds the session. The audit log keeps changes for 400 days.</li>`}
    </ul>
    <h2>Published data</h2>
    <p>No page lists results. A result has a random address, and only people with that address can read it.
      The page asks search engines not to index it.</p>
    <p>All examined data are public: DNS records, policies, and the answers of mail servers to any client.</p>
    <p>Another visitor who checks the same domain within minutes receives the same result.</p>
  </div>`;
}

const check = { path: '/', name: 'Check a domain' };
/** The link back to a page that every account can open. */
export const ownDomains = { path: '/o', name: 'Your domains' };

/** Returns an error page, with a link to another page. */
export function problemPage(
  title: string,
  { message, fix }: { readonly message: string; readonly fix: string },
  back = check,
): Markup {
  return markup`<div class="text">
    <h1>${title}</h1>
    <p class="lead">${message}</p>
    <p>${fix}</p>
    <p><a href="${back.path}">${back.name}</a></p>
  </div>`;
}
