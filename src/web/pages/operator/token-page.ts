import { scopes, scopeTexts } from '../../roles.js';
import type { ApiToken } from '../../access/token-table.js';
import { codeBox, dataTable, markup, type Markup } from '../../../page/index.js';
import { actionButton, problemLine } from './account-pages.js';
import { minuteOfTime, operatorPage } from './operator-layout.js';

/** The data of the page of API tokens. */
export interface TokensView {
  readonly tokens: readonly ApiToken[];
  readonly formToken: string;
  /** The secret of a token that this request has created. */
  readonly secret?: string | undefined;
  readonly problem?: string | undefined;
}

/** Returns the page of API tokens, with the form to create a token. */
export function tokensPage({ tokens, formToken, secret, problem }: TokensView): readonly Markup[] {
  const lead =
    'Programs send a token in the field Authorization: Bearer. A token never has more rights than its account.';
  return operatorPage({ title: 'Tokens', lead }, [
    secret !== undefined &&
      markup`<section><h2>The new token</h2>
        <p>Copy the token now. Hermetic does not store it, and no page shows it again.</p>
        ${codeBox(secret, 'Token')}</section>`,
    tokens.length > 0 &&
      markup`<section class="wide">${dataTable(
        'Tokens, newest first',
        [
          { name: 'Purpose', cell: ({ label }: ApiToken) => label },
          { name: 'Account', cell: ({ owner }) => owner },
          { name: 'Scopes', cell: (token) => token.scopes.join(', ') },
          { name: 'Ends', cell: ({ endsAt }) => minuteOfTime(endsAt) },
          {
            name: 'Last use',
            cell: ({ usedAt }) => (usedAt === undefined ? 'never' : minuteOfTime(usedAt)),
          },
          {
            name: 'Revoke',
            cell: ({ id }) => actionButton(`/o/tokens/${id}/revoke`, formToken, 'Revoke'),
          },
        ],
        tokens,
      )}</section>`,
    markup`<section><h2>Create a token</h2>${problemLine(problem)}
      <form class="field" method="post" action="/o/tokens">
        <input type="hidden" name="token" value="${formToken}" />
        <label for="label">Purpose</label>
        <input id="label" name="label" required maxlength="100" autocomplete="off" />
        <fieldset><legend>Scopes</legend>${scopes.map(
          (scope) =>
            markup`<label><input type="checkbox" name="scope-${scope}" /> <code>${scope}</code> <span>${scopeTexts[scope]}</span></label> `,
        )}</fieldset>
        <label for="days">Days until the token expires</label>
        <input id="days" name="days" type="number" min="1" max="365" value="90" required />
        <p><button>Create</button></p>
      </form></section>`,
  ]);
}
