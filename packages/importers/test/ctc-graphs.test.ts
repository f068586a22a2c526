import type { FloatSource } from '@foretoken/models';
import { ctcGreedy, ctcPrefixBeam } from '@foretoken/one-shot';
import { describe, expect, it } from 'vitest';
import type { CtcImportOptions } from '../src/adapters/ctc/ctc-options.js';
import { type CtcFixture, saying } from './ctc-fixture.js';
import { imported, LABELS, load, refusal } from './ctc-folders.js';

const FIXTURE: CtcFixture = { classes: 6, blankId: 0 };
const SAID = saying([1, 1, -1, 1, 5, 5]);

async function heard(fixture: CtcFixture, options: Partial<CtcImportOptions> = {}, sources = [SAID]) {
  const { target, manifest } = await imported(fixture, options);
  await using model = await load(target);
  const greedy = await model.decode(sources, ctcGreedy<FloatSource>({ alignments: true }));
  const [beam] = await model.decode([sources[0]], ctcPrefixBeam<FloatSource>({ hypotheses: 2 }));
  const scores = beam.hypotheses.map(({ score = Number.NaN }) => score);
  return { manifest, greedy: greedy.map(({ text }) => text), beam: beam.text, scores, facts: model.description.facts };
}

describe('floats of a CTC graph', () => {
  for (const layout of ['batch-time', 'time-batch'] as const) {
    for (const values of ['logits', 'logProbs', 'probabilities'] as const) {
      it(`may have 16 or 64 bits: ${layout}, ${values}`, async () => {
        const plain = await heard({ ...FIXTURE, layout, values });
        for (const floats of [
          { in: 'float16' },
          { out: 'float16' },
          { in: 'float16', out: 'float16' },
          { in: 'float64', out: 'float64' },
          { in: 'float16', out: 'float64' },
        ] as const) {
          const found = await heard({ ...FIXTURE, layout, values, floats }, {}, [SAID, saying([3]), SAID]);
          expect(found.manifest.frames, JSON.stringify(floats)).toMatchObject({
            layout,
            values,
            batches: 'equal-lengths',
          });
          expect(found.greedy).toEqual(['aae', 'c', 'aae']);
          expect(found.beam).toBe('aae');
          // Half a unit of the tenth bit of scores up to 100.
          for (const [at, score] of found.scores.entries())
            expect(Math.abs(score - plain.scores[at])).toBeLessThan(0.2);
        }
      });
    }
  }

  it('are told apart as log-probabilities, though 16 bits round them', async () => {
    const labels = Array.from({ length: 400 }, (_, at) => `label ${at}`);
    // The logarithm of 1 / 401 is rounded by so much that all add up to 1.0018.
    const fixture: CtcFixture = {
      classes: 401,
      blankId: 0,
      values: 'logProbs',
      flat: true,
      floats: { out: 'float16' },
    };
    const { manifest } = await imported(fixture, { dictionary: labels });
    expect(manifest.frames).toMatchObject({ values: 'logProbs' });
  });

  it('are refused by their type before anything is computed where JavaScript has none of them', async () => {
    for (const floats of [{ in: 'bfloat16' }, { out: 'bfloat16' }] as const) {
      const error = await refusal({ ...FIXTURE, floats, spoilt: { by: Number.NaN } }, {});
      expect(error).toMatchObject({ code: 'UNSUPPORTED_MODEL' });
      expect(error.message).toMatch(/bfloat16/);
    }
    const named = await refusal({ ...FIXTURE, floats: { out: 'bfloat16' } }, { output: 'scores' });
    expect(named).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'scores', received: 'bfloat16' } });
  });
});

describe('a CTC graph of a fixed size', () => {
  it('reads sources of that size, one at a time or together', async () => {
    for (const layout of ['batch-time', 'time-batch'] as const) {
      for (const batch of [undefined, 1]) {
        const fixture: CtcFixture = { ...FIXTURE, layout, fixed: { frames: 6, batch } };
        const { manifest, greedy, facts } = await heard(fixture, {}, [SAID, saying([2, -1, -1, 3, 3, -1]), SAID]);
        expect(manifest.frames).toMatchObject({
          dims: [6, 3],
          layout,
          batches: batch === undefined ? 'equal-lengths' : 'alone',
        });
        expect(greedy).toEqual(['aae', 'bc', 'aae']);
        expect(facts).toContainEqual(['reads', '[6, 3], 6 frames']);
      }
    }
  });

  it('refuses sources of another size, and is refused where it is told their lengths', async () => {
    const { target } = await imported({ ...FIXTURE, fixed: { frames: 6 } });
    await using model = await load(target);
    for (const length of [5, 7]) {
      const decoding = model.decode(saying(new Array(length).fill(1)), ctcGreedy<FloatSource>());
      await expect(decoding).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: '[6, 3]' } });
    }
    const told = await refusal({ ...FIXTURE, fixed: { frames: 6 }, lengths: true }, {});
    expect(told).toMatchObject({ code: 'UNSUPPORTED_MODEL', details: { field: 'feature_lengths' } });
    const layout = await refusal({ ...FIXTURE, fixed: { frames: 6 } }, { layout: 'time-batch' });
    expect(layout).toMatchObject({ code: 'INVALID_ARGUMENT', details: { required: 'batch-time' } });
    const two = await refusal({ ...FIXTURE, fixed: { frames: 2, batch: 3 } }, {});
    expect(two).toMatchObject({ code: expect.stringMatching(/UNSUPPORTED_MODEL|RUNTIME_FAILURE/) });
  });

  it('may be as long as a recording', async () => {
    const { manifest } = await imported({ ...FIXTURE, fixed: { frames: 80_000, batch: 1 } });
    expect(manifest.frames).toMatchObject({ dims: [80_000, 3] });
  });

  it('is understood with one frame, and with as many as a batch', async () => {
    for (const layout of ['batch-time', 'time-batch'] as const) {
      for (const [frames, batch] of [
        [1, 1],
        [1, undefined],
        [2, undefined],
      ] as const) {
        const ids = frames === 1 ? [2] : [2, 4];
        const { greedy } = await heard({ ...FIXTURE, layout, fixed: { frames, batch } }, {}, [
          saying(ids),
          saying(ids),
        ]);
        expect(greedy, `${layout} ${frames} ${batch}`).toEqual(frames === 1 ? ['b', 'b'] : ['bd', 'bd']);
      }
    }
  });
});

describe('scores whose dimensions are declared otherwise than they are', () => {
  it('are read as they come out', async () => {
    for (const layout of ['batch-time', 'time-batch'] as const) {
      for (const declared of [[1, 'seqlen'], ['n'], ['a', 'b', 'c', 'd']]) {
        const { greedy, manifest } = await heard({ ...FIXTURE, layout, declared });
        expect(greedy).toEqual(['aae']);
        expect(manifest.frames).toMatchObject({ layout });
      }
    }
    const labels = { dictionary: [...LABELS, 'f'] };
    expect(await refusal({ ...FIXTURE, declared: [1, 'seqlen'] }, labels)).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
