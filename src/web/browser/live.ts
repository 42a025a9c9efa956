/**
 * The script of the pages, the only one. It fills in a running check, copies text, and
 * submits a filter when it changes. Every page works without it.
 */

interface PageElement {
  readonly dataset: Readonly<Record<string, string | undefined>>;
  innerHTML: string;
  textContent: string | null;
  hidden: boolean;
  readonly form: { requestSubmit(): void } | null;
  addEventListener(type: string, listener: () => void): void;
}
interface LiveSource {
  addEventListener(type: string, listener: (event: { readonly data: string }) => void): void;
  close(): void;
}
declare const document: {
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
};
declare const location: { reload(): void };
declare const navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } };
declare const EventSource: new (url: string) => LiveSource;

const live = document.querySelector('[data-live]');
const status = document.querySelector('[data-status]');

if (live?.dataset['live'] !== undefined) {
  const source = new EventSource(live.dataset['live']);
  source.addEventListener('progress', ({ data }) => {
    // The server makes this HTML and escapes every value in it.
    const { html, says } = JSON.parse(data) as { html: string; says: string };
    live.innerHTML = html;
    // A screen reader announces the text only when it changes.
    if (status && status.textContent !== says) status.textContent = says;
  });
  source.addEventListener('done', () => {
    source.close();
    location.reload();
  });
}

for (const button of document.querySelectorAll('[data-copy]')) {
  const text = button.dataset['copy'] ?? '';
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener('click', () => {
    void navigator.clipboard?.writeText(text).then(() => {
      button.textContent = 'Copied';
    });
  });
}

for (const field of document.querySelectorAll('[data-submit]'))
  field.addEventListener('change', () => field.form?.requestSubmit());

export {};
