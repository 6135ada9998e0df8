/** The address of the frame that an element's attributes ask for. Pure. */
export const EMBED_ATTRIBUTES = ['scheme', 'view', 'lang', 'theme', 'compare'] as const;

const ASKED: Readonly<Record<(typeof EMBED_ATTRIBUTES)[number], { readonly member: string; readonly allowed: RegExp }>> = {
  scheme: { member: 'schemes', allowed: /^s[a-z2-7]{8}$/ },
  compare: { member: 'mode', allowed: /^(one|swipe|split)$/ },
  view: { member: 'v', allowed: /^-?[\d.]+(,-?[\d.]+){4}$/ },
  lang: { member: 'lang', allowed: /^(en|zh)$/ },
  theme: { member: 'theme', allowed: /^(light|dark)$/ },
};

/** What cannot be read is left out; a frame is shown in any case. */
export function embedAddress(home: string, attribute: (name: string) => string | null): string {
  const address = new URL('/embed', home);
  for (const name of EMBED_ATTRIBUTES) {
    const value = attribute(name)?.trim() ?? '';
    if (ASKED[name].allowed.test(value)) address.searchParams.set(ASKED[name].member, value);
  }
  return address.href;
}
