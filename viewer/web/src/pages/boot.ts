import { langOf, setLang, type Lang } from '../i18n/index';
import type { Link, Theme } from '../state/url';

const KEYS = { lang: 'cim.lang', theme: 'cim.theme' } as const;

const kept = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

/** The link speaks first, then what was chosen before, then what the browser asks for. */
export function preferences(link: Link): { lang: Lang; theme: Theme } {
  const lang = link.lang ?? (['en', 'zh'] as const).find((v) => v === kept(KEYS.lang)) ?? langOf(navigator.languages);
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const theme = link.theme ?? (['light', 'dark'] as const).find((v) => v === kept(KEYS.theme)) ?? (dark ? 'dark' : 'light');
  setLang(lang);
  document.documentElement.dataset['theme'] = theme;
  document.documentElement.lang = lang === 'zh' ? 'zh-CN' : 'en';
  return { lang, theme };
}

export function keep(choice: { readonly lang?: Lang; readonly theme?: Theme }): void {
  try {
    if (choice.lang) localStorage.setItem(KEYS.lang, choice.lang);
    if (choice.theme) localStorage.setItem(KEYS.theme, choice.theme);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
