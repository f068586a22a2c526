import { expect } from 'vitest';
import {
  KeyValueStore,
  type StepDriver,
  type StepInputs,
  type StepOutputs,
  StoreForest,
} from '../src/runtime/index.js';

export const VOCABULARY = 50;

/** What a node contributes to everyone who sees it; sensitive to its token and its place. */
const contribution = (tokenId: number, position: number): number => Math.sin(tokenId * 12.9 + position * 7.7) + 2;

/** Logit-like score of a path in source row `row`, straight from the tokens: the oracle. */
export const scoreOfPath = (row: number, path: readonly number[]): number =>
  path.reduce((sum, tokenId, position) => sum + contribution(tokenId, position), row * 1000);

/** A step "graph" in plain arithmetic: each new node sums the contributions of all it can see, through the cache. */
export class SummingDriver implements StepDriver {
  readonly sources: number[];
  disposed = false;
  forwards = 0;
  maxCells = Number.POSITIVE_INFINITY;
  /** Columns that each forward must have. */
  minWidth = 1;
  readonly #padTo: number;

  constructor(rows: number, padTo: number) {
    this.sources = Array.from({ length: rows }, (_, row) => row);
    this.#padTo = padTo;
  }

  paddedWidth(width: number): number {
    return Math.ceil(width / this.#padTo) * this.#padTo;
  }

  releaseRow(row: number): void {
    const last = this.sources.pop() as number;
    if (row < this.sources.length) this.sources[row] = last;
  }

  dispose(): void {
    this.disposed = true;
  }

  async run(inputs: StepInputs): Promise<StepOutputs> {
    this.forwards++;
    const { firstRow, rows, width, pastLength, tokenIds, positions, attentionBias, scored } = inputs;
    const past = inputs.past[0];
    expect(firstRow + rows).toBeLessThanOrEqual(this.sources.length);
    expect(rows * width).toBeLessThanOrEqual(this.maxCells);
    expect(width).toBeGreaterThanOrEqual(this.minWidth);
    expect(past.length).toBe(rows * pastLength);
    const keysValues = Float32Array.from(tokenIds, (id, cell) => contribution(id, positions[cell]));
    const scores = new Float32Array(rows * width);
    const total = pastLength + width;
    for (let cell = 0; cell < rows * width; cell++) {
      const row = Math.floor(cell / width);
      let sum = this.sources[firstRow + row] * 1000;
      for (let column = 0; column < total; column++) {
        if (attentionBias[cell * total + column] !== 0) continue;
        sum += column < pastLength ? past[row * pastLength + column] : keysValues[row * width + column - pastLength];
      }
      scores[cell] = sum;
    }
    const logits = Float32Array.from(scored, (cell) => scores[cell]);
    return { keysValues, extension: { kind: 'logits', logits } };
  }
}

export function forestOf(driver: SummingDriver, maxLength = 40, maxCells?: number): StoreForest {
  return new StoreForest({
    store: new KeyValueStore({ driver, rows: driver.sources.length, parts: 1, partWidth: 1 }),
    prefixes: driver.sources.map(() => Int32Array.of(1)),
    vocabularySize: VOCABULARY,
    maxLength,
    supports: { outputs: ['logits'], branching: true, rollback: true, rows: 8, maxCandidates: 0 },
    maxCells,
  });
}

export const logits = { kind: 'logits' } as const;
