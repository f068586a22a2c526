import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect, type NodeId, type TokenForest } from '@foretoken/core';
import { NodeBatch, nodeIdOf, ROOT } from '@foretoken/core/kit';
import { type OnnxRuntime, openForests, openSessions } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { tokenForestConformance } from '@foretoken/testkit';
import fc from 'fast-check';
import * as onnxRuntime from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { codeOf } from './student-fixtures.js';
import { TINY, writeTinyCtc, writeTinyMarian } from './tiny-marian.js';

const END = 2;
const SOURCES = [
  [5, 9, 4, 11, END],
  [7, END],
  [3, 3, 8, 14, 15, 6, 10, 12, END],
].map((ids) => Int32Array.from(ids));

let model: LoadedModel;
let folders: string[] = [];

beforeAll(async () => {
  const target = join(await mkdtemp(join(tmpdir(), 'foretoken-forest-')), 'model');
  const weights = await writeTinyMarian();
  const ctc = await writeTinyCtc();
  await importModel(weights, target, { weights: 'float32', ctc });
  folders = [weights, ctc, join(target, '..')];
  model = await loadModel(target, { probe: false });
});

afterAll(async () => {
  await model[Symbol.asyncDispose]();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
  expect(openSessions()).toBe(0);
  expect(openForests()).toBe(0);
});

const autoregressive = () => model.part('autoregressive');

function chain(row: number, parent: NodeId, tokenIds: readonly number[]): NodeBatch {
  const nodes = new NodeBatch();
  nodes.addChain(row, parent, tokenIds, 'all');
  return nodes;
}

/** Logits after the last token of a path, from scratch: one row, one forward, no cache. */
async function recompute(source: Int32Array, path: readonly number[]): Promise<Float32Array> {
  const forest = await autoregressive().open([source]);
  try {
    const { logits } = await forest.extend(chain(0, ROOT, path), { kind: 'logits' });
    return logits.subarray((path.length - 1) * TINY.vocabularySize);
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((max, value, index) => Math.max(max, Math.abs(value - b[index])), 0);
}

async function withForest(sources: readonly Int32Array[], run: (forest: TokenForest) => Promise<void>): Promise<void> {
  const forest = await autoregressive().open(sources);
  try {
    await run(forest);
  } finally {
    await forest[Symbol.asyncDispose]();
  }
}

tokenForestConformance({
  runner: { describe, it },
  name: 'Marian on ONNX Runtime',
  createModel: autoregressive,
  sources: SOURCES,
  // Bits may differ between one node and several, and beside other rows, unless rows may join.
  tolerance: 1e-5,
});

describe('a Marian token forest on ONNX Runtime', () => {
  it('gives the logits of recomputing from scratch, to 1e-5, under random growth, pruning, forks and finished rows', async () => {
    const script = fc.array(
      fc.record({
        kind: fc.constantFrom('grow', 'grow', 'retain', 'finish'),
        picks: fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: TINY.vocabularySize - 1 })), {
          minLength: 1,
          maxLength: 5,
        }),
      }),
      { minLength: 2, maxLength: 7 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), script, async (rows, steps) => {
        await withForest(SOURCES.slice(0, rows), async (forest) => {
          const alive = new Map<NodeId, { row: number; path: number[] }>();
          const active = [...SOURCES.keys()].slice(0, rows);
          for (const { kind, picks } of steps) {
            const rowOf = (pick: number): number => active[pick % active.length];
            const [firstPick] = picks[0];
            if (kind === 'grow') {
              const fresh = picks.map(([pick, parentPick, tokenId]) => {
                const row = rowOf(pick);
                const own = [...alive].filter(([, node]) => node.row === row);
                const choice = own[parentPick % (own.length + 1)];
                return { row, parent: choice?.[0] ?? ROOT, tokenId, path: [...(choice?.[1].path ?? []), tokenId] };
              });
              const { firstNode, logits } = await forest.extend(
                {
                  row: Int32Array.from(fresh, ({ row }) => row),
                  parent: Int32Array.from(fresh, ({ parent }) => parent),
                  tokenId: Int32Array.from(fresh, ({ tokenId }) => tokenId),
                },
                { kind: 'logits' },
              );
              for (const [index, { row, path }] of fresh.entries()) {
                const size = TINY.vocabularySize;
                const expected = await recompute(SOURCES[row] as Int32Array, path);
                expect(largestDifference(logits.subarray(index * size, (index + 1) * size), expected)).toBeLessThan(
                  1e-5,
                );
                alive.set(firstNode + index, { row, path });
              }
            } else if (kind === 'retain') {
              const row = rowOf(firstPick);
              const own = [...alive].filter(([, node]) => node.row === row);
              if (own.length === 0) continue;
              const [leaf] = own[firstPick % own.length] as [NodeId, unknown];
              forest.retain(row, [leaf]);
              for (const [node] of own) if (node !== leaf) alive.delete(node);
            } else if (active.length > 1) {
              const row = rowOf(firstPick);
              forest.finish(row);
              active.splice(active.indexOf(row), 1);
              for (const [node, { row: owner }] of alive) if (owner === row) alive.delete(node);
            }
          }
        });
      }),
      { numRuns: 25 },
    );
  });

  it('scores a row alone with the same bits whatever the number of nodes in a forward', async () => {
    const path = [TINY.vocabularySize - 1, 5, 9, 7, 4, 8, 5, 6];
    const scoresOf = async (width: number): Promise<number[]> => {
      const scores: number[] = [];
      await withForest(SOURCES.slice(0, 1), async (forest) => {
        let parent: NodeId = ROOT;
        for (let begin = 0; begin < path.length; begin += width) {
          const nodes = new NodeBatch();
          const last = nodes.addChain(0, parent, path.slice(begin, begin + width), 'all');
          const { firstNode, logits } = await forest.extend(nodes, { kind: 'logits' });
          parent = nodeIdOf(last, firstNode);
          scores.push(...logits);
        }
      });
      return scores;
    };
    const alone = await scoresOf(1);
    for (const width of [2, 3, 5, 8]) expect(await scoresOf(width)).toEqual(alone);
  });

  it('agrees with itself across the four outputs', async () => {
    const path = [TINY.vocabularySize - 1, 5, 9];
    await withForest(SOURCES.slice(0, 1), async (forest) => {
      const nodes = () => chain(0, ROOT, path);
      const { logits } = await forest.extend(nodes(), { kind: 'logits' });
      const { logProbs } = await forest.extend(nodes(), { kind: 'logProbs' });
      const { tokenIds, scores } = await forest.extend(nodes(), { kind: 'argmax' });
      forest.retain(0, []);
      const top = await forest.extend(chain(0, ROOT, path), { kind: 'topK', k: 4 });
      for (let node = 0; node < path.length; node++) {
        const row = logits.subarray(node * TINY.vocabularySize, (node + 1) * TINY.vocabularySize);
        const normaliser = Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0));
        const order = [...row.keys()].sort((a, b) => row[b] - row[a] || a - b);
        expect(tokenIds[node]).toBe(order[0]);
        expect(scores?.[node]).toBe(row[order[0]]);
        expect([...top.tokenIds.subarray(node * 4, node * 4 + 4)]).toEqual(order.slice(0, 4));
        for (const [index, value] of row.entries()) {
          expect(logProbs[node * TINY.vocabularySize + index]).toBeCloseTo(value - normaliser, 4);
        }
        expect(top.logProbs[node * 4]).toBeCloseTo(row[order[0]] - normaliser, 4);
      }
    });
  });

  it('refuses by code what it cannot do', async () => {
    const open = (source: readonly number[]) => () => autoregressive().open([Int32Array.from(source)]);
    expect(await codeOf(open([]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(() => autoregressive().open([]))).toBe('EMPTY_SOURCE');
    expect(await codeOf(open(new Array(TINY.maxPositions + 1).fill(3)))).toBe('SOURCE_TOO_LONG');
    expect(await codeOf(open([TINY.vocabularySize]))).toBe('INVALID_ARGUMENT');
    await withForest(SOURCES.slice(0, 1), async (forest) => {
      const extend = (k: number) => () => forest.extend(chain(0, ROOT, [3]), { kind: 'topK', k });
      expect(await codeOf(extend(0))).toBe('INVALID_ARGUMENT');
      expect(await codeOf(extend(1000))).toBe('INVALID_ARGUMENT');
    });
    const encoding = await autoregressive().encoder?.encode(SOURCES);
    expect(await codeOf(() => autoregressive().open(SOURCES.slice(0, 1), { encoding: encoding as never }))).toBe(
      'INVALID_ARGUMENT',
    );
    encoding?.dispose();
    expect(await codeOf(() => autoregressive().open(SOURCES, { encoding: encoding as never }))).toBe('DISPOSED');
  });
});

describe('the 8-bit twins of a CTC student', () => {
  it.each(['draft', 'fast'])('its %s variant stays close to it, in batches too', async (variant) => {
    const [lattice, quantised] = [model.part('lattice'), model.part('lattice', { variant })];
    expect(quantised).not.toBe(lattice);
    const exact = await lattice.emit(SOURCES, { k: 1 });
    const approximate = await quantised.emit(SOURCES, { k: 1 });
    for (const [row, one] of exact.entries()) {
      const other = approximate[row];
      if (one.kind !== 'ctc' || other?.kind !== 'ctc') throw new TypeError('expected CTC lattices');
      expect(other.frames).toBe(one.frames);
      expect(largestDifference(one.blankLogProbs, other.blankLogProbs)).toBeLessThan(0.2);
      expect(largestDifference(one.logProbs, other.logProbs)).toBeLessThan(0.2);
    }
  });

  it('with an encoder of its own runs no other, shares none, and checks sources as the other does', async () => {
    const [lattice, fastLattice] = [model.part('lattice'), model.part('lattice', { variant: 'fast' })];
    expect(fastLattice.encoder).toBeUndefined();
    await lattice.emit(SOURCES);
    await fastLattice.emit(SOURCES);
    model.timings.reset();
    await fastLattice.emit(SOURCES.slice(0, 1));
    expect(model.timings.runs).toBe(1);
    const codeWith = (sources: readonly Int32Array[], options = {}) => codeOf(() => fastLattice.emit(sources, options));
    expect(await codeWith([])).toBe('EMPTY_SOURCE');
    expect(await codeWith([Int32Array.of()])).toBe('EMPTY_SOURCE');
    expect(await codeWith([new Int32Array(TINY.maxPositions + 1).fill(3)])).toBe('SOURCE_TOO_LONG');
    expect(await codeWith([Int32Array.of(TINY.vocabularySize)])).toBe('INVALID_ARGUMENT');
    const encoding = await lattice.encoder?.encode(SOURCES);
    expect(await codeWith(SOURCES, { encoding })).toBe('INVALID_ARGUMENT');
    encoding?.dispose();
    await expect(fastLattice.emit(SOURCES, { signal: AbortSignal.abort() })).rejects.toThrow();
  });
});

describe('a CTC student on ONNX Runtime', () => {
  const lattice = () => model.part('lattice');

  it('gives each row of a batch what it gives the row alone, with or without a shared encoding', async () => {
    const encoder = lattice().encoder;
    expect(encoder).toBe(autoregressive().encoder);
    const encoding = await encoder?.encode(SOURCES);
    const together = await lattice().emit(SOURCES, { k: 5, encoding: encoding as never });
    encoding?.dispose();
    for (const [row, source] of SOURCES.entries()) {
      const [alone] = await lattice().emit([source], { k: 5 });
      const batched = together[row];
      if (alone?.kind !== 'ctc' || batched?.kind !== 'ctc') throw new TypeError('expected CTC lattices');
      expect(batched.frames).toBe(2 * source.length);
      expect([...batched.tokenIds]).toEqual([...alone.tokenIds]);
      expect(largestDifference(batched.logProbs, alone.logProbs)).toBeLessThan(1e-5);
      expect(largestDifference(batched.blankLogProbs, alone.blankLogProbs)).toBeLessThan(1e-5);
    }
  });

  it('lists candidates best first, the blank under its id, with probabilities of at most 1 in sum', async () => {
    const [emitted] = await lattice().emit(SOURCES.slice(0, 1), { k: 16 });
    if (emitted?.kind !== 'ctc') throw new TypeError('expected a CTC lattice');
    for (let frame = 0; frame < emitted.frames; frame++) {
      const logProbs = emitted.logProbs.subarray(frame * emitted.k, (frame + 1) * emitted.k);
      const tokenIds = emitted.tokenIds.subarray(frame * emitted.k, (frame + 1) * emitted.k);
      expect([...logProbs]).toEqual([...logProbs].sort((a, b) => b - a));
      expect(logProbs.reduce((sum, value) => sum + Math.exp(value), 0)).toBeLessThanOrEqual(1 + 1e-5);
      const blank = tokenIds.indexOf(emitted.blankId);
      if (blank >= 0) expect(logProbs[blank]).toBeCloseTo(emitted.blankLogProbs[frame], 5);
    }
  });

  it('ends in one error where the graphs give scores that are none, also where only the best token is asked for', async () => {
    for (const [value, code] of [
      [Number.NaN, 'INVALID_SCORES'],
      [Number.POSITIVE_INFINITY, 'INVALID_SCORES'],
      [Number.NEGATIVE_INFINITY, 'UNSATISFIABLE_CONSTRAINT'],
    ] as const) {
      const runtime = {
        Tensor: onnxRuntime.Tensor,
        InferenceSession: {
          async create(...input: Parameters<typeof onnxRuntime.InferenceSession.create>) {
            const session = await onnxRuntime.InferenceSession.create(...input);
            const run = session.run.bind(session);
            session.run = async (feeds) => {
              const results = await run(feeds);
              const scores = results.score_0?.data as Float32Array | undefined;
              if (scores !== undefined) scores[1] = value;
              return results;
            };
            return session;
          },
        },
      } as unknown as OnnxRuntime;
      await using broken = await loadModel(model.folder, { probe: false, runtime });
      const target = broken.part('autoregressive');
      const drafter = ngramDrafter({ vocabulary: target.vocabulary });
      for (const decoder of [greedy(), speculative({ drafter })]) {
        const failure = await collect(decoder.decode(target, { sources: SOURCES })).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).toMatchObject({ code, details: { row: 1 } });
      }
    }
  });
});
