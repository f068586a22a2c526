import { CharactersMap } from './characters-map.js';
import type { NormalizerSettings } from './piece-model.js';
import type { PieceTrie } from './piece-trie.js';

/** How a space is written inside pieces (U+2581). */
export const SPACE_MARK = '\u2581';

/** Half of a pair of code units, which no UTF-8 text holds. */
const LONE_SURROGATE = /\p{Surrogate}/gu;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Rewrites text as SentencePiece does before it cuts it: rules on characters, spaces joined and marked.
 *
 * `kept` are texts that no rule touches. Reference: `normalizer.cc` of sentencepiece.
 */
export class TextNormalizer {
  readonly #settings: NormalizerSettings;
  readonly #rules: CharactersMap | undefined;
  readonly #asSuffix: boolean;
  readonly #kept: PieceTrie | undefined;

  constructor(settings: NormalizerSettings, file: string, asSuffix: boolean, kept?: PieceTrie) {
    this.#settings = settings;
    this.#rules = settings.charactersMap.length === 0 ? undefined : new CharactersMap(settings.charactersMap, file);
    this.#asSuffix = asSuffix;
    this.#kept = kept;
  }

  normalize(text: string): string {
    const { addDummyPrefix, removeExtraWhitespaces, escapeWhitespaces } = this.#settings;
    const space = escapeWhitespaces ? SPACE_MARK : ' ';
    const parts = this.#rewritten(text.replace(LONE_SURROGATE, '\ufffd'));
    let normalized = '';
    let begun = false;
    let afterSpace = removeExtraWhitespaces;
    for (const part of parts) {
      // Spaces at the beginning count as a whole only: a rewritten part that merely begins with one has begun the text.
      if (!begun && removeExtraWhitespaces && part === ' ') continue;
      if (!begun && addDummyPrefix && !this.#asSuffix) normalized += space;
      begun = true;
      const rest = afterSpace ? part.replace(/^ +/, '') : part;
      if (rest !== '') {
        normalized += escapeWhitespaces ? rest.replaceAll(' ', SPACE_MARK) : rest;
        afterSpace = rest.endsWith(' ');
      }
      if (!removeExtraWhitespaces) afterSpace = false;
    }
    if (!begun) return '';
    if (removeExtraWhitespaces) while (normalized.endsWith(space)) normalized = normalized.slice(0, -space.length);
    return addDummyPrefix && this.#asSuffix ? normalized + space : normalized;
  }

  /** The parts of a text after the rules: one for each place where a rule, a kept text or a character stood. */
  *#rewritten(text: string): Generator<string> {
    if (this.#rules === undefined && this.#kept === undefined) return yield* text;
    const bytes = encoder.encode(text);
    for (let at = 0, byte = 0; at < text.length; ) {
      const kept = this.#kept?.longest(text, at) ?? 0;
      const rule = kept > 0 ? undefined : this.#rules?.longest(bytes, byte);
      const end = at + (kept > 0 ? kept : characterLength(text, at));
      yield rule === undefined ? text.slice(at, end) : decoder.decode(rule.replacement);
      // A rule says how many bytes it reads; a kept text and a character are known by their code units.
      const endByte = rule && byte + rule.length;
      do {
        byte += bytesOf(text, at);
        at += characterLength(text, at);
      } while (endByte === undefined ? at < end : byte < endByte);
    }
  }
}

/** Code units of the character at a place of a well-formed text. */
export function characterLength(text: string, at: number): 1 | 2 {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 ? 2 : 1;
}

/** UTF-8 bytes of the character at a place of a well-formed text. */
function bytesOf(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit < 0x80) return 1;
  if (unit < 0x800) return 2;
  return (unit & 0xfc00) === 0xd800 ? 4 : 3;
}
