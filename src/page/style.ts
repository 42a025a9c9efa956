/**
 * The style of every page. No font, picture or script is loaded. The style has one accent
 * colour. Each of the four tones has a contrast of at least 4.5 to 1 on its own
 * background and on the card. Text has five sizes: `--small`, `--text`, 1rem, `--large`
 * and that of the heading.
 */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --small: .8125rem; --text: .9375rem; --large: 1.1875rem;
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
.top { display: flex; justify-content: space-between; gap: 1rem; padding-top: 1.75rem; color: var(--soft); font-size: var(--small); }
.top strong { color: var(--ink); } .top time { white-space: nowrap; }
footer { padding-top: 2rem; padding-bottom: 3.5rem; color: var(--soft); font-size: var(--small); }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 650; text-wrap: balance; }
h1 { font-size: clamp(1.6rem, 5vw, 2.4rem); letter-spacing: -.015em; }
h2 { font-size: 1.25rem; margin: 3rem 0 1rem; }
h3 { font-size: 1rem; }
h4 { font-size: var(--text); margin: 1.25rem 0 .5rem; } .host-head h4 { margin: 0; font-size: 1rem; }
p { margin: .5rem 0; text-wrap: pretty; }
ul, ol { margin: 0; padding: 0; list-style: none; }
a { color: var(--accent); text-underline-offset: .15em; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
code, .mono { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; font-size: .86em; }
.hero { padding: 2.5rem 0 .25rem; }
.hero-line { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; }
.lead { font-size: var(--large); line-height: 1.45; max-width: 46rem; margin: 1rem 0 0; }
.more { max-width: 46rem; margin: .5rem 0 0; color: var(--soft); }
.meta, .soft { color: var(--soft); font-size: var(--small); }
.badge { display: inline-block; max-width: 100%; padding: .125rem .625rem; border-radius: 1rem; font-size: var(--small); font-weight: 650; overflow-wrap: break-word; }
.hero .badge { font-size: var(--text); padding: .25rem .875rem; letter-spacing: .03em; }
.good { color: var(--good); background: var(--good-bg); } .fair { color: var(--fair); background: var(--fair-bg); }
.bad { color: var(--bad); background: var(--bad-bg); } .quiet { color: var(--quiet); background: var(--quiet-bg); }
.mark { display: inline-grid; place-items: center; flex: none; width: 1.5rem; height: 1.5rem; border-radius: 50%; font-size: var(--small); font-weight: 700; line-height: 1; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.5rem; margin: 0 0 1rem; }
.hero + .card { margin-top: 1.75rem; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: var(--text); }
th { text-align: left; font-weight: 600; }
thead th { color: var(--soft); font-size: var(--small); padding: 0 .5rem .5rem; vertical-align: bottom; }
tbody th, tbody td { padding: .5rem; border-top: 1px solid var(--line); vertical-align: top; }
.scorecard { padding: .5rem 1.5rem; }
.scores tbody tr:first-child > * { border-top: 0; }
.scores tbody th, .scores tbody td { padding: .625rem .5rem; vertical-align: middle; }
.scores .sign { width: 2.5rem; padding-left: 0; } .scores th { width: 9rem; }
.scores .note { color: var(--soft); font-size: var(--small); text-align: right; white-space: nowrap; padding-right: 0; }
.exposure { table-layout: fixed; border-spacing: 4px; margin: 0 -4px; width: calc(100% + 8px); }
.exposure thead th { padding: 0 .5rem .25rem; } .exposure thead th:first-child { width: 38%; }
.exposure tbody th { border: 0; padding: .5rem .5rem .5rem 0; font-weight: 500; line-height: 1.35; vertical-align: middle; }
.exposure td { border: 0; padding: 0; vertical-align: middle; }
.exposure .cell { display: block; border-radius: 6px; padding: .5rem .375rem .5rem .5rem; font-weight: 600; font-size: var(--small); overflow-wrap: normal; }
.exposure .group th { padding-top: 1rem; color: var(--soft); font-size: var(--small); font-weight: 600; }
.legend { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem 2.5rem; margin-bottom: 1.5rem; font-size: var(--small); color: var(--soft); }
.legend h3 { font-size: var(--small); color: var(--soft); font-weight: 600; margin-bottom: .5rem; }
.legend dl { align-items: baseline; grid-template-columns: 6.5rem 1fr; gap: .375rem .75rem; font-size: inherit; margin: 0; } .legend div + div dl { grid-template-columns: 10rem 1fr; }
.legend dt { color: var(--ink); font-weight: 600; } .legend p { margin: .75rem 0 0; }
.data tr > :first-child { padding-left: 0; } .data tbody th { font-weight: 600; } .data td { white-space: nowrap; } .data th, .data td { overflow-wrap: break-word; }
.overview .data thead th { padding-left: .25rem; padding-right: .25rem; font-size: .75rem; white-space: nowrap; overflow-wrap: normal; }
.overview .data tbody td { padding-left: .25rem; padding-right: .25rem; vertical-align: middle; text-align: center; font-size: var(--small); }
.overview .data th:first-child { padding-left: 0; width: 40%; overflow-wrap: break-word; } .overview .data thead th:nth-child(n+3) { text-align: center; }
.overview .data td:nth-child(2) { text-align: left; } .overview .data tr > :last-child { padding-right: 0; text-align: right; }
.overview .data tbody tr:last-child > * { padding-bottom: 0; }
.says { display: block; font-weight: 400; font-size: var(--small); color: var(--soft); line-height: 1.4; margin-top: .125rem; text-wrap: pretty; }
.signs { display: flex; flex-wrap: wrap; gap: .375rem 1.25rem; } .signs li { display: flex; gap: .5rem; align-items: center; }
dl { margin: .5rem 0; display: grid; grid-template-columns: max-content 1fr; gap: .375rem 1.5rem; font-size: var(--text); }
.card > dl { margin: 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
.chips { display: flex; flex-wrap: wrap; gap: .375rem; margin: .25rem 0; }
.records { margin: .25rem 0; } .records li { margin: .25rem 0; }
.host-head { display: flex; flex-wrap: wrap; gap: .375rem .75rem; align-items: center; margin-bottom: .25rem; }
.address { border-top: 1px solid var(--line); margin-top: 1rem; padding-top: 1rem; }
.suites { columns: 2; column-gap: 2rem; }
.suites li { break-inside: avoid; } .suites .badge { font-size: .75rem; padding: 0 .5rem; }
.fix { counter-reset: fix; }
.fix > li { counter-increment: fix; }
.fix h3 { font-size: 1.0625rem; } .fix h3::before { content: counter(fix) ". "; color: var(--soft); }
.fix-head { display: flex; gap: .75rem; align-items: baseline; justify-content: space-between; } .fix-head .badge { flex: none; max-width: 60%; }
.fix-head + .meta { margin: .125rem 0 .75rem; }
.fix .reason { border-left: 3px solid var(--line); padding-left: .75rem; color: var(--soft); font-size: var(--text); }
.fix .do { font-weight: 600; margin-top: .75rem; }
.steps { margin: 1rem 0; }
.steps > li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .25rem .75rem; padding: .375rem 0; }
.steps > li > div { min-width: 0; } .steps p { margin: 0; }
.steps .kind { color: var(--soft); font-size: var(--small); padding-top: .15rem; }
.paste { position: relative; }
.code { background: var(--code); border: 1px solid var(--line); border-radius: 8px; padding: .625rem .875rem; margin: .375rem 0 .25rem; overflow-x: auto; white-space: pre; font-size: var(--text); line-height: 1.5; -webkit-user-select: all; user-select: all; }
summary { cursor: pointer; color: var(--accent); font-size: var(--text); padding: .25rem 0; }
.passed { columns: 2; column-gap: 2.5rem; margin-top: .5rem; } .passed .group { break-inside: avoid; margin-bottom: 1rem; }
.passed h3 { font-size: var(--text); margin-bottom: .25rem; }
.passed li { font-size: var(--small); padding: .125rem 0 .125rem 1.25rem; text-indent: -1.25rem; }
.passed li::before { content: "✓"; color: var(--good); font-weight: 700; display: inline-block; width: 1.25rem; text-indent: 0; }
.passed .soft { white-space: nowrap; font-size: .75rem; }
.notes { padding-left: 1.1rem; list-style: disc; font-size: var(--text); } .notes li { margin: .25rem 0; }
.about { margin-top: 3rem; } .about dl { font-size: var(--small); }
* + .domain { border-top: 1px solid var(--line); margin-top: 4rem; }
.skip { position: absolute; left: -999rem; } .skip:focus { position: static; }
@media screen and (max-width: 60rem) {
  .exposure thead th:first-child { width: 34%; }
  .overview .data, .overview .data tbody { display: block; } .overview .data thead { position: absolute; left: -999rem; }
  .overview .data tr { display: flex; flex-wrap: wrap; align-items: flex-start; border-top: 1px solid var(--line); padding: .75rem 0; }
  .overview .data tr:first-child { border-top: 0; padding-top: 0; } .overview .data tr:last-child { padding-bottom: 0; }
  .overview .data tbody th { flex: 1 1 calc(100% - 9rem); padding: 0 .75rem .25rem 0; border: 0; }
  .overview .data tbody td { display: flex; flex: 0 0 10.5rem; flex-direction: row-reverse; justify-content: flex-end; align-items: center; gap: .5rem; padding: .125rem 0; border: 0; }
  .overview .data tbody td::before { content: attr(data-column); flex: none; color: var(--soft); } .overview .data td:empty { display: none; }
  .overview .data td:nth-child(2) { flex: none; } .overview .data tbody td:nth-child(2)::before { content: none; }
  .overview .data tr > td:last-child:not(:empty) { flex: 1 0 100%; flex-direction: row; justify-content: flex-start; }
}
@media screen and (max-width: 46rem) {
  h2 { margin-top: 2.5rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
  .hero { padding-top: 1.75rem; } .lead { font-size: 1.0625rem; }
  .card { padding: 1rem 1.125rem; }
  .legend { grid-template-columns: 1fr; } .legend dd { margin: 0; }
  .legend div + div dl { grid-template-columns: 1fr; gap: 0; } .legend div + div dd { margin-bottom: .5rem; }
  .suites, .passed { columns: 1; }
  .exposure, .exposure tbody, .data, .data tbody, .scores, .scores tbody { display: block; }
  .exposure thead, .data thead { position: absolute; left: -999rem; }
  .exposure { border-spacing: 0; margin: 0; width: 100%; }
  .exposure tr { display: block; background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: .75rem 1.125rem; margin-bottom: .75rem; }
  .exposure .group { background: none; border: 0; padding: .25rem 0 0; margin-bottom: .375rem; }
  .exposure tbody th { display: block; padding: 0 0 .375rem; font-weight: 600; }
  .exposure .group th { padding: 0; }
  .exposure td, .data td { display: flex; justify-content: space-between; align-items: center; gap: 1rem; padding: .125rem 0; font-size: var(--text); white-space: normal; text-align: right; }
  .exposure td::before, .data td::before { content: attr(data-column); color: var(--soft); font-size: var(--small); text-align: left; overflow-wrap: normal; }
  .data td { justify-content: flex-start; align-items: baseline; text-align: left; } .data td::before { flex: 0 0 6.25rem; }
  .data th, .data td { overflow-wrap: anywhere; } .data td:empty { display: none; }
  .exposure .cell { padding: .125rem .625rem; border-radius: 1rem; flex: none; }
  .data tr { display: block; border-top: 1px solid var(--line); padding: .75rem 0; }
  .data tr:first-child { border-top: 0; padding-top: 0; } .data tr:last-child { padding-bottom: 0; }
  .data tbody th, .data tbody td { border: 0; padding: .125rem 0; } .data tbody th { display: block; padding-bottom: .375rem; }
  .overview .data tbody td { flex-basis: 6.4rem; }
  .scorecard { padding: .375rem 1.125rem; }
  .scores tr { display: grid; grid-template-columns: 2.25rem 1fr auto; align-items: center; border-top: 1px solid var(--line); padding: .625rem 0; }
  .scores tr:first-child { border-top: 0; }
  .scores tbody th, .scores tbody td { border: 0; padding: 0; width: auto; }
  .scores .value { grid-column: 2 / -1; color: var(--soft); grid-row: 2; }
  .scores .note { grid-row: 1; grid-column: 3; font-size: .75rem; }
  .steps > li { grid-template-columns: 1fr; gap: 0; padding: .5rem 0; }
}
@media print {
  :root {
    color-scheme: light; --paper: #fff; --card: #fff; --ink: #000; --soft: #333; --line: #bbb; --accent: #000; --code: #f4f4f4;
    --good: #0d4a2b; --good-bg: #e6f3ea; --fair: #5c3900; --fair-bg: #fbf0d8; --bad: #7d1414; --bad-bg: #fae5e2; --quiet: #333; --quiet-bg: #eee;
  }
  html { font-size: 9pt; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main, .top, footer { max-width: none; padding-left: 0; padding-right: 0; } .top { padding-top: 0; } footer { padding-bottom: 0; }
  .hero { padding-top: 1rem; } .hero + .card { margin-top: 1rem; } h2 { margin: 1.75rem 0 .75rem; } .legend { margin-bottom: .75rem; }
  .scores tbody th, .scores tbody td { padding-top: .375rem; padding-bottom: .375rem; }
  .exposure .cell { padding: .375rem; } .exposure tbody th { padding-top: .25rem; padding-bottom: .25rem; }
  .code { white-space: pre-wrap; }
  .card { -webkit-box-decoration-break: clone; box-decoration-break: clone; }
  .card, tr, .steps > li, .group, .legend, .address, .about { break-inside: avoid; }
  .hosts .card, .fix .card, .passed, .overview { break-inside: auto; } h2, h3, h4, summary, .fix-head, .fix .do { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; color: var(--ink); }
  * + .domain { break-before: page; border: 0; margin: 0; }
  .skip { display: none; } a { color: inherit; text-decoration: none; }
  @page { margin: 15mm 14mm; }
}
`;
