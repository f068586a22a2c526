/**
 * A text as corrections mostly leave it: a capital at its beginning, a full stop at its end, a capital for the word `i`. Only
 * a guess to draft from; what the model says of it counts.
 */
export function tidyText(text: string): string {
  const begun = text.replace(
    /^(["'“‘(]*)(\p{Ll})/u,
    (_, opening: string, letter: string) => opening + letter.toUpperCase(),
  );
  const named = begun.replace(/(?<![\p{L}\p{N}.'’-])i(?=['’ ])/gu, 'I');
  return /[\p{L}\p{N})'’"”]$/u.test(named) ? `${named}.` : named;
}
