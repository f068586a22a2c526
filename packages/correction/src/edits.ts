import { type Change, cut, wordsOf } from './changes.js';
import type { Span, SpanIndex } from './spans.js';
import {
  altersStructure,
  losesWord,
  lowersCapitals,
  makesOddWord,
  marksPicture,
  mixesCapitals,
  repeatsWords,
  replacesWord,
} from './unlike-corrections.js';
import { wordDistance } from './word-distance.js';

/** What a correction does at one place of a text; `after` takes the place of `before`. */
export interface Edit extends Span {
  /** What stood there. */
  readonly before: string;
  /** What stands there now. */
  readonly after: string;
  /**
   * How sure the model was: the product of the probabilities of the output tokens that spell `after`, or of the token that
   * follows where nothing does. Always below 1.
   */
  readonly probability: number;
}

/** An edit that was made, and where `after` is in the output. */
export interface MadeEdit extends Edit {
  /** Where `after` begins in the output, in UTF-16 code units. */
  readonly outputStart: number;
  /** Where it ends. */
  readonly outputEnd: number;
}

/**
 * Why an edit was not made: the model was not sure enough; the place is one that is never altered; so much came or went that it
 * is no correction; a word came in that must not. Or there was no edit: the place is too long for the model to read; the model found
 * no end of its output. Then `after` is `before`, and `probability` 0.
 */
export type LeftAloneReason = 'doubtful' | 'protected' | 'invented' | 'refused' | 'too-long' | 'endless';

/** An edit that was not made. */
export interface LeftAlone extends Edit {
  /** Why it was not made. */
  readonly reason: LeftAloneReason;
}

/** Changes of a text that are made together or not at all. */
export interface Proposal extends Edit {
  /** In the order of the text; spans of the whole text, with what takes their place. */
  readonly parts: readonly (Span & { readonly after: string })[];
  /** How sure the model was of what it said there and around: the geometric mean of the tokens' probabilities. */
  readonly clarity: number;
}

/** Most words that one edit may put in or leave out. */
const MAX_WORDS = 3;
/** A word that became another one which differs by more than this was not corrected but replaced. */
const UNLIKE = 0.65;
/** Above this share of words replaced, put in or left out, a text was not corrected but rewritten. */
const REWRITTEN = 0.3;

/** Whether changes make a text into another one, instead of correcting it. */
export function isRewritten(before: string, after: string, changes: readonly Change[]): boolean {
  let strange = 0;
  for (const change of changes) {
    const [left, right] = [cut(before, change.before), cut(after, change.after)];
    const [words, others] = [wordsOf(left).length, wordsOf(right).length];
    if (words === 0 || others === 0) strange += words + others;
    else if (wordDistance(left.toLowerCase(), right.toLowerCase()) > UNLIKE) strange += Math.max(words, others);
  }
  return strange > 2 && strange > REWRITTEN * wordsOf(before).length;
}

/** Words between two places of one move; what is farther apart is two corrections of one common word. */
const MOVE = 4;

/** Changes that make sense together only, in groups of neighbours. */
export function coupled(before: string, after: string, changes: readonly Change[]): Change[][] {
  const words = (text: string): string[] => wordsOf(text).map((span) => cut(text, span).toLowerCase());
  const gone = changes.map((change) => words(cut(before, change.before)));
  const come = changes.map((change) => words(cut(after, change.after)));
  const said = [words(before), words(after)];
  const isRare = (word: string): boolean => said.every((all) => all.filter((other) => other === word).length === 1);
  const moves = (word: string, from: number, to: number): boolean =>
    isRare(word) || wordsOf(before.slice(changes[from].before.end, changes[to].before.start)).length <= MOVE;
  const groups: Change[][] = [];
  let open = -1;
  for (const [index, change] of changes.entries()) {
    // A word that is left out here and put in there has moved: half of that would lose it, or say it twice.
    const moved = changes.findLastIndex(
      (_, other) =>
        other > index &&
        (gone[index].some((word) => come[other].includes(word) && moves(word, index, other)) ||
          come[index].some((word) => gone[other].includes(word) && moves(word, index, other))),
    );
    const last = changes[index - 1];
    if (index <= open || (last !== undefined && beginsSentence(before, after, last, change)))
      groups.at(-1)?.push(change);
    else groups.push([change]);
    open = Math.max(open, moved);
  }
  return groups;
}

const ENDS = /[.!?…]/g;

/** Whether a change ends a sentence, or no longer does, and the next one is the casing that follows from it. */
function beginsSentence(before: string, after: string, end: Change, begin: Change): boolean {
  const ends = (text: string): number => text.match(ENDS)?.length ?? 0;
  const [left, right] = [cut(before, begin.before), cut(after, begin.after)];
  return (
    ends(cut(before, end.before)) !== ends(cut(after, end.after)) &&
    before.slice(end.before.end, begin.before.start).trim() === '' &&
    left.slice(1) === right.slice(1) &&
    left.toLowerCase() === right.toLowerCase()
  );
}

/** What decides whether an edit is made. */
export interface Judgement {
  /** Spans that are never altered. */
  readonly shields: readonly SpanIndex[];
  /** Words that look like names, which few models know. */
  readonly names: SpanIndex;
  readonly minConfidence: number;
  /** The model's output is another text, not a corrected one. */
  readonly rewritten: boolean;
  /** The output was made under the rule that refused words must not come in, and is not what the model would have said. */
  readonly ruled: boolean;
}

/** How sure a model must be to alter a word that looks like a name, or to make one that looks like none. */
const NAME_CONFIDENCE = 0.9;

/** How sure it must be to write a word in capitals without them, which may be an abbreviation. */
const CAPITALS_CONFIDENCE = 0.95;

/** What a model must be sure of where a rule made it say something else. */
const RULED_CONFIDENCE = 0.5;

/**
 * Text of which the model is less sure it does not know: another language, no language at all, or the same word many times. Of
 * lines with errors as people type them, 1 in 100 has a lower mean; of French and German lines, 9 in 10 (on validation text).
 */
const CLEAR = Math.exp(-0.2);
/** How sure a model must be to alter text that it does not know. */
const UNCLEAR_CONFIDENCE = 0.95;

/** Characters that no correction puts in. */
const OWN = /[^\p{L}\p{M}\p{P}\s]/gu;

/** Why an edit is not to be made, if it is not; by itself, without a look at the words that all edits bring in. */
export function whyNot(
  { parts, probability, clarity }: Proposal,
  text: string,
  { shields, names, minConfidence, rewritten, ruled }: Judgement,
): LeftAloneReason | undefined {
  if (parts.some((part) => shields.some((spans) => spans.alteredBy(part)))) return 'protected';
  if (ruled && probability < RULED_CONFIDENCE) return 'refused';
  if (rewritten || parts.some((part) => isInvented(part, text)) || losesWord(parts, text)) return 'invented';
  const ofName = parts.some((part) => names.alteredBy(part));
  const isOdd = parts.some((part) => makesOddWord(cut(text, part), part.after));
  const asked = Math.max(
    minConfidence,
    ofName || isOdd ? NAME_CONFIDENCE : 0,
    parts.some((part) => lowersCapitals(cut(text, part), part.after)) ? CAPITALS_CONFIDENCE : 0,
    clarity < CLEAR ? UNCLEAR_CONFIDENCE : 0,
  );
  return probability < asked ? 'doubtful' : undefined;
}

/** Whether a part puts in or leaves out more than a correction does, or white space where none belongs. */
function isInvented(part: Span & { readonly after: string }, text: string): boolean {
  const { after } = part;
  if (Math.abs(wordsOf(after).length - wordsOf(cut(text, part)).length) > MAX_WORDS) return true;
  if (/[^\S ]|\s\s/.test(after)) return true;
  // What is neither a letter nor a mark is the writer's alone: digits, symbols, emoji, half of a character.
  const before = cut(text, part);
  if (after.match(OWN)?.some((character) => !before.includes(character)) === true) return true;
  if (altersStructure(part, text) || mixesCapitals(before, after)) return true;
  if (marksPicture(part, text) || repeatsWords(part, text) || replacesWord(before, after)) return true;
  const opens = /^\s?$/.test(text.charAt(part.start - 1));
  const closes = /^\s?$/.test(text.charAt(part.end));
  return (opens && /^\s/.test(after)) || (closes && /\s$/.test(after)) || (opens && closes && after === '');
}

/** The text with all edits made, and each edit with its place there. */
export function applied(text: string, proposals: readonly Proposal[]): { text: string; edits: MadeEdit[] } {
  let output = '';
  let read = 0;
  const edits: MadeEdit[] = [];
  for (const { parts, start, end, before, probability } of proposals) {
    output += text.slice(read, start);
    read = start;
    const outputStart = output.length;
    for (const part of parts) {
      output += text.slice(read, part.start) + part.after;
      read = part.end;
    }
    const after = output.slice(outputStart);
    edits.push({ start, end, before, after, probability, outputStart, outputEnd: output.length });
  }
  return { text: output + text.slice(read), edits };
}
