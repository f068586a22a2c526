import { largest, smallest } from '@foretoken/core/kit';
import { inItsCapitals } from './capitals.js';
import { type Change, changesBetween, cut } from './changes.js';
import type { DecodedPiece } from './decode-piece.js';
import { coupled, isRewritten, type Proposal } from './edits.js';
import type { Piece } from './pieces.js';

const SAYS = /[\p{L}\p{N}]/u;

/** A probability that a sum of rounded logarithms gives is never quite 1. */
const MAX = 1 - Number.EPSILON;

/**
 * What a model's output for a piece would change, as edits of the whole text; `ends` is where its tokens end. A title ends as it did:
 * nothing is put there, and its mark stays.
 */
export function proposalsOf(
  text: string,
  piece: Piece,
  decoded: DecodedPiece,
  ends: Int32Array,
  title: boolean,
): {
  readonly proposals: Proposal[];
  /** The output is another text, not a corrected one. */
  readonly rewritten: boolean;
} {
  const { core, goesOn = false, places } = piece;
  const changes = changesBetween(piece.text, decoded.text);
  const seen = changes.filter((change) => written(piece, decoded, change) !== cut(piece.text, change.before));
  const open = goesOn || title;
  const close = places[piece.text.length];
  const proposals = coupled(piece.text, decoded.text, seen)
    .map((group) => proposal(text, piece, decoded, ends, group))
    .filter(
      ({ start, end, before, after }) =>
        start >= core.start &&
        end <= core.end &&
        !(open && end === close && (start === close || !SAYS.test(before + after))),
    );
  return { proposals, rewritten: isRewritten(piece.text, decoded.text, changes) };
}

/** What a change puts in. */
function written(piece: Piece, decoded: DecodedPiece, { before, after }: Change): string {
  return inItsCapitals(piece.text, before, cut(decoded.text, after));
}

function proposal(
  text: string,
  piece: Piece,
  decoded: DecodedPiece,
  ends: Int32Array,
  group: readonly Change[],
): Proposal {
  const { places } = piece;
  const { tokenLogProbs } = decoded;
  const parts = group.map((change) => ({
    start: places[change.before.start],
    end: places[change.before.end],
    after: written(piece, decoded, change),
  }));
  const start = parts[0].start;
  const { end } = parts[parts.length - 1];
  const inner = parts.map(
    (part, index) => text.slice(index === 0 ? start : parts[index - 1]?.end, part.start) + part.after,
  );
  const tokens = new Set(group.flatMap(({ after }) => tokensAt(after.start, after.end, ends)));
  let logProb = 0;
  for (const token of tokens) logProb += tokenLogProbs[token];
  const probability = Math.min(MAX, Math.exp(logProb));
  const clarity = clarityAround(smallest(tokens), largest(tokens), tokenLogProbs);
  return { start, end, before: text.slice(start, end), after: inner.join(''), probability, parts, clarity };
}

/** Tokens before an edit and after it that tell whether the model knows this kind of text: a sentence, more or less. */
const AROUND = 16;

/** Geometric mean of the probabilities of tokens from `first` to `last` and of those around. */
function clarityAround(first: number, last: number, tokenLogProbs: Float32Array): number {
  const near = tokenLogProbs.subarray(Math.max(0, first - AROUND), last + 1 + AROUND);
  return Math.exp(near.reduce((sum, value) => sum + value, 0) / near.length);
}

/** Tokens that spell a part of an output; where nothing is spelled, the one that follows, the end token at the end. */
function tokensAt(start: number, end: number, ends: Int32Array): number[] {
  const tokens: number[] = [];
  const last = Math.max(end, start + 1);
  for (let token = 0, begin = 0; token < ends.length; begin = ends[token++]) {
    if (begin < last && ends[token] > start) tokens.push(token);
  }
  return tokens.length === 0 ? [ends.length] : tokens;
}
