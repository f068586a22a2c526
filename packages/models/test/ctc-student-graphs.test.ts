import { collect } from '@foretoken/core';
import type { OnnxRuntime } from '@foretoken/core/runtime';
import { greedy } from '@foretoken/greedy';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import * as onnxRuntime from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../src/index.js';
import { codeOf } from './student-fixtures.js';
import { autoregressive, largestDifference, model, SOURCES } from './student-marian.js';
import { TINY } from './tiny-marian.js';

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
