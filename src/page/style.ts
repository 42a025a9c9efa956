/**
 * The style of every page. No font, picture or script is loaded. One accent colour; the
 * four tones have a contrast of at least 4.5 to 1 on their own ground and on the card.
 */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #1c2430; --soft: #4d5866; --line: #e3e0d8; --accent: #27527a; --code: #f3f1ea;
  --good: #1b6340; --good-bg: #e2f1e7; --fair: #7a4b00; --fair-bg: #fbeed0; --bad: #9c1f1f; --bad-bg: #fbe3e0; --quiet: #46515f; --quiet-bg: #eceef0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #12161c; --card: #191f27; --ink: #e6e8ea; --soft: #a9b3bf; --line: #2c3540; --accent: #8fbbe6; --code: #11161c;
    --good: #8fd6ab; --good-bg: #143423; --fair: #efc678; --fair-bg: #3a2b0c; --bad: #ffaaa1; --bad-bg: #43191a; --quiet: #b4bfcb; --quiet-bg: #252d37;
  }
}
* { box-sizing: border-box; }
html { font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere; }
main, .top, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
.top { display: flex; justify-content: space-between; gap: 1rem; padding-top: 1.75rem; color: var(--soft); font-size: .875rem; }
.top strong { color: var(--ink); letter-spacing: .02em; }
footer { padding-top: 2rem; padding-bottom: 3.5rem; color: var(--soft); font-size: .875rem; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 3rem 0 1rem; letter-spacing: -.005em; }
h3 { font-size: 1.05rem; }
h4 { font-size: .9rem; margin: 1.25rem 0 .4rem; } .host-head h4 { margin: 0; font-size: 1rem; }
p { margin: .4rem 0; }
ul, ol { margin: 0; padding: 0; list-style: none; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .86em; }
.hero { padding: 2.5rem 0 .25rem; }
.hero-line { display: flex; flex-wrap: wrap; align-items: center; gap: .6rem 1rem; }
.lead, .more { text-wrap: pretty; }
.lead { font-size: 1.2rem; max-width: 46rem; margin: 1rem 0 0; }
.more { max-width: 46rem; margin: .6rem 0 0; color: var(--soft); }
.meta, .soft { color: var(--soft); font-size: .875rem; }
.badge { display: inline-block; max-width: 100%; padding: .12rem .6rem; border-radius: 1rem; font-size: .82rem; font-weight: 650; }
.hero .badge { font-size: .95rem; padding: .25rem .9rem; letter-spacing: .03em; }
.good { color: var(--good); background: var(--good-bg); } .fair { color: var(--fair); background: var(--fair-bg); }
.bad { color: var(--bad); background: var(--bad-bg); } .quiet { color: var(--quiet); background: var(--quiet-bg); }
.mark { display: inline-grid; place-items: center; width: 1.5rem; height: 1.5rem; border-radius: 50%; font-size: .85rem; font-weight: 700; line-height: 1; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.4rem; margin: 0 0 1rem; }
.hero + .card { margin-top: 1.75rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .93rem; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-size: .82rem; padding: 0 .5rem .5rem; vertical-align: bottom; }
tbody th, tbody td { padding: .5rem; border-top: 1px solid var(--line); vertical-align: top; }
.scorecard { padding: .5rem 1.4rem; }
.scores tbody tr:first-child > * { border-top: 0; }
.scores tbody th, .scores tbody td { padding: .6rem .5rem; vertical-align: middle; }
.scores .sign { width: 2.5rem; padding-left: 0; } .scores th { width: 9rem; }
.scores .note { color: var(--soft); font-size: .82rem; text-align: right; white-space: nowrap; padding-right: 0; }
.exposure { table-layout: fixed; border-spacing: 4px; margin: 0 -4px; width: calc(100% + 8px); }
.exposure thead th:first-child { width: 35%; }
.exposure tbody th { border: 0; padding: .5rem .5rem .5rem 4px; font-weight: 500; line-height: 1.35; vertical-align: middle; }
.exposure td { border: 0; padding: 0; vertical-align: middle; }
.exposure .cell { display: block; border-radius: 7px; padding: .5rem .6rem; font-weight: 600; font-size: .86rem; }
.exposure .group th { padding-top: 1rem; color: var(--soft); font-size: .82rem; font-weight: 600; }
.card .exposure { font-size: .85rem; }
.legend { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 2.5rem; margin-bottom: 1.5rem; font-size: .875rem; color: var(--soft); }
.legend h3 { font-size: .82rem; color: var(--soft); font-weight: 600; margin-bottom: .5rem; }
.legend dl { grid-template-columns: 7rem 1fr; } .legend div + div dl { grid-template-columns: 10.5rem 1fr; }
.legend dl { gap: .4rem .75rem; font-size: .875rem; margin: 0; }
.legend dt { color: var(--ink); font-weight: 600; } .legend dd { color: var(--soft); }
.legend p { margin: .6rem 0 0; }
.data tbody th { font-weight: 600; } .data td { white-space: nowrap; }
.overview .data thead th { padding-left: .4rem; padding-right: .4rem; font-size: .72rem; white-space: nowrap; overflow-wrap: normal; }
.overview .data tbody td { padding-left: .4rem; padding-right: .4rem; }
.overview .data th:first-child { padding-left: 0; width: 40%; }
.overview .data td { vertical-align: middle; font-size: .82rem; text-align: center; } .overview .data thead th:nth-child(n+3) { text-align: center; }
.overview .data td:nth-child(2) { text-align: left; }
.overview .data tbody tr:last-child > * { padding-bottom: 0; }
.overview .badge { font-size: .74rem; }
.says { display: block; font-weight: 400; font-size: .82rem; color: var(--soft); line-height: 1.4; margin-top: .15rem; }
.signs { display: flex; flex-wrap: wrap; gap: .35rem .5rem; align-items: center; } .signs .mark:not(:first-child) { margin-left: .75rem; }
dl { margin: .4rem 0; display: grid; grid-template-columns: max-content 1fr; gap: .35rem 1.5rem; font-size: .93rem; }
.card > dl { margin: 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.chips { display: flex; flex-wrap: wrap; gap: .35rem; margin: .3rem 0; }
.records { margin: .3rem 0; } .records li { margin: .25rem 0; }
.host-head { display: flex; flex-wrap: wrap; gap: .4rem .8rem; align-items: center; margin-bottom: .3rem; }
.address { border-top: 1px solid var(--line); margin-top: 1.1rem; padding-top: 1rem; }
.suites { columns: 2; column-gap: 2rem; }
.suites li { break-inside: avoid; padding: .08rem 0; } .suites .badge { font-size: .7rem; padding: 0 .45rem; }
.fix { counter-reset: fix; }
.fix > li { counter-increment: fix; }
.fix h3::before { content: counter(fix) ". "; color: var(--soft); }
.fix-head { display: flex; gap: .75rem; align-items: baseline; justify-content: space-between; }
.fix .reason { border-left: 3px solid var(--line); padding-left: .75rem; color: var(--soft); font-size: .93rem; }
.fix .do { font-weight: 600; margin-top: .7rem; }
.steps { margin: .9rem 0 1rem; counter-reset: step; }
.steps > li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .25rem .75rem; padding: .35rem 0; }
.steps > li > div { min-width: 0; } .steps p { margin: 0; }
.steps .kind { color: var(--soft); font-size: .82rem; padding-top: .15rem; }
.code { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .6rem .8rem; margin: .4rem 0 .2rem; overflow-x: auto; white-space: pre; font-size: .93rem; line-height: 1.5; -webkit-user-select: all; user-select: all; }
.passed { columns: 2; column-gap: 2.5rem; } .passed .group { break-inside: avoid; margin-bottom: 1rem; }
.passed h3 { font-size: .875rem; margin-bottom: .2rem; } .passed li { font-size: .875rem; padding: .1rem 0; }
.passed li::before { content: "✓ "; color: var(--good); font-weight: 700; }
.passed .soft { font-size: .76rem; white-space: nowrap; }
.notes { padding-left: 1.1rem; list-style: disc; } .notes li { margin: .25rem 0; }
.about .card { font-size: .93rem; }
.domain + .domain { border-top: 2px solid var(--line); margin-top: 4rem; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
@media (max-width: 44rem) {
  h2 { margin-top: 2.4rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .hero { padding-top: 1.75rem; } .lead { font-size: 1.08rem; }
  .card { padding: 1rem 1.1rem; }
  .legend { grid-template-columns: 1fr; } .legend dd { margin: 0; } .legend div + div dl { grid-template-columns: 1fr; gap: 0; } .legend div + div dd { margin-bottom: .5rem; }
  .overview .data td { text-align: left; padding-left: 0; padding-right: 0; } .overview .data th:first-child { width: auto; }
  .suites, .passed { columns: 1; }
  .exposure, .exposure tbody, .data, .data tbody, .scores, .scores tbody { display: block; }
  .exposure thead, .data thead { position: absolute; left: -999rem; }
  .exposure { border-spacing: 0; margin: 0; width: 100%; }
  .exposure tr { display: block; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .8rem 1rem; margin-bottom: .75rem; }
  .exposure .group { background: none; border: 0; padding: .25rem 0 0; margin-bottom: .35rem; }
  .card .exposure tr { padding: .6rem .8rem; }
  .exposure tbody th { display: block; padding: 0 0 .35rem; font-weight: 600; }
  .exposure .group th { padding: 0; }
  .exposure td, .data td { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .15rem 0; font-size: .875rem; }
  .exposure td::before, .data td::before { content: attr(data-column); color: var(--soft); }
  .exposure .cell { padding: .15rem .6rem; border-radius: 1rem; font-size: .82rem; }
  .data tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1.5rem; border-top: 1px solid var(--line); padding: .8rem 0; }
  .data tr:first-child { border-top: 0; padding-top: 0; } .data tr:last-child { padding-bottom: 0; }
  .data tbody th, .data tbody td { border: 0; padding: .15rem 0; } .data tbody th { grid-column: 1 / -1; padding-bottom: .4rem; }
  .scorecard { padding: .4rem 1.1rem; }
  .scores tr { display: grid; grid-template-columns: 2.1rem 1fr auto; align-items: center; border-top: 1px solid var(--line); padding: .55rem 0; }
  .scores tr:first-child { border-top: 0; }
  .scores tbody th, .scores tbody td { border: 0; padding: 0; width: auto; }
  .scores .sign { width: auto; }
  .scores .value { grid-column: 2 / -1; font-size: .9rem; color: var(--soft); grid-row: 2; }
  .scores .note { grid-row: 1; grid-column: 3; font-size: .76rem; }
  .steps > li { grid-template-columns: 1fr; gap: 0; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #bbb; --accent: #000; --code: #f4f4f4;
    --good: #0d4a2b; --good-bg: #e6f3ea; --fair: #5c3900; --fair-bg: #fbf0d8; --bad: #7d1414; --bad-bg: #fae5e2; --quiet: #333; --quiet-bg: #eee;
  }
  html { font-size: 10pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .hero { padding-top: 1rem; } h2 { margin-top: 1.6rem; }
  .exposure .cell { font-size: .72rem; padding: .35rem .4rem; } .suites { columns: 1; }
  .code { white-space: pre-wrap; }
  .card, .fix > li, tr, .steps > li, .group { break-inside: avoid; }
  .hosts .card, .passed { break-inside: auto; } h2, h3, h4 { break-after: avoid; }
  .domain + .domain { break-before: page; border: 0; margin: 0; }
  .skip { display: none; } a { color: inherit; text-decoration: none; }
  @page { margin: 16mm 14mm; }
}
`;
