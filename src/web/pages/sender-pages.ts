import {
  adviceFor,
  attackTable,
  testHeadline,
  identityLines,
  mechanismReason,
  mechanismWord,
  reportLines,
  verdictText,
  type CaseResult,
  type ClosedCase,
  type MechanismResult,
  type SenderTestResult,
} from '../../sender/index.js';
import type { SenderTestSettings } from '../../sender/settings.js';
import {
  badge,
  codeBox,
  markup,
  scoreList,
  type Markup,
  type ScoreLine,
  type Sign,
  type Tone,
} from '../../page/index.js';
import type { SenderTestView } from '../sender/sender-tests.js';

/**
 * Returns the first page of the sender test: its purpose, and a button that starts a
 * test.
 */
export function senderHomePage(settings: SenderTestSettings): Markup {
  return markup`<div class="ask">
      <h1>Does your mail server protect the mail that it sends?</h1>
      <p class="lead">Delivered mail looks the same with and without protection. This test has mail hosts with deliberate faults. The test shows which of these hosts your server trusts.</p>
      <form class="field" method="post" action="/sender"><button>Start a test</button>
        <p class="hint">You get addresses for ${settings.hours} hours, and write one mail to each from your own account.
          The test sends you no mail.</p></form>
    </div>
    <div class="three">
      <section><h2>MTA-STS and DANE</h2><p>Whether your server fetches policies and TLSA records, and refuses a
        host that violates them.</p></section>
      <section><h2>TLS</h2><p>Versions, groups and names that your server offers, and whether it falls back to
        plaintext.</p></section>
      <section><h2>Saved data</h2><p>DNS questions, connections and envelope domains. The test counts the octets of a mail and discards the content.</p></section>
    </div>`;
}

/** Returns the page of one test: the mails to write, and the results as they arrive. */
export function senderTestPage(view: SenderTestView): Markup {
  const { slot, hasEnded } = view;
  const base = `/sender/${slot.id}`;
  return markup`<header class="hero">
      <div class="hero-line">
        <h1>Sender test</h1>
        ${hasEnded ? badge('ENDED', 'quiet') : badge('OPEN', 'quiet')}
      </div>
      <p class="lead" role="status" data-status>${senderLine(view)}</p>
      <p class="more">Slot <b>${slot.slot}</b>, until ${utc(slot.endsAt)}. The address of this page is secret: it gives
        access to the results.</p>
    </header>
    ${hasEnded ? undefined : mailSection(view, base)}
    <section>
      <h2>Results</h2>
      <div class="progress" data-live="${base}/events">${senderTestRows(view)}</div>
    </section>
    ${closedSection(view.closed)}
    <section>
      <h2>Cases without a connection</h2>
      <p>The results never show a case without a connection as refused. Mail may stay in the queue of your server: a server that refuses a host usually retries for days. A spam filter may hold the mail, or your network may block
        port 25. After four hours, look for the mail in the log of your server.</p>
      <p><a href="${base}/result.json">Download the result as JSON</a></p>
    </section>`;
}

/** Returns the state of the test in one sentence. */
export function senderLine({ slot, hasEnded, result }: SenderTestView): string {
  if (hasEnded) return 'The test has ended. Its mail hosts refuse mail.';
  if (slot.problem !== undefined && slot.readyAt === undefined)
    return `The CA has issued no certificate yet: ${slot.problem}.`;
  if (slot.readyAt === undefined)
    return 'The CA is still issuing the certificate of this test. Wait before you send mail.';
  return testHeadline(result);
}

/** Returns one line for each mechanism and each case. */
export function senderTestRows({ result, cases, hasReports }: SenderTestView): Markup {
  const saysOf = new Map(cases.map(({ senderCase }) => [senderCase.id, senderCase.says]));
  const advice = adviceFor(result);
  return markup`${identityLines(result).map((line) => markup`<p>${line}</p>`)}
    <h3>Mechanisms</h3>
    ${scoreList('Mechanisms of the sender', result.mechanisms.map(mechanismLine))}
    ${advice.length > 0 && markup`<h3>Next steps</h3><ul>${advice.map((step) => markup`<li>${step}</li>`)}</ul>`}
    <h3>Mail from this sender under attack</h3>
    ${attackTable(result)}
    <h3>Cases</h3>
    ${scoreList(
      'Cases of the test',
      result.cases.map((one) => caseLine(one, saysOf.get(one.case) ?? '')),
    )}
    ${hasReports && reportSection(result)}`;
}

/**
 * Returns the section about TLS reports. A report arrives a day after the sessions, so a
 * missing report proves nothing.
 */
function reportSection(result: SenderTestResult): Markup {
  const lines = reportLines(result);
  return markup`<h3>TLS reports</h3>
    ${
      lines.length === 0
        ? markup`<p>No report about this test has arrived. Senders report after the end of a UTC day (RFC 8460). Many senders send no reports.</p>`
        : markup`<ul>${lines.map((line) => markup`<li>${line}</li>`)}</ul>`
    }`;
}

const mechanismNames: Readonly<Record<MechanismResult['mechanism'], string>> = {
  starttls: 'STARTTLS',
  'mta-sts': 'MTA-STS',
  dane: 'DANE',
  dnssec: 'DNSSEC',
  requiretls: 'REQUIRETLS',
};

const signs: Readonly<Record<'yes' | 'no' | 'open' | 'none', Sign>> = {
  yes: { sign: '✓', tone: 'good', label: 'as expected' },
  no: { sign: '✗', tone: 'bad', label: 'not as expected' },
  open: { sign: '…', tone: 'quiet', label: 'open' },
  none: { sign: 'i', tone: 'quiet', label: 'for information' },
};

const marks: Readonly<Record<Tone, string>> = {
  good: '✓',
  fair: '!',
  bad: '✗',
  quiet: '…',
};

function mechanismLine(result: MechanismResult): ScoreLine {
  const [word, tone] = mechanismWord(result);
  const name = mechanismNames[result.mechanism];
  const value = `${word}; ${mechanismReason(result)}`;
  return { sign: marks[tone], tone, label: word, name, value, note: '' };
}

function caseLine(result: CaseResult, says: string): ScoreLine {
  const value = `${verdictText(result)}: ${says}`;
  const isOpen = result.verdict === 'not-started' || result.verdict === 'not-seen';
  return { ...signs[isOpen ? 'open' : result.met], name: result.case, value, note: '' };
}

/**
 * Returns the section about the mails to write: two links, the addresses to copy, and
 * shell commands.
 */
function mailSection({ cases, slot, inTurns }: SenderTestView, base: string): Markup {
  const all = cases.map(({ address }) => address);
  const quick = cases.filter(({ senderCase }) => senderCase.quick).map(({ address }) => address);
  const requiresTwo = cases.some(({ senderCase }) => senderCase.withdrawn);
  return markup`<section>
    <h2>Write the mails</h2>
    <p><a href="${mailto(quick)}">Write to the quick set (${quick.length} addresses)</a>, or
      <a href="${mailto(all)}">to all ${all.length} addresses</a>. Begin with the quick set: a spam filter may block many unusual recipients at once.</p>
    ${inTurns && markup`<p>This installation has fewer addresses than cases. The host of a case may answer “451” first. The case then runs when your server tries again.</p>`}
    <h3>Addresses of the quick set</h3>
    ${codeBox(quick.join('\n'), 'Addresses of the quick set')}
    <h3>The same with swaks</h3>
    ${codeBox(`swaks --server localhost --from you@example.com --to ${quick.join(',')}`, 'Command for swaks')}
    <h3>The same with sendmail</h3>
    ${codeBox(`echo "Subject: sender test" | sendmail ${quick.join(' ')}`, 'Command for sendmail')}
    <details><summary>All addresses</summary>${codeBox(all.join('\n'), 'All addresses')}</details>
    <p>The page then shows these cases as awaited:</p>
    <form class="choices" method="post" action="${base}/sent">
      <button class="plain" name="set" value="quick">I have sent the quick set</button>
      <button class="plain" name="set" value="all">I have sent all mails</button>
    </form>
    ${requiresTwo && secondMessage(slot.withdrawnAt !== undefined, base)}
  </section>`;
}

/**
 * Returns the text for the case that needs two messages, between which its policy is
 * withdrawn.
 */
function secondMessage(isWithdrawn: boolean, base: string): Markup {
  if (isWithdrawn)
    return markup`<p>The policy of the case sts-cached is withdrawn. Write a second mail to this case: your server must not deliver it.</p>`;
  return markup`<form class="choices" method="post" action="${base}/withdraw">
    <p>After the first mail to sts-cached arrived, withdraw its policy, wait two minutes, and write a second mail.</p>
    <button class="plain">Withdraw the policy of sts-cached</button>
  </form>`;
}

const lackTexts: Readonly<Record<ClosedCase['lacks'], string>> = {
  ipv4: 'this installation has no IPv4 address',
  ipv6: 'this installation has no IPv6 network',
  'public-ca': 'this installation has no certificates of a public CA, which policy hosts need',
};

function closedSection(closed: readonly ClosedCase[]): Markup | undefined {
  if (closed.length === 0) return undefined;
  const items = closed.map(
    ({ senderCase, lacks }) =>
      markup`<li><b>${senderCase.id}</b>: ${senderCase.says}. Not tested: ${lackTexts[lacks]}.</li> `,
  );
  return markup`<section><h2>Not tested here</h2><ul class="lined">${items}</ul></section>`;
}

/** Returns a link that opens a mail to all addresses in Bcc (RFC 6068 §2). */
function mailto(addresses: readonly string[]): string {
  const bcc = addresses.map(encodeURIComponent).join(',');
  return `mailto:?bcc=${bcc}&subject=${encodeURIComponent('Sender test')}&body=${encodeURIComponent('A test of TLS on the sending side.')}`;
}

function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
