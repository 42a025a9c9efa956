/**
 * The only script of the pages. The script shows the progress of a running check, and
 * adds a button to each box of text to copy. Every page works without the script.
 */

interface PageElement {
  readonly dataset: Readonly<Record<string, string | undefined>>;
  className: string;
  innerHTML: string;
  textContent: string | null;
  append(child: PageElement): void;
  addEventListener(type: string, listener: () => void): void;
}
interface LiveSource {
  addEventListener(type: string, listener: (event: { readonly data: string }) => void): void;
  close(): void;
}
declare const document: {
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
  createElement(name: string): PageElement;
};
declare const location: { reload(): void };
declare const navigator: { readonly clipboard?: { writeText(text: string): Promise<void> } };
declare const EventSource: new (url: string) => LiveSource;

const live = document.querySelector('[data-live]');
const status = document.querySelector('[data-status]');

if (live?.dataset['live'] !== undefined) {
  const source = new EventSource(live.dataset['live']);
  source.addEventListener('progress', ({ data }) => {
    // The server renders this HTML and escapes every value in it.
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

/** Browsers offer the clipboard only to pages over HTTPS or on loopback. */
const { clipboard } = navigator;

for (const box of clipboard ? document.querySelectorAll('.paste') : []) {
  const code = box.textContent ?? '';
  const button = document.createElement('button');
  button.className = 'copy';
  button.textContent = 'Copy';
  button.addEventListener('click', () => {
    void clipboard?.writeText(code).then(() => {
      button.textContent = 'Copied';
    });
  });
  box.append(button);
}

export {};
