/** The pages of the methods, as text that comes with the client, read when one is asked for. */
import { html, type TemplateResult } from 'lit';
import { t } from '../i18n/index';

const PAGES = import.meta.glob<string>('../../../../docs/methods/*.md', { query: '?raw', import: 'default' });
const read = new Map<string, string | null>();

export interface Block {
  readonly kind: 'h' | 'p' | 'li' | 'code';
  readonly text: string;
}

/** Headings, paragraphs, list items and code of a page. Pure. */
export function blocksOf(page: string): Block[] {
  const found: Block[] = [];
  let open: string[] = [];
  let code: string[] | null = null;
  const flush = (): void => {
    if (open.length > 0) found.push({ kind: 'p', text: open.join(' ') });
    open = [];
  };
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) {
      flush();
      if (code) found.push({ kind: 'code', text: code.join('\n') });
      code = code ? null : [];
    } else if (code) code.push(line);
    else if (/^#+ /.test(line)) {
      flush();
      found.push({ kind: 'h', text: line.replace(/^#+ /, '') });
    } else if (/^[-*] /.test(line)) {
      flush();
      found.push({ kind: 'li', text: line.slice(2) });
    } else if (/^\|/.test(line)) {
      flush();
      found.push({ kind: 'code', text: line });
    } else if (line.trim() === '') flush();
    else if (/^\s{2,}\S/.test(line) && open.length === 0 && found.at(-1)?.kind === 'li') {
      const item = found.pop();
      found.push({ kind: 'li', text: `${item?.text ?? ''} ${line.trim()}` });
    } else open.push(line.trim());
  }
  flush();
  return found;
}

const plain = (text: string): string => text.replace(/\*\*([^*]+)\*\*/g, '$1').replace(/`([^`]+)`/g, '$1').replace(/\[([^\]]+)\]\([^)]*\)/g, '$1');

export function methodPage(name: string, redraw: () => void): TemplateResult {
  const load = PAGES[`../../../../docs/methods/${name}.md`];
  if (!load) return html`<p class="mid">${t('plan.method.none', { name })}</p>`;
  if (!read.has(name)) {
    read.set(name, null);
    void load().then((text) => read.set(name, text)).then(redraw, () => { read.delete(name); });
  }
  const text = read.get(name);
  if (!text) return html`<p class="sk line"></p>`;
  return html`${blocksOf(text).map((b) => (b.kind === 'h' ? html`<h3>${plain(b.text)}</h3>` : b.kind === 'li' ? html`<p class="bullet">${plain(b.text)}</p>` : b.kind === 'code' ? html`<pre>${b.text}</pre>` : html`<p>${plain(b.text)}</p>`))}`;
}
