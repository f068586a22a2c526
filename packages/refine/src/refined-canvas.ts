import type { CanvasModel, CanvasReviseEvent } from '@foretoken/core';
import { assertCanvasFits, type CanvasProposal } from '@foretoken/core/kit';

/** Natural-log probability of a position that no prediction decided: it is masked, or it was given. */
export const UNKNOWN: number = Number.NaN;

/** Tokens that refinement starts from; those of unknown probability are the least sure. */
export type InitialOutput = Pick<CanvasReviseEvent, 'tokenIds' | 'logProbs'>;

/** The provisional output of one row: its tokens, and how sure the model was of each when it decided it. */
export class RefinedCanvas {
  /** `[length]`; the mask token id where undecided. */
  readonly tokenIds: Int32Array;
  /** Natural-log probabilities `[length]`, `UNKNOWN` where undecided or given. */
  readonly logProbs: Float32Array;
  /** Positions at the start that were given and never change. */
  readonly given: number;
  readonly maskTokenId: number;

  /** All masks after the given tokens; `length` counts both. */
  constructor(given: Int32Array, length: number, maskTokenId: number) {
    this.tokenIds = new Int32Array(length).fill(maskTokenId);
    this.tokenIds.set(given);
    this.logProbs = new Float32Array(length).fill(UNKNOWN);
    this.given = given.length;
    this.maskTokenId = maskTokenId;
  }

  /** A canvas of an output, all of it decided. Throws `LENGTH_LIMIT` for more positions than the model has. */
  static of(
    { tokenIds, logProbs = new Float32Array(tokenIds.length).fill(Number.NEGATIVE_INFINITY) }: InitialOutput,
    model: Pick<CanvasModel<never>, 'maxLength' | 'maskTokenId'>,
  ): RefinedCanvas {
    assertCanvasFits(tokenIds.length, model);
    const canvas = new RefinedCanvas(new Int32Array(), tokenIds.length, model.maskTokenId);
    canvas.decide(canvas.free, { tokenIds, logProbs });
    return canvas;
  }

  get length(): number {
    return this.tokenIds.length;
  }

  /** Every position that is the model's to decide, in order. */
  get free(): number[] {
    return Array.from({ length: this.length - this.given }, (_, index) => this.given + index);
  }

  /** Copy of the tokens with masks at `positions`, for the model to look at. */
  without(positions: readonly number[]): Int32Array {
    const tokenIds = this.tokenIds.slice();
    for (const position of positions) tokenIds[position] = this.maskTokenId;
    return tokenIds;
  }

  /** Takes what is proposed for `positions`; true if a token changed. */
  decide(positions: readonly number[], { tokenIds, logProbs }: CanvasProposal): boolean {
    let changed = false;
    for (const position of positions) {
      changed ||= this.tokenIds[position] !== tokenIds[position];
      this.tokenIds[position] = tokenIds[position];
      this.logProbs[position] = logProbs[position];
    }
    return changed;
  }

  /** Makes positions undecided again. */
  mask(positions: readonly number[]): void {
    for (const position of positions) {
      this.tokenIds[position] = this.maskTokenId;
      this.logProbs[position] = UNKNOWN;
    }
  }
}

/** The `count` of `positions` with the lowest `values`, lowest first, the earlier position first among equals. */
export function lowest(positions: readonly number[], values: ArrayLike<number>, count: number): number[] {
  return [...positions].sort((a, b) => compare(values[a], values[b]) || a - b).slice(0, Math.max(count, 0));
}

/** The `count` of `positions` with the highest `values`, highest first, the earlier position first among equals. */
export function highest(positions: readonly number[], values: ArrayLike<number>, count: number): number[] {
  return [...positions].sort((a, b) => compare(values[b], values[a]) || a - b).slice(0, Math.max(count, 0));
}

/** Differences would make two infinities NaN. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
