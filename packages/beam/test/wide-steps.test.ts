import { type AutoregressiveModel, collect, type Decoder, type TokenSource } from '@foretoken/core';
import { randomScriptedModel, SteppingClock } from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BestItems } from '../src/best-items.js';
import { beamSearch, contrastiveSearch, stochasticBeam } from '../src/index.js';

type Model = AutoregressiveModel<TokenSource>;

const SIZE = 12;
const TOKENS = 4;

/** Turns of the event loop during the decode of one row, where every look at the clock is one too late. */
async function turnsOf(decoder: Decoder<Model>): Promise<number> {
  const scripted = randomScriptedModel({ seed: 5, vocabularySize: 20, typicalLength: 1e9 });
  // Any hidden state will do.
  const model: Model = {
    ...scripted,
    supports: { ...scripted.supports, states: ['topK'] },
    async open(sources, options) {
      const forest = await scripted.open(sources, options);
      const extend = forest.extend.bind(forest);
      forest.extend = async (nodes, output, signal) => {
        const { states, ...request } = output;
        const extension = await extend(nodes, request as typeof output, signal);
        const count = nodes.scored?.reduce((sum, one) => sum + one, 0) ?? nodes.tokenId.length;
        const values = Float32Array.from({ length: 3 * count }, (_, index) => Math.sin(index + count));
        return states === true ? { ...extension, states: values } : extension;
      };
      return forest;
    },
  };
  let turns = 0;
  let running = true;
  const count = (): void => {
    turns++;
    if (running) setImmediate(count);
  };
  setImmediate(count);
  {
    using _clock = new SteppingClock(1_000);
    await collect(decoder.decode(model, { sources: [Int32Array.of(3, 1)], maxNewTokens: TOKENS }));
  }
  running = false;
  return turns;
}

describe('one row of a wide search', () => {
  it.each([
    ['beam search', beamSearch({ beamSize: SIZE })],
    ['diverse beam search', beamSearch({ beamSize: SIZE, groups: 3 })],
    ['constrained beam search', beamSearch({ beamSize: SIZE, phrases: [Int32Array.of(4)] })],
    ['stochastic beam search', stochasticBeam({ beamSize: SIZE })],
    ['contrastive search', contrastiveSearch({ candidates: SIZE })],
  ] as const)('of %s lets other work have a turn after each branch it has dealt with', async (_, decoder) => {
    // One turn a branch while scores are read, one while the row steps; the first step has one branch only.
    expect(await turnsOf(decoder as Decoder<Model>)).toBeGreaterThanOrEqual(2 * SIZE * (TOKENS - 1));
  });
});

describe('the best of many items', () => {
  it('are those that a stable sort of all puts first', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...[-Infinity, -1, 0, 0.5, 2, 3])),
        fc.integer({ min: 1, max: 6 }),
        (values, count) => {
          const items = values.map((priority, index) => ({ priority, index }));
          const best = new BestItems<(typeof items)[number]>(count, ({ priority }) => priority);
          for (const item of items) {
            if (best.admits(item.priority)) best.add(item);
          }
          const sorted = [...items].sort((a, b) => (a.priority === b.priority ? 0 : b.priority - a.priority));
          expect(best.best()).toEqual(sorted.slice(0, count));
        },
      ),
      { numRuns: 500, seed: 7 },
    );
  });
});
