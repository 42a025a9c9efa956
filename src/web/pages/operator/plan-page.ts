import { displayName } from '../../../base/index.js';
import { badge, codeBox, markup, type Markup } from '../../../page/index.js';
import type { ObservedPlan } from '../../operator/plan-reader.js';
import type { ChangedLine, PlannedStep, PlannedSubject } from '../../operator/plan-view.js';
import { domainTabs } from './domain-page.js';
import { minuteOfTime, operatorPage } from './operator-layout.js';

/** The plan of a domain, or the sentence that explains why there is no plan. */
export type PlanView =
  | { readonly plan: ObservedPlan; readonly says?: undefined }
  | { readonly plan?: undefined; readonly says: string };

/**
 * Returns the page with the next steps of publishing, their reasons, and the conditions
 * for which they wait.
 */
export function planPage(domain: string, { plan, says }: PlanView): readonly Markup[] {
  const lead = plan
    ? markup`Observed on ${momentOf(plan.observedAt)}. This page executes nothing.`
    : says;
  return operatorPage({ title: displayName(domain), lead }, [
    domainTabs(domain, '/plan'),
    ...(plan?.subjects ?? []).map(subjectSection),
    plan &&
      markup`<section><h2>The same on the command line</h2>
        <p>The daemon executes the steps in its next round. If the daemon runs no rounds, run
        <code>hermetic publish apply</code>.</p>
        ${codeBox('hermetic publish plan', 'Command')}</section>`,
  ]);
}

function subjectSection(subject: PlannedSubject): Markup {
  const { kind, subject: name, state, steps, waits, proposals, alerts, failures } = subject;
  const isIdle = steps.length + waits.length + proposals.length === 0;
  const word = kind === 'host' ? 'Mail host' : 'Domain';
  return markup`<section class="plan"><h2>${word} ${displayName(name)}</h2>
    <p class="soft">${state}</p>
    ${alerts.map(problem)}
    ${failures.map(failedStep)}
    ${isIdle && markup`<p>Nothing to do.</p>`}
    ${steps.length > 0 && markup`<h3>Steps</h3><ol>${steps.map(stepItem)}</ol>`}
    ${proposals.length > 0 && markup`<h3>Steps that need your confirmation</h3>${proposals.map(proposal)}`}
    ${waits.length > 0 && markup`<h3>Waiting</h3><ul class="notes">${waits.map(wait)}</ul>`}
  </section>`;
}

function problem({ code, subject, says, fix }: PlannedSubject['alerts'][number]): Markup {
  return markup`<article class="group-of">
    <div class="fix-head"><h3>${subject}</h3>${badge('needs you', 'bad')}</div>
    <p>${says} (${code})</p>
    <p>${fix}</p>
  </article>`;
}

function failedStep(failure: PlannedSubject['failures'][number]): Markup {
  const { action, at, code, says, fix, retryAt } = failure;
  const next = retryAt === undefined ? 'with the next round' : `after ${minuteOfTime(retryAt)}`;
  return markup`<article class="group-of">
    <div class="fix-head"><h3>${action}</h3>${badge('failed', 'bad')}</div>
    <p>${says} (${code})</p>
    <p>${fix}</p>
    <p class="soft">Failed on ${momentOf(at)}; the daemon tries again ${next}.</p>
  </article>`;
}

function stepItem({ says, because, clause, changes }: PlannedStep): Markup {
  return markup`<li><b>${capitalised(says)}</b><br />
    Why now: ${because} <span class="soft">(${clause})</span>
    ${changes.some(({ change }) => change !== 'keep') && changeBox(changes, says)}</li> `;
}

function capitalised(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

/** Returns a time in an element in which the style sheet forbids line breaks. */
function momentOf(milliseconds: number): Markup {
  return markup`<time>${minuteOfTime(milliseconds)}</time>`;
}

const signs = { add: '+', remove: '-', keep: ' ' } as const;

/**
 * Returns a box with the changed lines. Each has a sign, because some readers cannot
 * distinguish the colours.
 */
function changeBox(changes: readonly ChangedLine[], label: string): Markup {
  const lines = changes.map(({ change, text }) => {
    const line = `${signs[change]} ${text}`;
    if (change === 'keep') return markup`<span>${line}</span>`;
    return change === 'add' ? markup`<ins>${line}</ins>` : markup`<del>${line}</del>`;
  });
  return markup`<pre class="change" tabindex="0" aria-label="Changes: ${label}">${lines}</pre>`;
}

function proposal({ what, why, command }: PlannedSubject['proposals'][number]): Markup {
  return markup`<p><b>${capitalised(what)}</b><br />Why it needs confirmation: ${why}</p>${codeBox(command, 'Command')}`;
}

function wait({ why, until }: PlannedSubject['waits'][number]): Markup {
  return markup`<li>${why}${until !== undefined && markup`, until ${momentOf(until)}`}</li> `;
}
