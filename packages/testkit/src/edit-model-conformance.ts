import type { Canvas, EditModel, EditSession, OpenOptions, TokenSource } from '@foretoken/core';
import { checkOptions, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertDisposal, assertFills, assertKinds, assertLongest, assertRefusals, type FillLaws } from './fill-laws.js';
import { assertCode, rejectsWith } from './laws.js';
import {
  assertEncoding,
  assertOptions,
  assertSameScores,
  assertSources,
  type ModelConformanceOptions,
  modelSuiteOptions,
  REQUIRED,
} from './model-suite.js';

type Model = EditModel<TokenSource>;

const OPTIONS: OptionTable<ModelConformanceOptions<Model>> = modelSuiteOptions();

/** The laws that every edit model keeps, as tests of the given runner. */
export function editModelConformance(options: ModelConformanceOptions<Model>): void {
  const {
    runner,
    name,
    createModel,
    sources,
    tolerance = 0,
  } = checkOptions('editModelConformance', options, OPTIONS, REQUIRED);
  const law = (title: string, body: (model: Model) => Promise<void>): void =>
    runner.it(title, async () => body(await createModel()));
  const fills = (model: Model): FillLaws => ({
    open: () => open(model, sources),
    canvases: canvasesOf(model, sources.length, true),
    outputs: model.supports.outputs,
    maxCandidates: model.supports.maxCandidates,
    vocabularySize: model.vocabulary.size,
    tolerance,
  });

  runner.describe(`${name} keeps the laws of edit models`, () => {
    law('says of a canvas beside others what it says of it alone, in their order', async (model) => {
      const canvases = canvasesOf(model, sources.length, false);
      const before = structuredClone(canvases);
      await using session = await open(model, sources);
      const deletions = await session.deletions(canvases);
      const placeholders = await session.placeholders(canvases);
      assert.deepEqual(canvases, before, 'canvases are read only');
      assert.deepEqual(
        [deletions.length, placeholders.length],
        [canvases.length, canvases.length],
        'one answer a canvas',
      );
      for (const [index, canvas] of canvases.entries()) {
        await using apart = await open(model, sources);
        const [deleted] = await apart.deletions([canvas]);
        const [inserted] = await apart.placeholders([canvas]);
        assertSameScores(deletions[index], deleted, tolerance, `deletions of canvas ${index}`);
        assert.deepEqual(placeholders[index], inserted, `placeholders of canvas ${index}`);
      }
    });

    law('gives a log-probability to each deletion, and a number of placeholders to each gap', async (model) => {
      const canvases = canvasesOf(model, sources.length, false);
      await using session = await open(model, sources);
      for (const [index, logProbs] of (await session.deletions(canvases)).entries()) {
        assert.equal(logProbs.length, canvases[index].tokenIds.length, 'every position may be deleted');
        for (const logProb of logProbs) assert.ok(logProb <= 0, `a log-probability is not above 0, but was ${logProb}`);
      }
      for (const [index, counts] of (await session.placeholders(canvases)).entries()) {
        assert.equal(counts.length, canvases[index].tokenIds.length - 1, 'there is a gap between neighbours');
        for (const count of counts)
          assert.ok(count >= 0, `no gap has fewer than no placeholders, but one had ${count}`);
      }
    });

    law('fills a canvas beside others as it fills it alone, in their order', async (model) => {
      await assertFills(fills(model));
    });

    law('ranks candidates best first', async (model) => {
      await assertKinds(fills(model));
    });

    law('refuses canvases that are none, and goes on after an abort', async (model) => {
      const { startTokenId, vocabulary, maxLength } = model;
      const within = (length: number): Int32Array => {
        const tokenIds = new Int32Array(length).fill(wordOf(model));
        tokenIds[0] = startTokenId;
        tokenIds[length - 1] = vocabulary.endTokenId;
        return tokenIds;
      };
      const unbegun = within(3);
      unbegun[0] = wordOf(model);
      const unended = within(3);
      unended[2] = wordOf(model);
      const bad = [
        [{ row: 0, tokenIds: within(maxLength + 1) }, 'LENGTH_LIMIT'],
        [{ row: 0, tokenIds: unbegun }, 'INVALID_ARGUMENT'],
        [{ row: 0, tokenIds: unended }, 'INVALID_ARGUMENT'],
        [{ row: 0, tokenIds: new Int32Array() }, 'INVALID_ARGUMENT'],
      ] as const;
      await assertRefusals(fills(model), bad);
      await assertLongest(fills(model), { row: 0, tokenIds: within(maxLength) });
      await using session = await open(model, sources);
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      const canvases = canvasesOf(model, sources.length, false);
      for (const ask of ['deletions', 'placeholders'] as const) {
        for (const [canvas, code] of bad) await assertCode(async () => session[ask]([canvas]), code);
        await assertCode(async () => session[ask]([]), 'INVALID_ARGUMENT');
        assert.ok(await rejectsWith(async () => session[ask](canvases, signal), reason), 'an abort ends it');
      }
    });

    law('keeps its sessions apart, and answers nothing after one was disposed of', async (model) => {
      await assertDisposal(fills(model));
      const session = await open(model, sources);
      await session[Symbol.asyncDispose]();
      const canvases = canvasesOf(model, sources.length, false);
      await assertCode(async () => session.deletions(canvases), 'DISPOSED');
      await assertCode(async () => session.placeholders(canvases), 'DISPOSED');
    });

    law(
      'reads an encoding of the sources as it reads the sources, and refuses one that is not of them',
      async (model) => {
        const canvases = canvasesOf(model, sources.length, false);
        const read = async (from: readonly TokenSource[], more?: OpenOptions) => {
          await using session = await open(model, from, more);
          return await session.deletions(canvases);
        };
        await assertEncoding(model.encoder, sources, read, (actual, expected) => {
          for (const [index, scores] of actual.entries())
            assertSameScores(scores, expected[index], tolerance, `canvas ${index}`);
        });
      },
    );

    law('refuses options that it does not have, and values of a wrong type', async (model) => {
      await assertOptions(async (options) => model.open(sources, options));
    });

    law('refuses sources that are none, and opens nothing for a signal that was aborted', async (model) => {
      await assertSources((from, more) => open(model, from, more), sources);
      await assertCode(() => open(model, [sources[0], new Int32Array()]), 'EMPTY_SOURCE');
    });
  });
}

/** Rejects where a model throws at once. */
async function open(model: Model, sources: readonly TokenSource[], options?: OpenOptions): Promise<EditSession> {
  return model.open(sources, options);
}

/** A token of a text: none that has a task of its own. */
function wordOf({ startTokenId, placeholderTokenId, vocabulary }: Model, rank = 0): number {
  const { size, endTokenId, padTokenId, unknownTokenId } = vocabulary;
  const special = [startTokenId, placeholderTokenId, endTokenId, padTokenId, unknownTokenId];
  const words = Array.from({ length: Math.min(size, 64) }, (_, id) => id).filter((id) => !special.includes(id));
  return words[rank % words.length];
}

/** Canvases of every row between their boundaries, of different lengths; with placeholders or without. */
function canvasesOf(model: Model, rows: number, placeholders: boolean): Canvas[] {
  const { startTokenId, placeholderTokenId, vocabulary, maxLength } = model;
  return Array.from({ length: rows }, (_, row) =>
    [1 + row, 3].map((length): Canvas => {
      const inner = Array.from({ length: Math.min(length, maxLength - 2) }, (_unused, at) =>
        placeholders && at % 2 === 0 ? placeholderTokenId : wordOf(model, row + at),
      );
      return { row, tokenIds: Int32Array.of(startTokenId, ...inner, vocabulary.endTokenId) };
    }),
  ).flat();
}
