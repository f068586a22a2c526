import { stripped } from './added-tokens.js';
import type { Settings } from './exact-cuts.js';

type Normal = (text: string) => string;

/** Chinese signs as the original lists them, which leaves out U+2B820 to U+2B91F. */
const CHINESE =
  /[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;
/** What is no text of its own; signs of formats that came after Unicode 8 are none to the original. */
const NO_TEXT = /\ufffd|(?![\t\n\r\u0890\u0891\u08e2\u{110cd}\u{13430}-\u{1343f}])[\p{Cc}\p{Cf}\p{Co}]/gu;

/**
 * What a normaliser of a tokenizer.json makes of a text, where the library does otherwise than the original, the crate `tokenizers`
 * (Hugging Face, Apache-2.0); undefined for others.
 */
export function exactNormal(settings: Settings): Normal | undefined {
  switch (settings.type) {
    case 'Strip':
      return (text) => stripped(text, settings.strip_left === true, settings.strip_right === true);
    case 'Lowercase':
      return lowercased;
    case 'BertNormalizer':
      return bertNormal(settings);
    default:
      return undefined;
  }
}

function bertNormal({
  clean_text: clean,
  handle_chinese_chars: apart,
  strip_accents: strip,
  lowercase,
}: Settings): Normal {
  const isStripped = typeof strip === 'boolean' ? strip : lowercase === true;
  return (text) => {
    let normal = text;
    if (clean === true) normal = normal.replace(NO_TEXT, '').replace(/\p{White_Space}/gu, ' ');
    if (apart === true) normal = normal.replace(CHINESE, ' $& ');
    if (isStripped) normal = normal.normalize('NFD').replace(/\p{Mn}/gu, '');
    return lowercase === true ? lowercased(normal) : normal;
  };
}

/** Sign by sign: JavaScript writes a sigma otherwise where a word ends. */
const lowercased: Normal = (text) =>
  text
    .split('\u03a3')
    .map((part) => part.toLowerCase())
    .join('\u03c3');
