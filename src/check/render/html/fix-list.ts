import type { CheckResult, Finding, FixStep } from '../../../evidence/index.js';
import { ownerNames, severityTones, stepNames } from '../words.js';
import { lines, markup, type Markup } from './markup.js';

/**
 * What to fix, the most worth first, each with its steps in the order that never holds
 * mail back.
 */
export function fixList({ findings }: CheckResult): Markup {
  const wanted = findings.filter((f) => f.severity === 'fail' || f.severity === 'warn');
  if (wanted.length === 0)
    return markup`<section>
      <h2>What to fix</h2>
      <p>Nothing that this profile asks for.</p>
    </section>`;
  return markup`<section>
    <h2>What to fix, the most worth first</h2>
    <ol class="fix">
      ${wanted.map(item)}
    </ol>
  </section>`;
}

function item(finding: Finding): Markup {
  const { severity, subject, title, why, reason, fix, steps, owner, reference, id } = finding;
  return markup`<li class="card">
    <div class="fix-head">
      <h3>${title}</h3>
      <span class="badge ${severityTones[severity]}">${severity}</span>
    </div>
    <p class="meta">${subject}; by ${ownerNames[owner]}; ${reference}; <code>${id}</code></p>
    ${reason !== undefined && markup`<p><code>${reason}</code></p>`}
    <p>${why}</p>
    <p><b>${fix}</b></p>
    ${
      steps.length > 0 &&
      markup`<ol class="steps">
        ${steps.map(step)}
      </ol>`
    }
  </li> `;
}

function step({ kind, text }: FixStep): Markup {
  const plain = kind === 'wait' || (kind === 'confirm' && !text.startsWith('hermetic '));
  return markup`<li><span class="kind">${stepNames[kind]}</span><span class="text ${plain ? 'plain' : 'mono'}">${lines(text)}</span></li> `;
}
