import { type AutoregressiveModel, ForetokenError, type OutputRequest, type TokenSource } from '@foretoken/core';
import { assertTokenSources, forestOptions, refuseEncoding } from '@foretoken/core/kit';
import {
  type RecurrentDriver,
  type RecurrentInputs,
  type RecurrentOutputs,
  RecurrentStore,
  StoreForest,
  scoredLogits,
} from '@foretoken/core/runtime';
import { initialState, logitsOf, step, WIDTH } from './rnn.ts';
import { MAX_DIGITS, START, VOCABULARY } from './task.ts';

/** Runs the network over new tokens. `RecurrentStore` keeps the states, so branches and rollback need nothing more. */
class Network implements RecurrentDriver {
  readonly stateWidth: number = WIDTH;
  readonly #sources: TokenSource[];

  constructor(sources: readonly TokenSource[]) {
    this.#sources = [...sources];
  }

  initialState(): Float32Array {
    return initialState;
  }

  async run(
    { lanes, length, row, tokenIds, states, scored }: RecurrentInputs,
    output: OutputRequest,
  ): Promise<RecurrentOutputs> {
    const after = new Float32Array(lanes * length * WIDTH);
    for (let lane = 0; lane < lanes; lane++) {
      let state = states.subarray(lane * WIDTH, (lane + 1) * WIDTH);
      for (let cell = lane * length; cell < (lane + 1) * length; cell++) {
        state = step(state, tokenIds[cell], this.#sources[row[lane]]);
        after.set(state, cell * WIDTH);
      }
    }
    const logits = new Float32Array(scored.length * VOCABULARY.size);
    for (const [index, cell] of scored.entries()) {
      const source = this.#sources[row[Math.floor(cell / length)]];
      logits.set(logitsOf(after.subarray(cell * WIDTH, (cell + 1) * WIDTH), source), index * VOCABULARY.size);
    }
    return { states: after, extension: scoredLogits(logits, VOCABULARY.size, output) };
  }

  releaseRow(row: number): void {
    const last = this.#sources.pop();
    if (last !== undefined && row < this.#sources.length) this.#sources[row] = last;
  }

  dispose(): void {
    this.#sources.length = 0;
  }
}

const supports = {
  outputs: ['argmax', 'topK', 'logProbs', 'logits'],
  branching: true,
  rollback: true,
  rows: 64,
  maxCandidates: VOCABULARY.size,
} as const;

/** Decodes token by token: each next token is scored from the state after all tokens before it. */
export function recurrentModel(
  networkOf: (sources: readonly TokenSource[]) => RecurrentDriver,
): AutoregressiveModel<TokenSource> {
  return {
    vocabulary: VOCABULARY,
    maxLength: MAX_DIGITS + 2,
    supports,
    async open(sources, options) {
      const known = forestOptions(options);
      refuseEncoding(known);
      if (known.joining === true) throw new ForetokenError('UNSUPPORTED_CAPABILITY', 'No rows can join this model.');
      assertTokenSources(sources, { vocabularySize: VOCABULARY.size, max: MAX_DIGITS });
      const store = new RecurrentStore(networkOf(sources), sources.length);
      const prefixes = sources.map(() => Int32Array.of(START));
      return new StoreForest({ store, prefixes, vocabularySize: VOCABULARY.size, maxLength: MAX_DIGITS + 2, supports });
    },
  };
}

export const rnnModel: AutoregressiveModel<TokenSource> = recurrentModel((sources) => new Network(sources));
