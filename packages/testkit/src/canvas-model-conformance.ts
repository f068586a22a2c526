import type { Canvas, CanvasModel, CanvasSession, LengthPrediction, OpenOptions, TokenSource } from '@foretoken/core';
import { checkOptions, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import {
  assertDisposal,
  assertFills,
  assertKinds,
  assertLongest,
  assertOthersRefused,
  assertRefusals,
  type FillLaws,
  fullestOf,
  scoresOf,
} from './fill-laws.js';
import { assertCode } from './laws.js';
import {
  assertEncoding,
  assertOptions,
  assertSameScores,
  assertSources,
  type ModelConformanceOptions,
  modelSuiteOptions,
  REQUIRED,
} from './model-suite.js';

type Model = CanvasModel<TokenSource>;

const OPTIONS: OptionTable<ModelConformanceOptions<Model>> = modelSuiteOptions();

/** The laws that every canvas model keeps, as tests of the given runner. */
export function canvasModelConformance(options: ModelConformanceOptions<Model>): void {
  const {
    runner,
    name,
    createModel,
    sources,
    tolerance = 0,
  } = checkOptions('canvasModelConformance', options, OPTIONS, REQUIRED);
  const law = (title: string, body: (model: Model) => Promise<void>): void =>
    runner.it(title, async () => body(await createModel()));
  const fills = (model: Model): FillLaws => ({
    open: () => open(model, sources),
    canvases: canvasesOf(model, sources.length),
    outputs: model.supports.outputs,
    maxCandidates: model.supports.maxCandidates,
    vocabularySize: model.vocabulary.size,
    tolerance,
  });

  runner.describe(`${name} keeps the laws of canvas models`, () => {
    law('fills a canvas beside others as it fills it alone, in their order', async (model) => {
      await assertFills(fills(model));
    });

    law('says in each kind of output what it says in the others', async (model) => {
      await assertKinds(fills(model));
      await assertOthersRefused(fills(model));
    });

    law('predicts lengths best first, of a row beside others as of the row alone, or refuses to', async (model) => {
      await using session = await open(model, sources);
      if (!model.supports.lengths) {
        await assertCode(async () => session.predictLengths(1), 'UNSUPPORTED_CAPABILITY');
        return;
      }
      const all = await session.predictLengths(5);
      assert.deepEqual(
        all.map(({ row }) => row),
        [...sources.keys()],
        'there is one prediction a row',
      );
      for (const prediction of all) assertLengths(prediction, 5);
      for (const [row, { lengths, logProbs }] of (await session.predictLengths(2)).entries()) {
        assert.deepEqual(lengths, all[row].lengths.slice(0, 2), 'fewer lengths are the best of more');
        assert.equal(logProbs.length, lengths.length, 'a log-probability for each length');
        await using alone = await open(model, [sources[row]]);
        const [own] = await alone.predictLengths(5);
        assertSameScores(own.logProbs, all[row].logProbs, tolerance, `lengths of row ${row}`);
      }
      for (const k of [0, 1.5, Number.NaN]) await assertCode(async () => session.predictLengths(k), 'INVALID_ARGUMENT');
    });

    law('refuses canvases that it cannot hold, and goes on after an abort', async (model) => {
      const long = new Int32Array(model.maxLength + 1).fill(model.maskTokenId);
      await assertRefusals(fills(model), [[{ row: 0, tokenIds: long }, 'LENGTH_LIMIT']]);
      if (!model.supports.lengths) return;
      await using session = await open(model, sources);
      const [{ lengths }] = await session.predictLengths(2);
      // Where a source leaves no choice, as a text with masks does, it also says how long a canvas may be.
      if (lengths.length > 1) await assertLongest(fills(model), { row: 0, tokenIds: long.subarray(1) });
    });

    law('keeps its sessions apart, and answers nothing after one was disposed of', async (model) => {
      await assertDisposal(fills(model));
      const session = await open(model, sources);
      await session[Symbol.asyncDispose]();
      await assertCode(async () => session.predictLengths(1), 'DISPOSED', 'UNSUPPORTED_CAPABILITY');
    });

    law(
      'reads an encoding of the sources as it reads the sources, and refuses one that is not of them',
      async (model) => {
        const canvases = canvasesOf(model, sources.length);
        const read = async (from: readonly TokenSource[], more?: OpenOptions) => {
          await using session = await open(model, from, more);
          return await session.fill(canvases, fullestOf(model.supports.outputs));
        };
        await assertEncoding(model.encoder, sources, read, (actual, expected) => {
          for (const [index, prediction] of actual.entries()) {
            assertSameScores(scoresOf(prediction), scoresOf(expected[index]), tolerance, `canvas ${index}`);
          }
        });
      },
    );

    law('refuses options that it does not have, and values of a wrong type', async (model) => {
      await assertOptions(async (options) => model.open(sources, options));
    });

    law('refuses sources that are none, and opens nothing for a signal that was aborted', async (model) => {
      await assertSources((from, more) => open(model, from, more), sources);
    });
  });
}

/** Rejects where a model throws at once. */
async function open(model: Model, sources: readonly TokenSource[], options?: OpenOptions): Promise<CanvasSession> {
  return model.open(sources, options);
}

/** Canvases of every row, masked wholly or in part, of different lengths. */
function canvasesOf({ maskTokenId, maxLength, vocabulary }: Model, rows: number): Canvas[] {
  return Array.from({ length: rows }, (_, row) =>
    [2 + row, 4].map((length, index): Canvas => {
      const tokenIds = new Int32Array(Math.min(length, maxLength)).fill(maskTokenId);
      if (index > 0) tokenIds[0] = (row + 3) % vocabulary.size;
      return { row, tokenIds };
    }),
  ).flat();
}

function assertLengths({ lengths, logProbs }: LengthPrediction, k: number): void {
  assert.ok(lengths.length > 0 && lengths.length <= k, `there are up to ${k} lengths, not ${lengths.length}`);
  assert.equal(logProbs.length, lengths.length, 'a log-probability for each length');
  assert.equal(new Set(lengths).size, lengths.length, 'no length comes twice');
  for (const [rank, length] of lengths.entries()) {
    assert.ok(length >= 0, `a length is not negative, but was ${length}`);
    assert.ok(
      logProbs[rank] <= 1e-5 && (rank === 0 || logProbs[rank] <= logProbs[rank - 1]),
      'lengths come best first',
    );
  }
}
