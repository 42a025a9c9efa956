import { pageStyle } from '../../page/index.js';

/** The style rules of the site, in addition to the rules of reports. */
const siteRules = `
.top > div { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: .5rem 2rem; width: 100%; }
.brand { color: var(--ink); font-weight: 700; font-size: 1.0625rem; letter-spacing: .02em; text-decoration: none; padding: .25rem 0; }
.top nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.5rem; }
.top nav a { color: var(--soft); text-decoration: none; font-size: var(--text); display: inline-block; padding: .25rem 0; border-bottom: 2px solid transparent; }
.top nav a:hover { color: var(--ink); } .top nav a[aria-current] { color: var(--ink); border-color: var(--accent); }
.fine { border-top: 1px solid var(--line); padding-top: 1.25rem; margin-top: 3rem; } .fine a { margin-left: 1rem; }
.ask { padding: 3.5rem 0 1rem; max-width: 46rem; }
.ask h1 { font-size: clamp(1.9rem, 6vw, 2.9rem); }
.field { margin-top: 2rem; max-width: 34rem; }
.field label { display: block; font-weight: 600; margin: 1rem 0 .375rem; } h2 + .field { margin-top: 0; }
.line { display: flex; gap: .6rem; }
input, select, button { font: inherit; color: inherit; border-radius: 10px; min-height: 2.9rem; }
input, select { background: var(--card); border: 1px solid var(--soft); padding: 0 .9rem; width: 100%; min-width: 0; }
select { width: auto; max-width: 100%; }
button { background: var(--accent); color: var(--paper); border: 1px solid var(--accent); padding: 0 1.4rem; font-weight: 600; cursor: pointer; white-space: nowrap; }
button:hover { filter: brightness(1.12); }
button.plain { background: none; color: var(--accent); border-color: var(--line); padding: 0 .9rem; min-height: 2.2rem; white-space: normal; font-size: var(--text); }
button.link { background: none; border: 0; color: var(--accent); padding: .15rem 0; min-height: 1.7rem; font-weight: 600; text-decoration: underline; text-underline-offset: .15em; white-space: normal; text-align: left; }
button.copy { position: absolute; top: .375rem; right: .375rem; min-height: 0; padding: .0625rem .625rem; border-radius: 6px; background: var(--card); color: var(--accent); border-color: var(--line); font-size: var(--small); }
.paste .code { white-space: pre-wrap; overflow-wrap: anywhere; } .paste:has(.copy) .code { padding-right: 5rem; }
input[type=checkbox] { flex: none; width: 1.25rem; min-height: 1.25rem; height: 1.25rem; margin: 0; accent-color: var(--accent); }
fieldset { border: 0; padding: 0; margin: 1.25rem 0 0; min-width: 0; } legend { padding: 0; font-weight: 600; }
.field fieldset label { display: grid; grid-template-columns: 1.25rem 8rem 1fr; gap: 0 .75rem; align-items: center; min-height: 2rem; margin: .25rem 0; font-weight: 400; } fieldset label span { color: var(--soft); font-size: var(--text); }
.field > p > button { margin-top: .5rem; } .parts .data :is(th, td):first-child { width: 10rem; }
.plan > h3 { margin: 1.5rem 0 .5rem; } .plan > ol { list-style: decimal; padding-left: 1.3rem; } .plan > ol > li { margin: .5rem 0 1rem; } time { white-space: nowrap; }
.change { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .625rem .875rem; margin: .375rem 0 .25rem; overflow-x: auto; font-size: var(--small); line-height: 1.5; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.change > * { display: block; width: max-content; min-width: 100%; text-decoration: none; color: var(--soft); } .change ins { color: var(--good); } .change del { color: var(--bad); }
input:focus-visible, select:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hint { color: var(--soft); font-size: var(--small); margin: .6rem 0 0; }
.problem { border-left: 3px solid var(--bad); padding: .2rem 0 .2rem .9rem; margin: 0 0 1rem; } .problem b { color: var(--bad); }
.three { display: grid; grid-template-columns: repeat(3, 1fr); gap: 2rem; margin-top: 3rem; }
.three h2 { font-size: 1rem; margin: 0 0 .4rem; } .three p { color: var(--soft); font-size: var(--text); margin: 0; }
.tools { display: flex; flex-wrap: wrap; align-items: center; gap: .4rem 1.25rem; padding-top: 1.5rem; color: var(--soft); font-size: var(--small); }
.tools form { display: inline; } .tools button { min-height: 1.6rem; }
* + .domain { border: 0; margin: 0; } .tools + .domain .hero { padding-top: 1.5rem; }
.lined { border-top: 1px solid var(--line); } .lined > * { border-bottom: 1px solid var(--line); }
.try li { display: grid; grid-template-columns: 15rem 1fr; gap: .2rem 1.5rem; padding: .45rem 0; align-items: baseline; } .try li span { color: var(--soft); font-size: var(--text); }
.text { max-width: 42rem; } .text h1 { padding-top: 2.5rem; } .text h2 { margin-top: 2.2rem; } .text li { margin: .3rem 0; } .text ul { list-style: disc; padding-left: 1.2rem; }
.waits .mark { animation: waits 1.6s ease-in-out infinite; }
@keyframes waits { 50% { opacity: .35; } }
@media (prefers-reduced-motion: reduce) { .waits .mark { animation: none; } }
.progress { margin-top: 1.75rem; } .progress .scores th { width: 16rem; font-weight: 500; }
.progress .inner th { padding-left: 1.5rem; font-weight: 400; }
.chart { width: 100%; height: auto; display: block; margin: .5rem 0; overflow: visible; }
.chart .ok { fill: var(--good); opacity: .38; } .chart .failed { fill: var(--bad); } .chart .axis { stroke: var(--line); } .chart text { fill: var(--soft); font-size: 11px; font-family: inherit; }
.chart .sign, .bar .sign { fill: var(--accent); } .chart .none, .bar .none { fill: var(--line); }
.bars { display: grid; gap: .875rem; margin: 1.75rem 0 1rem; font-size: var(--text); } .bar { display: block; width: 100%; height: .75rem; margin-top: .25rem; border-radius: 3px; }
.statistics h1 { padding-top: 2.5rem; } .statistics > p { max-width: 46rem; }
.choices { display: flex; flex-wrap: wrap; gap: .75rem; margin: .75rem 0 0; } .choices p { flex: 1 0 100%; margin: 0; }
section > .paste + h3, .progress h3, section > p + h3 { margin: 1.5rem 0 .5rem; } .progress > ul { list-style: disc; padding-left: 1.2rem; }
details { margin: .5rem 0; }
.tabs { display: flex; flex-wrap: wrap; gap: .25rem 1.4rem; border-bottom: 1px solid var(--line); margin-top: 1.5rem; }
.tabs a { text-decoration: none; color: var(--soft); padding: .5rem 0; border-bottom: 2px solid transparent; margin-bottom: -1px; } .tabs a[aria-current] { color: var(--ink); border-color: var(--accent); font-weight: 600; }
.calm { font-size: var(--large); margin: 1.5rem 0 0; }
.facts { display: flex; flex-wrap: wrap; gap: 1rem 3rem; margin: 1.5rem 0 0; } .facts div { display: flex; flex-direction: column-reverse; }
.facts dt { font-size: var(--small); } .facts dd { font-size: 1.5rem; font-weight: 650; letter-spacing: -.01em; } dl.facts { grid-template-columns: none; }
.wide { margin-top: 1.5rem; overflow-x: auto; } h2 + .wide { margin-top: 0; } figure { margin: 0; } .data + .data { margin-top: 1.25rem; } .lead + .paste { margin: 1.25rem 0; }
.more + .field { margin-top: 1.25rem; }
.wide .data td, .wide .data th { white-space: normal; }
.number { font-variant-numeric: tabular-nums; }
.group-of { border-top: 1px solid var(--line); padding: 1.4rem 0; } .group-of h3 { margin-bottom: .3rem; } .group-of ol { list-style: decimal; padding-left: 1.2rem; } .group-of ol li { margin: .35rem 0; } .group-of .fix-head h3 { max-width: 46rem; text-wrap: pretty; }
@media screen and (max-width: 46rem) {
  .chart text { font-size: 18px; } .wide .data tr { grid-template-columns: 1fr; }
  .wide .data tr:first-child { padding-top: .8rem; }
  .top nav ul { gap: .25rem 1rem; } .group-of .fix-head { flex-direction: column-reverse; align-items: flex-start; gap: .5rem; }
  .ask { padding-top: 2rem; } .three { grid-template-columns: 1fr; gap: 1.25rem; margin-top: 2rem; }
  .field fieldset label { grid-template-columns: 1.25rem 1fr; } fieldset label span { grid-column: 2; } .parts .data :is(th, td):first-child { width: auto; }
  .try li { grid-template-columns: 1fr; gap: 0; } .fine a { margin-left: 0; margin-right: 1rem; }
  .progress .scores th { width: auto; } .progress .inner th { padding-left: 0; }
}
@media screen and (max-width: 30rem) { .chart text { font-size: 32px; } .tabs { gap: 0 1.25rem; } .tabs a { padding: .375rem 0; } }
@media (max-width: 24rem) { .line { flex-direction: column; } }
@media print { nav, .tabs, .tools, .share, .copy, .fine a { display: none; } }
`;

/** The style sheet of the site. */
export const siteStyle = `${pageStyle}${siteRules}`;
