import type { CanvasModel, DecodeRequest, Decoder, TokenSource } from '@foretoken/core';
import { callback, checkOptions, immediate, integer, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { canvasScoreLaws } from './canvas-score-laws.js';
import { END, filledOf, MASK, MAX_LENGTH, modelOf, SOURCES, TWO_OR_MORE, VOCABULARY } from './canvas-suite.js';
import { commonLaws } from './common-laws.js';
import { assertCode, assertShown, assertStream, eventsOf, rejectsWith } from './laws.js';
import { nextTurn } from './next-turn.js';
import { revisionLaws } from './revision-laws.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';
import { randomCanvasScore, type ScriptedCanvasModel, type ScriptedCanvasOptions } from './scripted-canvas.js';
import { assertSpeculation } from './speculation-laws.js';
import { SteppingClock } from './stepping-clock.js';

/** The decoder of canvas models under test. */
export interface CanvasConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** Makes the decoder under test. */
  readonly createDecoder: () => Decoder<CanvasModel<TokenSource>>;
  /** Model seeds to try; default 10. */
  readonly models?: number | undefined;
}

const OPTIONS: OptionTable<CanvasConformanceOptions> = {
  ...SUITE_OPTIONS,
  createDecoder: callback<CanvasConformanceOptions['createDecoder']>(immediate),
  models: integer(1),
};

/** The laws that every decoder of canvas models keeps, as tests of the given runner. */
export function canvasConformance(options: CanvasConformanceOptions): void {
  const {
    runner,
    name,
    createDecoder,
    models = 10,
  } = checkOptions('canvasConformance', options, OPTIONS, ['runner', 'name', 'createDecoder']);
  const seeds = Array.from({ length: models }, (_, index) => index + 1);
  const eventsWith = (model: ScriptedCanvasModel, request: Partial<DecodeRequest<TokenSource>> = {}) =>
    eventsOf(createDecoder().decode(model, { sources: SOURCES, ...request }));
  const decode = async (model: ScriptedCanvasModel, request: Partial<DecodeRequest<TokenSource>> = {}) =>
    assertStream(await eventsWith(model, request), request.sources?.length ?? SOURCES.length, END);

  runner.describe(`${name} keeps the laws of canvas decoders`, () => {
    runner.it('shows what it commits, commits it once, and counts its forwards', async () => {
      for (const seed of seeds) {
        const model = modelOf(seed);
        const events = await eventsWith(model);
        const { statistics, results } = assertStream(events, SOURCES.length, END);
        assert.equal(statistics.forwards, model.forwards, 'statistics.forwards counts the calls of fill');
        assertSpeculation([events]);
        assert.equal(model.stillOpen, 0, 'everything opened is released');
        for (const { row, hypotheses } of results) {
          const ofRow = events.filter((event) => 'row' in event && event.row === row);
          const tokenIds = hypotheses[0]?.tokenIds;
          const commits = ofRow.filter(({ type }) => type === 'token-commit');
          assert.equal(commits.length, tokenIds.length > 0 ? 1 : 0, 'a row is committed once');
          assert.ok(!tokenIds.includes(MASK), 'no output holds the mask');
          assertShown(ofRow, tokenIds);
        }
      }
    });

    runner.it('gives a row of a batch what it gives the row alone', async () => {
      for (const seed of seeds) {
        const { results } = await decode(modelOf(seed));
        for (const [row, source] of SOURCES.entries()) {
          const alone = await decode(modelOf(seed), { sources: [source] });
          assert.deepEqual(alone.results[0]?.hypotheses, results[row]?.hypotheses);
        }
      }
    });

    runner.it('asks of a row in a batch what it asks of the row alone, and fills a finished row no more', async () => {
      for (const seed of seeds) {
        const model = modelOf(seed);
        const finished = new Set<number>();
        let seen = 0;
        for await (const event of createDecoder().decode(model, { sources: SOURCES })) {
          for (const { row } of filledOf(model, seen)) assert.ok(!finished.has(row), 'a finished row was filled');
          seen = model.calls.length;
          if (event.type === 'token-commit') finished.add(event.row);
        }
        for (const [row, source] of SOURCES.entries()) {
          const alone = modelOf(seed);
          await decode(alone, { sources: [source] });
          const asked = filledOf(model).filter((canvas) => canvas.row === row);
          assert.deepEqual(
            asked.map(({ tokenIds }) => tokenIds),
            filledOf(alone).map(({ tokenIds }) => tokenIds),
          );
        }
      }
    });

    revisionLaws<ScriptedCanvasModel>({
      runner,
      seeds,
      sources: SOURCES,
      modelOf,
      decode,
      canvasesOf: filledOf,
      offset: 0,
      refusals: ['UNSUPPORTED_CAPABILITY'],
    });

    runner.it('depends on nothing but the model, the source and the seed', async () => {
      for (const seed of seeds) {
        const request = { seed: seed * 7919 };
        const { results } = await decode(modelOf(seed), request);
        assert.deepEqual((await decode(modelOf(seed), request)).results, results, 'the same again');
        const model = modelOf(seed);
        const decoder = createDecoder();
        const alone = SOURCES.map((source) => eventsOf(decoder.decode(model, { sources: [source], ...request })));
        for (const [row, events] of (await Promise.all(alone)).entries()) {
          assert.deepEqual(assertStream(events, 1, END).results[0]?.hypotheses, results[row]?.hypotheses, 'or at once');
        }
      }
    });

    commonLaws<CanvasModel<TokenSource>>({
      runner,
      createDecoder,
      modelOf: () => modelOf(1),
      failing: () => modelOf(1, { failAt: 1 }),
      sources: SOURCES,
      endTokenId: END,
    });

    runner.it('is refused before any compute by a model that lacks what it requires', async () => {
      const { requires } = createDecoder();
      assert.equal(requires.model, 'canvas');
      if (requires.model !== 'canvas') return;
      const all = ['argmax', 'topK', 'logProbs', 'logits'] as const;
      const lacking: ScriptedCanvasOptions['supports'][] = requires.outputs.map((kind) => ({
        outputs: all.filter((other) => other !== kind),
      }));
      if (requires.lengths) lacking.push({ lengths: false });
      if (requires.candidates > 0) lacking.push({ maxCandidates: requires.candidates - 1 });
      for (const supports of lacking) {
        const model = modelOf(1, { supports: supports ?? {} });
        await assertCode(() => eventsWith(model), 'UNSUPPORTED_CAPABILITY');
        assert.deepEqual(model.calls, [], 'nothing was opened');
      }
    });

    runner.it('refuses bad requests by code before it opens anything', async () => {
      const bad: readonly (readonly [Partial<DecodeRequest<TokenSource>>, 'INVALID_ARGUMENT' | 'EMPTY_SOURCE'])[] = [
        [{ sources: [] }, 'EMPTY_SOURCE'],
        [{ maxNewTokens: 0 }, 'INVALID_ARGUMENT'],
        [{ maxNewTokens: Number.NaN }, 'INVALID_ARGUMENT'],
        [{ seed: -1 }, 'INVALID_ARGUMENT'],
        [{ stopSequences: [new Int32Array()] }, 'INVALID_ARGUMENT'],
        [{ outputPrefixes: [new Int32Array()] }, 'INVALID_ARGUMENT'],
      ];
      for (const [request, code] of bad) {
        const model = modelOf(1);
        await assertCode(() => eventsWith(model, request), code);
        assert.deepEqual(model.calls, [], 'nothing was opened');
      }
    });

    runner.it('refuses lengths that the model cannot hold by code', async () => {
      const { requires } = createDecoder();
      if (requires.model === 'canvas' && requires.lengths) {
        const long = modelOf(1, { lengths: () => Array.from({ length: MAX_LENGTH + 2 }, (_, length) => 9 * length) });
        await assertCode(() => eventsWith(long), 'LENGTH_LIMIT');
        assert.equal(long.forwards, 0, 'nothing was filled');
        assert.equal(long.stillOpen, 0, 'a refusal releases everything');
      }
    });

    canvasScoreLaws(runner, seeds, decode);

    runner.it('stops at an abort, throws its reason and releases everything', async () => {
      const reason = new Error('enough');
      const before = modelOf(1);
      await assert.rejects(() => eventsWith(before, { signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(before.calls, [], 'an aborted request opens nothing');
      for (const seed of seeds) {
        const controller = new AbortController();
        const score = randomCanvasScore({ seed, vocabularySize: VOCABULARY });
        const model = modelOf(seed, {
          score: (...state) => {
            controller.abort(reason);
            return score(...state);
          },
        });
        const full = modelOf(seed, { score });
        const { statistics } = await decode(full);
        // A decoder may run another model too, once this one has been asked.
        const forwards = statistics.forwards + (statistics.otherForwards ?? 0);
        const aborted = await rejectsWith(() => eventsWith(model, { signal: controller.signal }), reason);
        assert.ok(aborted || forwards <= 1, 'only a decode that had no forward left ignores an abort');
        assert.equal(model.forwards, Math.min(full.forwards, 1), 'no forward follows an abort');
        assert.equal(model.stillOpen, 0, 'an abort releases everything');
      }
    });

    runner.it('stops within a forward at an abort from another turn of the event loop', async () => {
      const sources = Array.from({ length: 40 }, (_, row) => SOURCES[row % SOURCES.length]);
      for (const turns of [0, 1, 3]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const model = modelOf(1, { lengths: () => TWO_OR_MORE });
        let forwards = Number.POSITIVE_INFINITY;
        const abortAfter = (left: number): void => {
          nextTurn(() => {
            if (left > 0) return abortAfter(left - 1);
            forwards = model.forwards;
            controller.abort(reason);
          });
        };
        // Every look at the clock is so much later that each step is one that has taken long.
        using _clock = new SteppingClock(1_000);
        abortAfter(turns);
        await assert.rejects(() => eventsWith(model, { sources, signal: controller.signal }), reason);
        assert.ok(model.forwards <= forwards + 1, 'at most one forward follows an abort');
        assert.equal(model.stillOpen, 0, 'an abort releases everything');
      }
    });

    runner.it('releases everything when a forward fails or the reader stops reading', async () => {
      const error = new Error('broken');
      for (const failAt of [1, 2]) {
        const model = modelOf(1, { failAt, error });
        const full = modelOf(1);
        await decode(full);
        if (full.forwards >= failAt) await assert.rejects(() => eventsWith(model), error);
        assert.equal(model.stillOpen, 0, 'a failure releases everything');
      }
      const model = modelOf(2);
      for await (const event of createDecoder().decode(model, { sources: SOURCES })) if (event) break;
      assert.equal(model.stillOpen, 0, 'a break releases everything');
    });
  });
}
