import assert from 'node:assert/strict';
import test from 'node:test';
import {
  importReports,
  openReports,
  renderDomain,
  renderReportOverview,
  showDomain,
  showOverview,
  storeReports,
  verifyDkim,
} from '../index.js';
import { systemClockAt } from '../../../test/support/fake-clock.js';
import { keyResolver, reportJson, reportMail } from '../../../test/support/report/mail.js';
import { withReports } from '../../../test/support/report/reports.js';
import { readItem } from '../read/read-item.js';
import { judgeTrust } from '../verify/judge-trust.js';

const now = Date.parse('2027-01-05T12:00:00Z');
const day = '2027-01-03';

test('a page without counted reports states the reason and the fix', async () => {
  const mails = await Promise.all(
    [1, 2, 3].map((n) =>
      reportMail({ report: reportJson(n, 0, `${n}`, day), signer: 'sender.example' }),
    ),
  );
  const page = async (keys: readonly string[], all: readonly Buffer[]): Promise<string> => {
    const store = await openReports(':memory:');
    async function* sources() {
      for (const mail of all)
        yield {
          name: 'mail',
          open: async function* () {
            yield mail;
          },
        };
    }
    const clock = systemClockAt(() => now);
    const verify = (mail: Uint8Array): ReturnType<typeof verifyDkim> =>
      verifyDkim(mail, keyResolver(keys), now);
    for await (const { stored } of importReports(sources(), { clock, store, verify }))
      assert.equal(stored, 'stored');
    const shown = showDomain(store, 'rcpt.example', { now });
    assert.equal(shown.status, 'no-reports');
    return renderDomain(shown).replace(/\s+/g, ' ');
  };
  const gone = await page([], mails);
  assert.match(
    gone,
    /3 reports arrived, none counted: the DKIM key of the signature is no longer published/,
  );
  assert.match(gone, /To accept an archive from a mailbox that you trust/);
  assert.match(gone, /trusted: true/);
  const changed = Buffer.from(
    String(mails[0]?.toString('latin1')).replace('This is an', 'This is no'),
    'latin1',
  );
  const altered = await page(['sender.example'], [changed]);
  assert.match(altered, /1 report arrived, none counted: the message was changed after/);
  assert.doesNotMatch(altered, /no longer published|To accept an archive/);
  const stranger = await reportMail({ report: reportJson(1, 0, '9', day), signer: 'o.example' });
  const both = await page(['o.example'], [...mails, stranger]);
  assert.match(both, /4 reports arrived, none counted: the DKIM key .* another organisation/);
});

test('an archive of other days, domains or without signatures is not called absent', async () => {
  const about = async (from: string, signer?: string): Promise<readonly string[]> => {
    const mail = await reportMail({ report: reportJson(1, 0, '1', from), signer });
    const store = await openReports(':memory:');
    const reading = await readItem(mail, {
      name: 'mail',
      via: 'file',
      verify: (raw) => verifyDkim(raw, keyResolver([], 'nxdomain'), now),
    });
    const domains = from === day ? ['other.example'] : [];
    const judged = reading.map((item) => judgeTrust(item, { at: now, domains }));
    storeReports(
      store,
      judged.flatMap((item) =>
        item.parsed.ok ? [{ reading: item, parsed: item.parsed.value, receivedAt: now }] : [],
      ),
    );
    return [
      renderDomain(showDomain(store, 'rcpt.example', { now })),
      renderReportOverview(showOverview(store, { now })),
    ].map((page) => page.replace(/\s+/g, ' '));
  };
  for (const [pages, why] of [
    [await about('2025-02-03', 'sender.example'), /no longer published/],
    [await about(day, 'sender.example'), /no longer published/],
    [await about('2026-12-30'), /the mail has no signature/],
  ] as const)
    for (const page of pages) {
      assert.match(page, /1 report arrived, none counted/);
      assert.match(page, why);
      assert.match(page, /To accept an archive/);
      assert.doesNotMatch(page, /Publish a record/);
    }
});

test('the page tells an absent key from a lookup that failed', async () => {
  const page = async (trust: 'broken' | 'unverifiable'): Promise<string> =>
    renderDomain(
      showDomain(
        await withReports({ reporter: 'big.example', day, trust, policies: [{ ok: 1 }] }),
        'rcpt.example',
        { now },
      ),
    ).replace(/\s+/g, ' ');
  assert.match(await page('broken'), /no longer published cannot verify an old message/);
  const pending = await page('unverifiable');
  assert.match(pending, /Import the mail again when its key can be looked up/);
  assert.doesNotMatch(pending, /no longer published/);
});
