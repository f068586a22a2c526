/** How many of a text's sections came before it: added tokens cut a text into sections. */
interface CutOptions {
  readonly section_index?: number | undefined;
}

/** Cuts texts into the words that a model reads one by one. */
type Cutter = (text: string | string[], options?: CutOptions) => string[];

type Cut = (text: string, isFirst: boolean) => readonly string[];
/** Of a pre-tokenizer, as a tokenizer.json has them. */
export type Settings = Readonly<Record<string, unknown>>;

/** A part of a text that a pattern matches, or that lies between two matches. */
interface Piece {
  text: string;
  readonly isMatch: boolean;
}

/**
 * The pre-tokenizer of a tokenizer.json that was checked. The library's own ones cut by what JavaScript calls a blank, a digit and a
 * letter, and know one behaviour of each; these cut as the original, the crate `tokenizers` (Hugging Face, Apache-2.0), is documented.
 */
export function exactCuts(settings: Settings): Cutter {
  const cut = cutOf(settings);
  return (text, options) => {
    const isFirst = options?.section_index === 0;
    return (typeof text === 'string' ? [text] : text).flatMap((part, index) => cut(part, isFirst && index === 0));
  };
}

// Punctuation of BERT: that of Unicode, and every sign of ASCII.
const SIGN = '[\\p{P}!-/:-@[-`{-~]';
const BLANK = '\\p{White_Space}';
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}';
// Radford et al. (2019).
const BYTE_LEVEL = `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${BLANK}\\p{L}\\p{N}]+|${BLANK}+(?!\\P{White_Space})|${BLANK}+`;

function cutOf(settings: Settings): Cut {
  const { type, behavior } = settings;
  switch (type) {
    case 'Sequence': {
      const children = (settings.pretokenizers ?? []) as readonly (Settings | null)[];
      const cuts = children.flatMap((child) => (child === null ? [] : [cutOf(child)]));
      return (text, isFirst) =>
        cuts.reduce<readonly string[]>(
          (parts, cut) => parts.flatMap((part, index) => cut(part, isFirst && index === 0 && text.startsWith(part))),
          [text],
        );
    }
    case 'Whitespace':
      return splitter(`[${WORD}]+|[^${WORD}${BLANK}]+`, 'removed', true);
    case 'WhitespaceSplit':
      return splitter(BLANK, 'removed');
    case 'BertPreTokenizer': {
      const words = splitter(BLANK, 'removed');
      const signs = splitter(SIGN, 'isolated');
      return (text, isFirst) => words(text, isFirst).flatMap((word) => signs(word, isFirst));
    }
    case 'Punctuation':
      return splitter(SIGN, behavior ?? 'isolated');
    case 'Digits':
      return splitter('\\p{N}', settings.individual_digits === true ? 'isolated' : 'contiguous');
    case 'Split':
      return splitter(sourceOf(settings.pattern as Settings), behavior, settings.invert === true);
    case 'Replace': {
      const pattern = new RegExp(sourceOf(settings.pattern as Settings), 'gu');
      const content = String(settings.content ?? '');
      return (text) => [text.replace(pattern, () => content)];
    }
    case 'FixedLength':
      return (text) => {
        const signs = [...text];
        const length = settings.length as number;
        const count = Math.ceil(signs.length / length);
        return Array.from({ length: count }, (_, part) => signs.slice(part * length, (part + 1) * length).join(''));
      };
    case 'Metaspace':
      return blanksShown(settings);
    default:
      return bytesShown(settings);
  }
}

/** Where a sign is put before a text; older files say only whether it is. */
export function prependScheme({ prepend_scheme: scheme = 'always', add_prefix_space: isPut }: Settings): unknown {
  return isPut === false ? 'never' : scheme;
}

/** Blanks become a sign, and a word begins with each. */
function blanksShown({ replacement, str_rep, split, ...settings }: Settings): Cut {
  const scheme = prependScheme(settings);
  const sign = String(replacement ?? '\u2581');
  const shown = String(str_rep ?? '') || sign;
  const parts = splitter(literal(sign), 'mergedwithnext');
  return (text, isFirst) => {
    const marked = text.replaceAll(' ', () => shown);
    const isPrefixed = !marked.startsWith(sign) && (scheme === 'always' || (scheme === 'first' && isFirst));
    const whole = isPrefixed ? shown + marked : marked;
    return split === false ? [whole] : parts(whole, isFirst);
  };
}

/** Bytes become signs that can be seen. */
function bytesShown({ add_prefix_space: prefixed, use_regex: cut }: Settings): Cut {
  const words: Cut = cut === false ? (text) => [text] : splitter(BYTE_LEVEL, 'isolated');
  const encoder = new TextEncoder();
  return (text, isFirst) => {
    const whole = prefixed === true && !text.startsWith(' ') ? ` ${text}` : text;
    return words(whole, isFirst).map((word) => Array.from(encoder.encode(word), (byte) => SHOWN[byte]).join(''));
  };
}

// Bytes that Latin-1 shows are themselves; the others follow from U+0100 on.
export const SHOWN: readonly string[] = ((): string[] => {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isShown = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173);
    return String.fromCodePoint(isShown ? byte : next++);
  });
})();

/** The published patterns in JavaScript's words: its own blanks are others, and not all engines know a part without case. */
function sourceOf({ Regex: expression, String: text }: Settings): string {
  if (typeof expression !== 'string') return literal(String(text));
  return expression
    .replace(/\(\?i:([^)]*)\)/, (_, words: string) => `(?:${words.replace(/[a-z]/g, anyCase)})`)
    .replaceAll('\\s', BLANK)
    .replaceAll('\\S', '\\P{White_Space}');
}

/** A letter in either case; the long s is a lowercase of S too. */
const anyCase = (letter: string): string => `[${letter}${letter.toUpperCase()}${letter === 's' ? '\u017f' : ''}]`;

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** Cuts where a pattern matches, or where it does not; the behaviour says what becomes of the matches. */
function splitter(source: string, behavior: unknown, isInverted = false): Cut {
  const pattern = new RegExp(source, 'gu');
  const join = BEHAVIOURS[String(behavior).toLowerCase()] ?? ((pieces) => pieces);
  return (text) => {
    const pieces: Piece[] = [];
    const add = (from: number, to: number, isMatch: boolean): void => {
      if (to > from) pieces.push({ text: text.slice(from, to), isMatch: isMatch !== isInverted });
    };
    let end = 0;
    for (const { 0: match, index } of text.matchAll(pattern)) {
      add(end, index, false);
      end = index + match.length;
      add(index, end, true);
    }
    add(end, text.length, false);
    return join(pieces).map((piece) => piece.text);
  };
}

const BEHAVIOURS: Readonly<Record<string, (pieces: Piece[]) => readonly Piece[]>> = {
  removed: (pieces) => pieces.filter(({ isMatch }) => !isMatch),
  contiguous: (pieces) => joined(pieces, (piece, before) => piece.isMatch === before.isMatch),
  mergedwithprevious: (pieces) => joined(pieces, (piece, before) => piece.isMatch && !before.isMatch),
  mergedwithnext: (pieces) => joined(pieces, (piece, before) => before.isMatch && !piece.isMatch),
};

/** Joins each piece to the one before it where the two belong together. */
function joined(pieces: readonly Piece[], belongs: (piece: Piece, before: Piece) => boolean): Piece[] {
  const result: Piece[] = [];
  let before: Piece | undefined;
  for (const piece of pieces) {
    const last = result.at(-1);
    if (last !== undefined && before !== undefined && belongs(piece, before)) last.text += piece.text;
    else result.push({ ...piece });
    before = piece;
  }
  return result;
}
