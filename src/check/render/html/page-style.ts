/** The whole style of a report: no font, picture or script comes from anywhere. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1c2430; --soft: #4d5866; --line: #dcdad2; --accent: #27527a; --code: #f1efe8;
  --good: #1b6340; --good-bg: #e2f1e7; --fair: #7a4b00; --fair-bg: #fbeed0; --bad: #9c1f1f; --bad-bg: #fbe3e0; --quiet: #46515f; --quiet-bg: #e9ecef;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #191f27; --ink: #e6e8ea; --soft: #a9b3bf; --line: #303a46; --accent: #8fbbe6; --code: #11161c;
    --good: #8fd6ab; --good-bg: #143423; --fair: #efc678; --fair-bg: #3a2b0c; --bad: #ffaaa1; --bad-bg: #43191a; --quiet: #b4bfcb; --quiet-bg: #27303a;
  }
}
* { box-sizing: border-box; }
html { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
main, .top, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
.top { display: flex; justify-content: space-between; gap: 1rem; padding-top: 1.5rem; color: var(--soft); font-size: .875rem; }
.top strong { color: var(--ink); letter-spacing: .02em; }
footer { padding-top: 1.5rem; padding-bottom: 3rem; color: var(--soft); font-size: .875rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 .9rem; }
h3 { font-size: 1.05rem; }
h4 { font-size: .9rem; margin: 1.25rem 0 .4rem; } .host-head h4 { margin: 0; font-size: 1rem; }
p { margin: .4rem 0; }
a { color: var(--accent); }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .86em; }
.hero { padding: 2.25rem 0 .25rem; } .hero + .card { margin-top: 1.25rem; }
.hero-line { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.lead { font-size: 1.2rem; max-width: 46rem; margin: .9rem 0 0; }
.meta, .soft { color: var(--soft); font-size: .875rem; }
.badge { display: inline-block; max-width: 100%; padding: .12rem .6rem; border-radius: 1rem; font-size: .82rem; font-weight: 650; }
.hero .badge { font-size: 1rem; padding: .2rem .9rem; }
.good { color: var(--good); background: var(--good-bg); } .fair { color: var(--fair); background: var(--fair-bg); }
.bad { color: var(--bad); background: var(--bad-bg); } .quiet { color: var(--quiet); background: var(--quiet-bg); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .93rem; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-size: .82rem; padding: 0 .5rem .35rem; vertical-align: bottom; }
tbody th, tbody td { padding: .35rem .5rem; border-top: 1px solid var(--line); vertical-align: top; }
.exposure { border-spacing: 3px; margin: 0 -3px; width: calc(100% + 6px); } .card .exposure { font-size: .85rem; }
.exposure td { border: 0; border-radius: 6px; padding: .45rem .5rem; font-weight: 600; font-size: .86rem; white-space: nowrap; }
.overview tbody th { min-width: 12rem; } .exposure th:first-child { padding-left: 3px; } .overview th:first-child { padding-left: 0; }
.exposure { table-layout: fixed; } .exposure th:first-child { width: 27%; }
.exposure tbody th { border: 0; padding: .45rem .5rem .45rem 3px; font-weight: 500; }
dl { margin: .4rem 0; display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; font-size: .93rem; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.legend { columns: 2; column-gap: 2.5rem; font-size: .875rem; color: var(--soft); margin-top: .9rem; }
.legend p { margin: 0 0 .3rem; break-inside: avoid; }
.legend b { color: var(--ink); font-weight: 600; }
.chips { display: flex; flex-wrap: wrap; gap: .35rem; padding: 0; margin: .3rem 0; list-style: none; }
.records { margin: .3rem 0; padding: 0; list-style: none; } .records li { margin: .25rem 0; }
.host-head { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin-bottom: .3rem; }
.address { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: .9rem; }
.suites { margin: 0; padding: 0; list-style: none; columns: 2; column-gap: 2rem; }
.suites li { break-inside: avoid; padding: .05rem 0; }
.fix { counter-reset: fix; list-style: none; margin: 0; padding: 0; }
.fix > li { counter-increment: fix; }
.fix h3::before { content: counter(fix) ". "; color: var(--soft); }
.fix-head { display: flex; gap: .75rem; align-items: baseline; justify-content: space-between; }
.steps { margin: .8rem 0 0; padding: 0; list-style: none; display: grid; gap: .45rem; }
.steps li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .75rem; align-items: baseline; }
.steps .kind { color: var(--soft); font-size: .82rem; }
.steps .text { background: var(--code); border-radius: 6px; padding: .4rem .6rem; white-space: pre-wrap; min-width: 0; }
.steps .plain { background: none; padding: .4rem 0; }
.notes { margin: 0; padding-left: 1.1rem; } .notes li { margin: .2rem 0; }
.domain + .domain { border-top: 2px solid var(--line); margin-top: 3.5rem; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
@media (max-width: 44rem) {
  .legend, .suites { columns: 1; }
  .exposure, .exposure thead, .exposure tbody { display: block; }
  .exposure tr { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); gap: 3px; margin-bottom: .55rem; }
  .exposure thead tr { position: sticky; top: 0; background: var(--paper); padding: .3rem 0; margin: 0; }
  .card .exposure thead tr { background: var(--card); }
  .exposure thead th:first-child { display: none; }
  .exposure thead th { padding: 0 .2rem; font-size: .72rem; }
  .exposure tbody th:first-child { width: auto; }
  .exposure tbody th { grid-column: 1 / -1; padding: .2rem 0 0; }
  .exposure td { padding: .35rem .1rem; font-size: .68rem; white-space: normal; text-align: center; letter-spacing: -.01em; }
  .overview, .overview tbody { display: block; } .overview thead { position: absolute; left: -999rem; }
  .overview tr { display: grid; grid-template-columns: 1fr max-content; border-top: 1px solid var(--line); padding: .5rem 0; }
  .overview tbody th, .overview tbody td { border: 0; padding: .1rem 0; } .overview .says { grid-column: 1 / -1; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .45rem; }
  .steps li { grid-template-columns: 1fr; gap: .1rem; }
  .card { padding: .9rem 1rem; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #bbb; --accent: #000; --code: #f4f4f4;
    --good: #0d4a2b; --good-bg: #e6f3ea; --fair: #5c3900; --fair-bg: #fbf0d8; --bad: #7d1414; --bad-bg: #fae5e2; --quiet: #333; --quiet-bg: #eee;
  }
  html { font-size: 10.5pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .exposure td { font-size: .7rem; padding: .35rem .3rem; } .suites { columns: 1; }
  .card, .fix > li, tr, .steps li { break-inside: avoid; }
  .hosts .card { break-inside: auto; } h2, h3, h4 { break-after: avoid; }
  .domain + .domain { break-before: page; border: 0; margin: 0; }
  .skip { display: none; } a { color: inherit; text-decoration: none; }
  @page { margin: 16mm 14mm; }
}
`;
