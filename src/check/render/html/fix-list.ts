import type { CheckResult, Finding, FixStep } from '../../../evidence/index.js';
import { badge, codeBox, markup, type Markup } from '../../../page/index.js';
import { ownerNames, severityTones, stepNames } from '../words.js';

/**
 * Returns the findings to fix, the most important first, each with its steps in an order
 * that never defers mail.
 */
export function fixList({ findings, verdict }: CheckResult): Markup | false {
  const wanted = findings.filter(
    (finding) => finding.severity === 'fail' || finding.severity === 'warn',
  );
  if (wanted.length === 0)
    return (
      verdict === 'pass' &&
      markup`<section>
        <h2>What to fix</h2>
        <p>Nothing. Every test of this profile passed.</p>
      </section>`
    );
  return markup`<section>
    <h2>What to fix, most important first</h2>
    <ol class="fix">
      ${wanted.map(item)}
    </ol>
  </section>`;
}

/** Returns one finding with its consequence, its reason and its steps. */
function item(finding: Finding): Markup {
  const { severity, subject, title, why, reason, fix, steps, owner, reference, id } = finding;
  return markup`<li class="card">
    <div class="fix-head">
      <h3>${title}</h3>
      ${badge(severity.toUpperCase(), severityTones[severity])}
    </div>
    <p class="meta">${subject}</p>
    <p>${why}</p>
    ${reason !== undefined && markup`<p class="reason">${reason}</p>`}
    <p class="do">${fix}</p>
    ${steps.length > 0 && markup`<ol class="steps">${steps.map(step)}</ol>`}
    <p class="meta">To be fixed by ${ownerNames[owner]} · ${reference} · <code>${id}</code></p>
  </li> `;
}

/** Returns one step; text to be pasted is in a separate box. */
function step({ kind, text, instruction = text, code }: FixStep): Markup {
  return markup`<li>
    <span class="kind">${stepNames[kind]}</span>
    <div><p>${instruction}</p>${code !== undefined && codeBox(code, stepNames[kind])}</div>
  </li> `;
}
