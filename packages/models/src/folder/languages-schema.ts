import * as v from 'valibot';
import { tokenId } from './manifest-schema.js';

/** How a model that knows several languages is told of which its source is, and of which its output is to be. */
export interface ManifestLanguages {
  /** Token of each language, by its code. */
  readonly tokens: Readonly<Record<string, number>>;
  /** Where the source's language stands: before its text, or after its end token. */
  readonly sourcePlace: 'before' | 'after';
  /** What says the output's language: its first token, which a request chooses, or the start token, which is always the same. */
  readonly targetPlace: 'first' | 'start';
  /** Codes that are taken where a request names none. */
  readonly source?: string | undefined;
  /** The same of outputs. */
  readonly target?: string | undefined;
}

const code = v.pipe(v.string(), v.regex(/^[\w-]{1,40}$/, 'a code of letters, digits, "_" and "-"'));

export const languages: v.GenericSchema<unknown, ManifestLanguages> = v.strictObject({
  tokens: v.record(code, tokenId),
  sourcePlace: v.picklist(['before', 'after']),
  targetPlace: v.picklist(['first', 'start']),
  source: v.exactOptional(code),
  target: v.exactOptional(code),
});

/** The tokens of languages by their place in the manifest. */
export function languageTokens(languages: ManifestLanguages | undefined): readonly (readonly [string, number])[] {
  return Object.entries(languages?.tokens ?? {}).map(([code, id]) => [`languages.tokens.${code}`, id] as const);
}

/**
 * How many tokens transformers would call `forced_bos_token_id`, which count in an output's length: what follows the start token of all
 * outputs, and a language that a request chooses.
 */
export function forcedTokensOf(beginning: readonly number[], languages: ManifestLanguages | undefined): number {
  return beginning.length - 1 + (languages?.targetPlace === 'first' ? 1 : 0);
}

/** Refuses a language that is taken by itself and is none of those. */
export function checkLanguages(
  languages: ManifestLanguages | undefined,
  refuse: (field: string, received: unknown, required: string) => void,
): void {
  for (const name of ['source', 'target'] as const) {
    const code = languages?.[name];
    if (code !== undefined && !Object.hasOwn(languages?.tokens ?? {}, code)) {
      refuse(`languages.${name}`, code, 'one of the languages in languages.tokens');
    }
  }
}

/** What people are told of a model's languages. */
export function languageFacts(languages: ManifestLanguages | undefined): readonly (readonly [string, string])[] {
  if (languages === undefined) return [];
  const { tokens, source, target } = languages;
  const named = [source && `from ${source}`, target && `to ${target}`].filter((one) => one !== undefined);
  const codes = Object.keys(tokens);
  const shown = `${codes.slice(0, 12).join(', ')}${codes.length > 12 ? ` and ${codes.length - 12} more` : ''}`;
  return [['languages', named.length === 0 ? shown : `${shown}; unless told, ${named.join(' ')}`]];
}
