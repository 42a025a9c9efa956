import { markup, type Markup } from '../../page/index.js';
import { sentenceOf } from '../failures.js';
import { nextStep } from './home-page.js';

/** The state of the sign-in page. */
export interface SignInView {
  /** The name that was typed. */
  readonly name?: string | undefined;
  /** The path of the page to show after the sign-in. */
  readonly next: string;
  /** The code of the refusal. */
  readonly problem?: string | undefined;
  readonly retrySeconds?: number | undefined;
  /** Whether accounts can also sign in through an OpenID provider. */
  readonly hasProvider: boolean;
}

/** Returns the sign-in page. A refusal does not reveal whether the name exists. */
export function signInPage({
  name = '',
  next,
  problem,
  retrySeconds,
  hasProvider,
}: SignInView): Markup {
  const says = problem === undefined ? undefined : sentenceOf(problem);
  return markup`<div class="text">
    <h1>Sign in</h1>
    <p class="lead">For the operators of this service and their customers. A check needs no account.</p>
    ${hasProvider && markup`<p><a href="/sign-in/oidc?next=${encodeURIComponent(next)}">Sign in with your identity provider</a></p>`}
    <form class="field" method="post" action="/sign-in">
      ${says !== undefined && markup`<p class="problem" id="problem" role="alert"><b>${says.message}</b> ${nextStep(says.fix, retrySeconds)}</p>`}
      <input type="hidden" name="next" value="${next}" />
      <label for="name">Name</label>
      <input id="name" name="name" value="${name}" required maxlength="64" autocomplete="username"
        autocapitalize="none" spellcheck="false" />
      <label for="password">Password</label>
      <input id="password" name="password" type="password" required maxlength="256"
        autocomplete="current-password"${says !== undefined && markup` aria-describedby="problem"`} />
      <p><button>Sign in</button></p>
    </form>
  </div>`;
}
