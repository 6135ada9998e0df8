/** Whom to thank, each once (pure). */

const DERIVED = /^(Generated|Derived) from\b/i;

/**
 * "Generated from © X" says nothing that "© X" and the note on generated parts do not; of two that name the same, the
 * one that names more stays.
 */
export function creditsOf(attributions: readonly string[]): string[] {
  const own = attributions.filter((text) => !DERIVED.test(text));
  const said = attributions.filter((text) => !DERIVED.test(text) || !own.some((other) => text.includes(other)));
  return said.filter((text, i) => !said.some((other, j) => (other === text ? j < i : other.includes(text))));
}
