import type { ScoreProcessor, ScoringContext, TokenConstraint } from '../contract/scoring.js';
import { ofRow } from './row-output.js';

/**
 * The usual rules on next-token scores, each a pure function of the scores and the hypothesis. They mean what the rules of
 * the same names mean in Hugging Face `generate`, whose outputs the tests compare with, except where a comment says.
 */

const RULED_OUT = Number.NEGATIVE_INFINITY;

/**
 * Divides positive scores of tokens that occurred, prefix included, by `penalty`, and multiplies negative ones with it
 * (Keskar et al., 2019, section 4.1); each token once.
 */
export function repetitionPenalty(penalty: number): ScoreProcessor {
  return (scores, { prefix, output }) => {
    for (const tokenId of new Set([...prefix, ...output])) {
      const score = scores[tokenId];
      scores[tokenId] = score < 0 ? score * penalty : score / penalty;
    }
  };
}

/** Subtracts `frequency` for each time a token occurred in the output, and `presence` once if it did at all. */
export function frequencyPenalty(frequency: number, presence: number): ScoreProcessor {
  return (scores, { output }) => {
    const seen = new Set<number>();
    for (const tokenId of output) {
      scores[tokenId] = scores[tokenId] - frequency - (seen.has(tokenId) ? 0 : presence);
      seen.add(tokenId);
    }
  };
}

/** Adds a bias to each of these tokens; `-Infinity` forbids one. */
export function logitBias(biases: ReadonlyMap<number, number>): ScoreProcessor {
  return (scores) => {
    for (const [tokenId, bias] of biases) scores[tokenId] = scores[tokenId] + bias;
  };
}

/** Forbids whatever would complete a sequence of `size` tokens that occurred before, prefix included. */
export function noRepeatNgram(size: number): ScoreProcessor {
  return (scores, { prefix, output }) => {
    const tokenIds = [...prefix, ...output];
    const context = tokenIds.length - (size - 1);
    for (let begin = 0; begin + size <= tokenIds.length; begin++) {
      let same = true;
      for (let offset = 0; same && offset < size - 1; offset++) {
        same = tokenIds[begin + offset] === tokenIds[context + offset];
      }
      if (same) scores[tokenIds[begin + size - 1]] = RULED_OUT;
    }
  };
}

/** Forbids the last token of each sequence after the tokens before it. */
export function badWords(sequences: readonly Int32Array[]): ScoreProcessor {
  return (scores, { output }) => {
    for (const sequence of sequences) {
      const before = sequence.length - 1;
      const begin = output.length - before;
      if (begin < 0) continue;
      let same = true;
      for (let offset = 0; same && offset < before; offset++) same = output[begin + offset] === sequence[offset];
      if (same) scores[sequence[before]] = RULED_OUT;
    }
  };
}

/** Forbids the end token until the output has `min` tokens, those of its row, beside those of the row's `outputPrefixes`. */
export function minNewTokens(
  min: number | readonly number[],
  endTokenId: number,
  outputPrefixes: readonly Int32Array[] = [],
): ScoreProcessor {
  return (scores, { row, output }) => {
    const given = outputPrefixes[row]?.length ?? 0;
    if (output.length - given < (ofRow(min, row) ?? 0)) scores[endTokenId] = RULED_OUT;
  };
}

/** Leaves only this token at each of these output positions. */
export function forcedTokens(tokenIdAt: ReadonlyMap<number, number>): ScoreProcessor {
  return (scores, { output }) => {
    const forced = tokenIdAt.get(output.length);
    if (forced === undefined) return;
    const score = scores[forced];
    scores.fill(RULED_OUT);
    // A token that an earlier rule forbade is forced all the same.
    scores[forced] = score === RULED_OUT ? 0 : score;
  };
}

/**
 * Leaves only what a constraint allows. How far a hypothesis has come is remembered, so that the constraint makes one step for
 * a token: for as long as a context stands for the same hypothesis, or says which one its hypothesis grew from.
 */
export function constrained<State>(constraint: TokenConstraint<State>): ScoreProcessor {
  const reached = new WeakMap<ScoringContext, Reached<State>>();
  return (scores, context) => {
    const { row, output, grownFrom } = context;
    const own = reached.get(context);
    const known =
      own?.output === output && own.length <= output.length
        ? own
        : grownFrom === undefined
          ? undefined
          : reached.get(grownFrom);
    let state = known === undefined ? constraint.start(row) : known.state;
    for (let position = known?.length ?? 0; position < output.length; position++) {
      state = constraint.next(state, output[position]);
    }
    reached.set(context, { output, length: output.length, state });
    const allowed = constraint.allowed(state);
    for (let tokenId = 0; tokenId < scores.length; tokenId++) if (allowed[tokenId] !== 1) scores[tokenId] = RULED_OUT;
  };
}

/** The state of a constraint after the first `length` tokens of an output. */
interface Reached<State> {
  readonly output: readonly number[];
  readonly length: number;
  readonly state: State;
}
