import type { Settings } from './exact-cuts.js';
import { PieceTrie } from './sentencepiece/piece-trie.js';

/** A token that is found in texts before they are cut. */
interface AddedToken {
  readonly content: string;
  /** Whether it takes the blanks before it, and behind it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
}

/** A part of a text: an added token, or what is left between two of them. */
interface Section {
  readonly text: string;
  readonly token?: string | undefined;
}

type Split = (text: string) => readonly Section[];
type Normalize = (text: string) => string;
/** Tokens of a part of a text; `isFirst` where the text begins with it. */
type TokensOf = (text: string, isFirst: boolean) => readonly string[];

const BLANK = /\p{White_Space}/u;

/** Drops the blanks at the begin and at the end of a text, as Unicode has them: U+0085 is one, U+FEFF is none. */
export function stripped(text: string, left: boolean, right: boolean): string {
  const begin = left ? blanksBehind(text, 0) : 0;
  return text.slice(begin, right ? blanksBefore(text, text.length, begin) : undefined);
}

/**
 * Finds the added tokens of a tokenizer.json as the original does: those that are not normalised in the text as it is, the others in what is
 * normalised between them; each takes the blanks beside it where it is said to.
 */
export function addedTokenSplit(
  added: readonly Settings[],
  normalize: Normalize,
  tokensOf: TokensOf,
): (text: string) => string[] {
  const isNormalized = ({ normalized, special }: Settings): boolean =>
    typeof normalized === 'boolean' ? normalized : special !== true;
  const first = splitBy(
    added.filter((token) => !isNormalized(token)),
    (text) => text,
  );
  const second = splitBy(added.filter(isNormalized), normalize);
  return (text) =>
    first(text).flatMap(({ text: part, token }, place) => {
      if (token !== undefined) return [token];
      // What is left out at the begin leaves the rest behind it.
      const begins = place === 0 && normalize(String.fromCodePoint(part.codePointAt(0) ?? 0)) !== '';
      return second(normalize(part)).flatMap((section, index) =>
        section.token === undefined ? tokensOf(section.text, begins && index === 0) : [section.token],
      );
    });
}

/** Cuts texts at the longest of the tokens, from left to right. `shown` says how a token is written in the texts. */
function splitBy(added: readonly Settings[], shown: Normalize): Split {
  const trie = new PieceTrie();
  const tokens = new Map<string, AddedToken>();
  for (const { content, lstrip, rstrip } of added) {
    const spelled = shown(String(content));
    trie.add(spelled, 0);
    tokens.set(spelled, { content: String(content), lstrip: lstrip === true, rstrip: rstrip === true });
  }
  return (text) => {
    const sections: Section[] = [];
    const add = (from: number, to: number, token?: string): void => {
      if (from < to) sections.push({ text: text.slice(from, to), token });
    };
    let done = 0;
    for (let at = 0; at < text.length; ) {
      const length = trie.longest(text, at);
      const token = length === 0 ? undefined : tokens.get(text.slice(at, at + length));
      if (token === undefined) {
        at++;
        continue;
      }
      const from = token.lstrip ? blanksBefore(text, at, done) : at;
      add(done, from);
      at += length;
      done = token.rstrip ? blanksBehind(text, at) : at;
      // Blanks that a token took may be a token themselves, which the original finds unless it begins behind its end.
      if (from < done) sections.push({ text: '', token: token.content });
    }
    add(done, text.length);
    return sections;
  };
}

/** Where the blanks before a place begin, not before `min`; `min` where that is behind the place. */
function blanksBefore(text: string, end: number, min: number): number {
  let at = end;
  while (at > min && BLANK.test(text[at - 1])) at--;
  return Math.max(at, min);
}

function blanksBehind(text: string, begin: number): number {
  let at = begin;
  while (at < text.length && BLANK.test(text[at])) at++;
  return at;
}
