import { collect, type LatticeModel, type TokenSource } from '@foretoken/core';
import { ctcGreedy } from '@foretoken/one-shot';
import { type MaskCtcOptions, maskCtc } from '@foretoken/refine';
import {
  assertCode,
  canvasConformance,
  randomCanvasScore,
  randomLogits,
  type ScriptedCanvasOptions,
  scriptedCanvasModel,
  scriptedLatticeModel,
} from '@foretoken/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const VOCABULARY = 8;
const END = 0;
const MASK = 7;
const BLANK = 7;

/** Six frames a source, whose best label differs from frame to frame; the end token is never said. */
function latticeOf(seed: number, sharpness = 3): LatticeModel<TokenSource> {
  const logits = randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: -1, sharpness });
  return scriptedLatticeModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    blankId: BLANK,
    frames: (source) =>
      Array.from({ length: 6 }, (_, frame) => {
        const scores = Float32Array.from(logits(source, [frame]));
        scores[END] = Number.NEGATIVE_INFINITY;
        return scores;
      }),
  });
}

function canvasOf(seed: number, more: Partial<ScriptedCanvasOptions> = {}) {
  return scriptedCanvasModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    score: randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [END] }),
    supports: { lengths: false },
    ...more,
  });
}

interface Searched {
  readonly tokens: number[];
  readonly probabilities: number[];
}

/** The best path, collapsed by hand: a token's probability is the highest of its run. */
async function searchedOf(lattice: LatticeModel<TokenSource>, source: TokenSource): Promise<Searched> {
  const [emitted] = await lattice.emit([source], { k: 1 });
  const tokens: number[] = [];
  const probabilities: number[] = [];
  let previous = BLANK;
  for (const [frame, label] of [...emitted.tokenIds].entries()) {
    const probability = Math.exp(emitted.logProbs[frame]);
    if (label !== BLANK && label !== previous) {
      tokens.push(label);
      probabilities.push(probability);
    } else if (label !== BLANK) {
      probabilities.push(Math.max(probabilities.pop() as number, probability));
    }
    previous = label;
  }
  return { tokens, probabilities };
}

/** The paper's loop, written without the package: argmax of every mask, the surest C / K of them stay. */
function byHand(
  { tokens, probabilities }: Searched,
  source: TokenSource,
  seed: number,
  threshold: number,
  iterations: number,
): { readonly tokens: number[]; readonly fills: number } {
  const score = randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [END, MASK] });
  const canvas = tokens.map((token, position) => (probabilities[position] < threshold ? MASK : token));
  let fills = 0;
  for (let left = iterations; left > 0 && canvas.includes(MASK); left--) {
    const before = Int32Array.from(canvas);
    const guesses = [...canvas.keys()]
      .filter((position) => canvas[position] === MASK)
      .map((position) => {
        const scores = [...Float32Array.from(score(source, before, position))];
        const token = scores.indexOf(Math.max(...scores));
        // The mask's own share stays in the normaliser: it can never be chosen, but the model may give it some.
        const all = Float32Array.from(
          randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [END] })(source, before, position),
        );
        const total = all.reduce((sum, value) => sum + Math.exp(value), 0);
        return { position, token, probability: Math.exp(scores[token]) / total };
      });
    guesses.sort((a, b) => b.probability - a.probability || a.position - b.position);
    for (const { position, token } of guesses.slice(0, Math.ceil(guesses.length / left))) canvas[position] = token;
    fills++;
  }
  return { tokens: canvas, fills };
}

const search = ctcGreedy();
const SOURCES = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 6, 1)];

describe('maskCtc', () => {
  it('follows the paper step by step', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 10_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 5 }),
        async (seed, threshold, iterations) => {
          const lattice = latticeOf(seed);
          const model = canvasOf(seed);
          const decoder = maskCtc({ initial: { lattice, search }, threshold, iterations });
          const { results, statistics } = await collect(decoder.decode(model, { sources: SOURCES }));
          let fills = 0;
          for (const [row, source] of SOURCES.entries()) {
            const expected = byHand(await searchedOf(lattice, source), source, seed, threshold, iterations);
            expect([...results[row].hypotheses[0].tokenIds]).toEqual(expected.tokens);
            fills = Math.max(fills, expected.fills);
          }
          expect(statistics).toMatchObject({ forwards: fills, otherForwards: 1 });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('keeps the output of the lattice at threshold 0 and keeps nothing of it but the length at 1', async () => {
    const lattice = latticeOf(3);
    const sources = [Int32Array.of(5, 2)];
    const { tokens } = await searchedOf(lattice, sources[0]);
    const kept = canvasOf(3);
    const whole = await collect(maskCtc({ initial: { lattice, search }, threshold: 0 }).decode(kept, { sources }));
    expect([...whole.results[0].hypotheses[0].tokenIds]).toEqual(tokens);
    expect(kept.forwards).toBe(0);
    const model = canvasOf(3);
    await collect(maskCtc({ initial: { lattice, search }, threshold: 1, iterations: 1 }).decode(model, { sources }));
    const fill = model.calls.find((call) => call.call === 'fill');
    expect(fill?.call === 'fill' && [...fill.canvases[0].tokenIds]).toEqual(tokens.map(() => MASK));
  });

  it('encodes once where both models share an encoder, and releases the encoding', async () => {
    let encoded = 0;
    let disposed = 0;
    const encoder = {
      encode: async (sources: readonly TokenSource[]) => {
        encoded++;
        return { rows: sources.length, dispose: () => void disposed++ };
      },
    };
    const lattice = { ...latticeOf(1), encoder };
    await collect(maskCtc({ initial: { lattice, search } }).decode(canvasOf(1, { encoder }), { sources: SOURCES }));
    expect([encoded, disposed]).toEqual([1, 1]);
  });

  it('refuses what it cannot do before any compute', async () => {
    const lattice = latticeOf(1);
    const decode = (
      options: Partial<MaskCtcOptions<TokenSource>>,
      more = {},
      from: LatticeModel<TokenSource> = lattice,
    ) =>
      collect(
        maskCtc({ initial: { lattice: from, search }, ...options }).decode(canvasOf(1), { sources: SOURCES, ...more }),
      );
    await assertCode(async () => decode({ threshold: 1.5 }), 'INVALID_ARGUMENT');
    await assertCode(async () => decode({ iterations: 0 }), 'INVALID_ARGUMENT');
    const other = scriptedLatticeModel({ vocabularySize: 9, blankId: 8, frames: () => [] });
    await assertCode(() => decode({}, {}, other), 'INVALID_ARGUMENT');
    const dag = { ...lattice, supports: { kind: 'dag' as const, maxCandidates: 4 } };
    await assertCode(() => decode({}, {}, dag), 'UNSUPPORTED_CAPABILITY');
    const outputPrefixes = SOURCES.map(() => Int32Array.of(1));
    await assertCode(() => decode({}, { outputPrefixes }), 'UNSUPPORTED_CAPABILITY');
    await assertCode(() => decode({}, { initialOutputs: outputPrefixes }), 'UNSUPPORTED_CAPABILITY');
    const short = canvasOf(1, { maxLength: 1 });
    await assertCode(
      () => collect(maskCtc({ initial: { lattice, search } }).decode(short, { sources: SOURCES })),
      'LENGTH_LIMIT',
    );
    expect(short.stillOpen).toBe(0);
  });
});

canvasConformance({
  runner: { describe, it },
  name: 'maskCtc, sure or not',
  createDecoder: () => maskCtc({ initial: { lattice: latticeOf(11), search }, threshold: 0.6, iterations: 2 }),
});
