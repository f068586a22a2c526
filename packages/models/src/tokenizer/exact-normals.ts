import { stripped } from './added-tokens.js';
import type { Settings } from './exact-cuts.js';

export type Normal = (text: string) => string;

/** What makes the normaliser of BERT, where a file has one. */
export type BertNormal = (settings: Settings) => Normal;

/**
 * What a normaliser of a tokenizer.json makes of a text, where the library does otherwise than the original, the crate `tokenizers`
 * (Hugging Face, Apache-2.0); undefined for others.
 */
export function exactNormal(settings: Settings, bertNormal: BertNormal | undefined): Normal | undefined {
  switch (settings.type) {
    case 'Strip':
      return (text) => stripped(text, settings.strip_left === true, settings.strip_right === true);
    case 'Lowercase':
      return lowercased;
    case 'BertNormalizer':
      return bertNormal?.(settings);
    default:
      return undefined;
  }
}

/** Sign by sign: JavaScript writes a sigma otherwise where a word ends. */
export const lowercased: Normal = (text) =>
  text
    .split('\u03a3')
    .map((part) => part.toLowerCase())
    .join('\u03c3');
