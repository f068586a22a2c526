/// <reference path="./naughty-words.d.ts" />
import {
  type DecodeStatistics,
  type Drafter,
  ForetokenError,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import {
  anything,
  assertAutoregressive,
  assertLattice,
  assertVocabulary,
  checkOptions,
  integer,
  listOf,
  number,
  type OptionTable,
  signal as readSignal,
  text as readText,
  withMethods,
  wrongValue,
  Yielder,
} from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import { Alphabet } from './alphabet.js';
import { wordsOf } from './changes.js';
import { CHAT_WORDS } from './chat-words.js';
import { correctionDrafter } from './correction-drafter.js';
import { LatticePieceReader, PieceDecoder, type PieceReader, Totals } from './decode-piece.js';
import { applied, type LeftAlone, type MadeEdit, type Proposal, whyNot } from './edits.js';
import { type CorrectionModel, type CorrectionTokenizer, targetOf, tokenizerOf } from './model.js';
import { nameSpans } from './name-spans.js';
import { type CountTokens, piecesOf } from './pieces.js';
import { proposalsOf } from './proposals.js';
import { type FencedCode, proseLines } from './prose-lines.js';
import { protectedSpans } from './protected-spans.js';
import { RefusedWords } from './refused-words.js';
import type { Span, SpanIndex } from './spans.js';
import { tokenEnds } from './token-places.js';
import { withoutRefused } from './without-refused.js';

/** Options of all corrections of a corrector. */
export interface CorrectorOptions {
  /**
   * Edits that the model is less sure of are left alone, each by itself; from 0 (none for that alone) to 1 (all). Default 0, and 0.7
   * with a lattice, which is less often right (F0.5 of edits on validation text 0.59 instead of 0.54).
   */
  readonly minConfidence?: number | undefined;
  /**
   * A CTC model of the same folder that corrects in place of the autoregressive one: each piece in one forward, many times faster
   * and with more mistakes. It takes no drafter.
   */
  readonly lattice?: LatticeModel<TokenSource> | undefined;
  /** What drafts, or `none` for greedy decoding; default: the text itself, see `correctionDrafter`. The correction is the same. */
  readonly drafter?: Drafter<TokenSource> | 'none' | undefined;
  /** Most draft tokens of a forward; default 64. */
  readonly maxNodes?: number | undefined;
  /**
   * Lower-case letters of the language; words with others are left alone. Default: those that the model's tokens spell, which
   * are those of the text that it has read where its vocabulary was made from that.
   */
  readonly alphabet?: string | undefined;
  /**
   * Words and phrases that are never brought into a text without them. Default: the English list of the package
   * `naughty-words`; an empty list refuses nothing.
   */
  readonly refuse?: readonly string[] | undefined;
  /**
   * Words that stay as they are, in whatever casing: names, terms, a user's own dictionary. Default: words of chats such as `lol`
   * and `thx`, which the model takes for misspelt ones.
   */
  readonly keep?: readonly string[] | undefined;
}

/** Options of one correction. */
export interface CorrectOptions {
  /** Stops the correction; it then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Where the text is part of a longer one that is given line by line: what is known of its fenced code. */
  readonly code?: FencedCode | undefined;
}

/** What was made of a text. */
export interface Correction {
  /** The corrected text. */
  readonly text: string;
  /** In the order of the text. Put in the place of their spans they make the input the output, exactly. */
  readonly edits: readonly MadeEdit[];
  /** What the model would have changed besides, and why it was not; and what it was not asked about, or gave no answer to. */
  readonly leftAlone: readonly LeftAlone[];
  /** Of all pieces together. */
  readonly statistics: DecodeStatistics;
}

/** What corrects texts by a model; `createCorrector` makes it. */
export interface Corrector {
  /**
   * Corrects a text of any length. White space, line breaks, indentation and whatever is not prose stay as they are.
   *
   * Throws `INVALID_ARGUMENT` for anything but a string, whatever decoding throws, or the signal's reason.
   */
  correct(text: string, options?: CorrectOptions): Promise<Correction>;
}

/** Tokens of the longest sentence that is read whole. */
const SENTENCE_TOKENS = 120;
/** Tokens of sentences that are read together: chosen on validation text by F0.5 among 40 to 120. */
const PIECE_TOKENS = 60;
const DRAFT_TOKENS = 64;
/** Chosen on validation text by F0.5, which rises up to there and then stays. */
const LATTICE_CONFIDENCE = 0.7;
const LATTICE_READER = {
  name: 'createCorrector',
  requires: { model: 'lattice', kinds: ['ctc'], candidates: 1 },
} as const;

/** One word, as words of texts are told from each other. */
function readWord(name: string, value: unknown): string {
  const word = readText(name, value);
  const [only] = wordsOf(word);
  if (only?.start === 0 && only.end === word.length) return word;
  throw wrongValue(name, word, 'one word, without spaces or marks around it');
}

const OPTIONS: OptionTable<CorrectorOptions> = {
  minConfidence: number(0, 1),
  // What is no drafter is refused by `speculative`.
  drafter: anything as OptionTable<CorrectorOptions>['drafter'],
  // What is no lattice model is refused by `assertLattice`.
  lattice: anything as OptionTable<CorrectorOptions>['lattice'],
  maxNodes: integer(1),
  alphabet: readText,
  refuse: listOf(readText),
  keep: listOf(readWord),
};
const CORRECT_OPTIONS: OptionTable<CorrectOptions> = {
  signal: readSignal,
  code: withMethods('what tells fenced code, such as new FencedCode()', 'holds'),
};

/**
 * Corrects text with a model: what it is asked about, how sure it must be, and what it must never do are the same for every text.
 *
 * Throws `INVALID_ARGUMENT`, and `UNSUPPORTED_CAPABILITY` for a model that cannot decode token by token.
 */
export function createCorrector(model: CorrectionModel, options: CorrectorOptions = {}): Corrector {
  options = checkOptions('createCorrector', options, OPTIONS);
  const { lattice, drafter, maxNodes = DRAFT_TOKENS, keep = CHAT_WORDS } = options;
  const { minConfidence = lattice === undefined ? 0 : LATTICE_CONFIDENCE } = options;
  const kept = new Set(keep.map((word) => word.toLowerCase()));
  const target = targetOf(model);
  const tokenizer = tokenizerOf(model);
  const decoder =
    drafter === 'none'
      ? greedy<TokenSource>({ tokenLogProbs: true })
      : speculative<TokenSource>({
          drafter: drafter ?? correctionDrafter(model),
          maxNodes,
          tokenLogProbs: true,
        });
  assertAutoregressive(decoder, target);
  if (lattice !== undefined) {
    if (drafter !== undefined) throw wrongValue('drafter', drafter, 'nothing beside lattice, which needs no drafts');
    assertLattice(LATTICE_READER, lattice);
    assertVocabulary('lattice', lattice.vocabulary, target.vocabulary);
  }
  const count = counter(tokenizer);
  const max = Math.min(SENTENCE_TOKENS, Math.floor(target.maxLength * 0.8));
  const sizes = { max, usual: Math.min(PIECE_TOKENS, max) };
  const alphabet = new Alphabet(options.alphabet, tokenizer, target.vocabulary.size);
  let refused: RefusedWords | undefined;

  function* shieldsOf(text: string): Generator<undefined, readonly SpanIndex[], undefined> {
    return yield* protectedSpans(text, yield* alphabet.lettersFor(text), kept);
  }

  async function correct(text: string, given: CorrectOptions = {}): Promise<Correction> {
    readText('text', text);
    const { signal, code } = checkOptions('correct', given, CORRECT_OPTIONS);
    signal?.throwIfAborted();
    const yielder = new Yielder(signal);
    refused ??= await yielder.run(RefusedWords.of(await refusedList(options.refuse)));
    const words = refused;
    const decoding: PieceReader =
      lattice === undefined
        ? new PieceDecoder(target, tokenizer, decoder, words, yielder)
        : new LatticePieceReader(lattice, tokenizer);
    const totals = new Totals();
    const proposals: Proposal[] = [];
    const leftAlone: LeftAlone[] = [];
    let shields: readonly SpanIndex[] | undefined;
    let names: SpanIndex | undefined;
    for (const line of await yielder.run(proseLines(text, code))) {
      // Of another script no word may be altered, and marks of this language do not belong into it.
      if (!(await yielder.run(alphabet.isIn(text, line)))) continue;
      const { pieces, tooLong } = await yielder.run(piecesOf(text, line, count, sizes));
      for (const span of tooLong) leftAlone.push(untouched(text, span, 'too-long'));
      for (const piece of pieces) {
        if (yielder.due()) await yielder.yield();
        if (!(await yielder.run(alphabet.isIn(text, piece.core)))) continue;
        const decoded = await decoding.decode(piece.text, totals, signal);
        if (typeof decoded === 'string') leftAlone.push(untouched(text, piece.core, decoded));
        if (typeof decoded === 'string' || decoded.text === piece.text) continue;
        const ends = tokenEnds(tokenizer, decoded.tokenIds, decoded.text);
        const found = proposalsOf(text, piece, decoded, ends, line.title && piece.core.end === line.end);
        shields ??= await yielder.run(shieldsOf(text));
        names ??= await yielder.run(nameSpans(text));
        const { rewritten } = found;
        const judgement = { shields, names, minConfidence, rewritten, ruled: decoded.ruled };
        for (const proposal of found.proposals) {
          const reason = whyNot(proposal, text, judgement);
          if (reason === undefined) proposals.push(proposal);
          else leftAlone.push(withReason(proposal, reason));
        }
      }
    }
    const { made, refused: takenBack } = await yielder.run(withoutRefused(text, proposals, words));
    for (const proposal of takenBack) leftAlone.push(withReason(proposal, 'refused'));
    leftAlone.sort((a, b) => a.start - b.start || a.end - b.end);
    return { ...applied(text, made), leftAlone, statistics: totals.statistics };
  }

  return { correct };
}

/** Corrects one text; for many, `createCorrector` does once what is the same for all. Throws as both of its functions do. */
export async function correctText(
  model: CorrectionModel,
  text: string,
  options: CorrectorOptions & CorrectOptions = {},
): Promise<Correction> {
  const { signal, code, ...rest } = checkOptions('correctText', options, { ...OPTIONS, ...CORRECT_OPTIONS });
  return createCorrector(model, rest).correct(text, { signal, code });
}

function untouched(text: string, { start, end }: Span, reason: LeftAlone['reason']): LeftAlone {
  const before = text.slice(start, end);
  return { start, end, before, after: before, probability: 0, reason };
}

function withReason({ start, end, before, after, probability }: Proposal, reason: LeftAlone['reason']): LeftAlone {
  return { start, end, before, after, probability, reason };
}

/** Tokens of a text without the end token; infinite where the tokenizer says that it is too long. */
function counter(tokenizer: CorrectionTokenizer): CountTokens {
  return (text) => {
    try {
      return tokenizer.encode(text).length - 1;
    } catch (error) {
      if (ForetokenError.isInstance(error) && error.code === 'SOURCE_TOO_LONG') return Number.POSITIVE_INFINITY;
      throw error;
    }
  };
}

/** The list that is refused. */
async function refusedList(given: readonly string[] | undefined): Promise<readonly string[]> {
  if (given !== undefined) return given;
  // Imported when needed: it holds the lists of all its languages.
  const { default: lists } = await import('naughty-words');
  return lists.en;
}
