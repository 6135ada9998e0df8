import { en, type MessageKey, type Messages } from './en';
import { zh } from './zh';
import { wordsEn, type WordKind, type Words } from './words-en';
import { wordsZh } from './words-zh';

export type { MessageKey } from './en';
export type Lang = 'en' | 'zh';
export type Params = Readonly<Record<string, string | number>>;

const MESSAGES: Readonly<Record<Lang, Messages>> = { en, zh };
const WORDS: Readonly<Record<Lang, Words>> = { en: wordsEn, zh: wordsZh };

let current: Lang = 'en';

/** The language the page speaks now. */
export const lang = (): Lang => current;

export function setLang(next: Lang): void {
  current = next;
}

/** The language that a browser asks for, where a page has no choice of its own yet. */
export function langOf(tags: readonly string[]): Lang {
  for (const tag of tags) {
    if (/^zh\b/i.test(tag)) return 'zh';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** What `lang` attributes carry. */
export const langTag = (value: Lang): string => (value === 'zh' ? 'zh-CN' : 'en');

function fill(text: string, params: Params): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    return value === undefined ? whole : String(value);
  });
}

/** The words of a key in the page's language, with its parameters filled in. */
export function t(key: MessageKey, params: Params = {}): string {
  return fill(MESSAGES[current][key], params);
}

/** Like `t`, but takes the singular where `count` is one and the language has one. `{n}` is `shown`. */
export function tn(key: MessageKey, count: number, shown: string, params: Params = {}): string {
  const single = `${key}.one` as MessageKey;
  const text = count === 1 && single in MESSAGES[current] ? MESSAGES[current][single] : MESSAGES[current][key];
  return fill(text, { n: shown, ...params });
}

/** True where a string is a message key, e.g. a layer title sent by the server. */
export const isKey = (key: string): key is MessageKey => Object.hasOwn(en, key);

/** A title sent by the server: a key of ours, or its own words. */
export const title = (keyOrText: string): string => (isKey(keyOrText) ? t(keyOrText) : keyOrText);

/** The word for a server code, or `undefined` where there is none. */
export function wordFor(kind: WordKind, code: string): string | undefined {
  const words: Readonly<Record<string, string>> = WORDS[current][kind];
  return Object.hasOwn(words, code) ? words[code] : undefined;
}

/** The word for a server code; an unknown code is shown readably rather than hidden. CityJSON marks types of extensions by a plus sign. */
export const word = (kind: WordKind, code: string): string => wordFor(kind, code.replace(/^\+/, '')) ?? code.replace(/^\+/, '').replaceAll('_', ' ');

/** What a problem is in words; a code that this page cannot word is named, so that it can be looked up. */
export const problemText = (code: string): string => (code === 'unreachable' ? t('net.unreachable') : wordFor('problem', code) ?? `${t('problem.unknown')} (${t('problem.code', { code })})`);
