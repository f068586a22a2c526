import type { DecodeRequest, Decoder, EditModel, TokenSource } from '@foretoken/core';
import { callback, checkOptions, immediate, integer, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { commonLaws } from './common-laws.js';
import { assertCode, assertShown, assertStream, errorAt, eventsOf, rejectsWith } from './laws.js';
import { nextTurn } from './next-turn.js';
import { randomLogits, type Score } from './random-logits.js';
import { revisionLaws } from './revision-laws.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';
import { randomCanvasScore } from './scripted-canvas.js';
import { type EditCall, type ScriptedEditModel, type ScriptedEditOptions, scriptedEditModel } from './scripted-edit.js';
import { assertSpeculation } from './speculation-laws.js';
import { SteppingClock } from './stepping-clock.js';

/** The decoder of edit models under test. */
export interface EditConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** Makes the decoder under test. */
  readonly createDecoder: () => Decoder<EditModel<TokenSource>>;
  /** Model seeds to try; default 10. */
  readonly models?: number | undefined;
}

const OPTIONS: OptionTable<EditConformanceOptions> = {
  ...SUITE_OPTIONS,
  createDecoder: callback<EditConformanceOptions['createDecoder']>(immediate),
  models: integer(1),
};

const VOCABULARY = 9;
const END = 0;
const START = 7;
const PLACEHOLDER = 8;
const MAX_LENGTH = 12;
const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

const randomOf = (seed: number): Score => randomLogits({ seed, vocabularySize: 2, endTokenId: -1, sharpness: 1 });

/** Up to five tokens at first, later one here and there. */
function insertionsOf(seed: number): ScriptedEditOptions['placeholders'] {
  const random = randomOf(seed);
  return (source, canvas) =>
    Int32Array.from({ length: canvas.length - 1 }, (_, at) =>
      Math.round(random(source, [...canvas, at])[1] * (canvas.length < 5 ? 5 : 1)),
    );
}

/** A model that deletes and inserts at random, by the source and the whole canvas; it fills in the end token now and then. */
const modelOf = (seed: number, more: Partial<ScriptedEditOptions> = {}): ScriptedEditModel => {
  const random = randomOf(seed);
  return scriptedEditModel({
    vocabularySize: VOCABULARY,
    startTokenId: START,
    endTokenId: END,
    placeholderTokenId: PLACEHOLDER,
    maxLength: MAX_LENGTH,
    deletions: (source, canvas) => Float32Array.from(canvas, (_, at) => random(source, [...canvas, at])[0] * 0.7),
    placeholders: insertionsOf(seed),
    score: randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [START], sharpness: 2 }),
    ...more,
  });
};

/** The laws that every decoder of edit models keeps, as tests of the given runner. */
export function editConformance(options: EditConformanceOptions): void {
  const {
    runner,
    name,
    createDecoder,
    models = 10,
  } = checkOptions('editConformance', options, OPTIONS, ['runner', 'name', 'createDecoder']);
  const seeds = Array.from({ length: models }, (_, index) => index + 1);
  const eventsWith = (model: ScriptedEditModel, request: Partial<DecodeRequest<TokenSource>> = {}) =>
    eventsOf(createDecoder().decode(model, { sources: SOURCES, ...request }));
  const decode = async (model: ScriptedEditModel, request: Partial<DecodeRequest<TokenSource>> = {}) =>
    assertStream(await eventsWith(model, request), request.sources?.length ?? SOURCES.length, END);

  runner.describe(`${name} keeps the laws of edit decoders`, () => {
    runner.it('shows what it commits, commits it once, and counts its forwards', async () => {
      for (const seed of seeds) {
        const model = modelOf(seed);
        const events = await eventsWith(model);
        const { statistics, results } = assertStream(events, SOURCES.length, END);
        assert.equal(statistics.forwards, model.forwards, 'statistics.forwards counts the calls of the session');
        assert.equal(model.stillOpen, 0, 'everything opened is released');
        assertSpeculation([events]);
        for (const { row, best } of results) {
          const ofRow = events.filter((event) => 'row' in event && event.row === row);
          const commits = ofRow.filter(({ type }) => type === 'token-commit');
          assert.equal(commits.length, best.tokenIds.length > 0 ? 1 : 0, 'a row is committed once');
          for (const tokenId of [START, PLACEHOLDER])
            assert.ok(!best.tokenIds.includes(tokenId), `token ${tokenId} is none of a text`);
          assertShown(ofRow, best.tokenIds);
        }
      }
    });

    runner.it('says where positions stood in the revision before', async () => {
      for (const seed of seeds) {
        const shown: (Int32Array | undefined)[] = [];
        for (const event of await eventsWith(modelOf(seed))) {
          if (event.type !== 'canvas-revise') continue;
          const before = shown[event.row];
          shown[event.row] = event.tokenIds;
          const { origins } = event;
          assert.equal(origins?.length, event.tokenIds.length, 'every position has an origin, or is new');
          const kept = [...(origins ?? [])].filter((origin) => origin >= 0);
          assert.deepEqual(
            kept,
            [...new Set(kept)].sort((a, b) => a - b),
            'positions keep their order',
          );
          for (const [position, origin] of origins?.entries() ?? []) {
            const old = origin < 0 ? undefined : before?.[origin];
            if (old === undefined || old === PLACEHOLDER) continue;
            assert.equal(event.tokenIds[position], old, 'a token that was moved is the same');
          }
        }
      }
    });

    runner.it('asks of a row in a batch what it asks of the row alone, and nothing of a finished row', async () => {
      for (const seed of seeds) {
        const model = modelOf(seed);
        const finished = new Set<number>();
        let seen = 0;
        for await (const event of createDecoder().decode(model, { sources: SOURCES })) {
          for (const { row } of askedOf(model.calls.slice(seen))) assert.ok(!finished.has(row), 'of a finished row');
          seen = model.calls.length;
          if (event.type === 'token-commit') finished.add(event.row);
        }
        const { results } = await decode(modelOf(seed));
        for (const [row, source] of SOURCES.entries()) {
          const alone = modelOf(seed);
          const { results: own } = await decode(alone, { sources: [source] });
          assert.deepEqual(own[0]?.hypotheses, results[row]?.hypotheses, 'a row gets what it gets alone');
          const asked = askedOf(model.calls).filter((ask) => ask.row === row);
          assert.deepEqual(
            asked.map(({ ask }) => ask),
            askedOf(alone.calls).map(({ ask }) => ask),
          );
        }
      }
    });

    revisionLaws<ScriptedEditModel>({
      runner,
      seeds,
      sources: SOURCES,
      modelOf,
      decode,
      canvasesOf: ({ calls }) => calls.flatMap(({ canvases }) => canvases),
      // The start token comes before the output.
      offset: 1,
      refusals: ['UNSUPPORTED_CAPABILITY', 'INVALID_ARGUMENT'],
    });

    runner.it('depends on nothing but the model and the source, and serves two decodes at once', async () => {
      for (const seed of seeds) {
        const { results } = await decode(modelOf(seed));
        const model = modelOf(seed);
        const decoder = createDecoder();
        const both = [0, 1].map(() => eventsOf(decoder.decode(model, { sources: SOURCES, seed })));
        for (const events of await Promise.all(both)) {
          assert.deepEqual(assertStream(events, SOURCES.length, END).results, results);
        }
        assert.equal(model.stillOpen, 0, 'everything opened is released');
      }
    });

    commonLaws<EditModel<TokenSource>>({
      runner,
      createDecoder,
      modelOf: () => modelOf(1),
      failing: () => modelOf(1, { failAt: 1, error: new Error('broken') }),
      sources: SOURCES,
      endTokenId: END,
    });

    runner.it('refuses bad requests and models of another kind by code before it opens anything', async () => {
      const bad: readonly (readonly [Partial<DecodeRequest<TokenSource>>, 'INVALID_ARGUMENT' | 'EMPTY_SOURCE'])[] = [
        [{ sources: [] }, 'EMPTY_SOURCE'],
        [{ maxNewTokens: 0 }, 'INVALID_ARGUMENT'],
        [{ seed: -1 }, 'INVALID_ARGUMENT'],
        [{ stopSequences: [new Int32Array()] }, 'INVALID_ARGUMENT'],
        [{ outputPrefixes: [new Int32Array()] }, 'INVALID_ARGUMENT'],
      ];
      for (const [request, code] of bad) {
        const model = modelOf(1);
        await assertCode(() => eventsWith(model, request), code);
        assert.deepEqual(model.calls, [], 'nothing was opened');
      }
      const ended = modelOf(1);
      const outputPrefixes = SOURCES.map(() => Int32Array.of(END));
      await assertCode(() => eventsWith(ended, { outputPrefixes }), 'INVALID_ARGUMENT', 'UNSUPPORTED_CAPABILITY');
      assert.deepEqual(ended.calls, [], 'nothing was opened');
      const other = { vocabulary: modelOf(1).vocabulary } as unknown as ScriptedEditModel;
      await assertCode(() => eventsWith(other), 'UNSUPPORTED_CAPABILITY');
    });

    runner.it('refuses scores that are NaN or +Infinity by code, naming row and position', async () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const sound = randomCanvasScore({ seed: 1, vocabularySize: VOCABULARY, never: [START, END] });
        const broken = modelOf(1, {
          placeholders: (_, canvas) => new Int32Array(canvas.length - 1).fill(2),
          score: (source, canvas, position) => {
            const scores = Float32Array.from(sound(source, canvas, position));
            if (source === SOURCES[2] && position === 1) scores[3] = bad;
            return scores;
          },
        });
        await assert.rejects(() => eventsWith(broken), errorAt('INVALID_SCORES', 2, 1));
        assert.equal(broken.stillOpen, 0, 'a failure releases everything');
      }
    });

    runner.it('ends by code where no token can take the place of a placeholder', async () => {
      const nothing = modelOf(1, {
        placeholders: (_, canvas) => new Int32Array(canvas.length - 1).fill(1),
        deletions: (_, canvas) => new Float32Array(canvas.length),
        score: () =>
          Float32Array.from({ length: VOCABULARY }, (_, id) => (id === PLACEHOLDER ? 0 : Number.NEGATIVE_INFINITY)),
      });
      await assertCode(() => eventsWith(nothing), 'UNSATISFIABLE_CONSTRAINT');
      assert.equal(nothing.stillOpen, 0, 'a failure releases everything');
    });

    runner.it('stops at an abort, throws its reason and releases everything', async () => {
      const reason = new Error('enough');
      const before = modelOf(1);
      await assert.rejects(() => eventsWith(before, { signal: AbortSignal.abort(reason) }), reason);
      assert.deepEqual(before.calls, [], 'an aborted request opens nothing');
      for (const seed of seeds) {
        const controller = new AbortController();
        const placeholders = insertionsOf(seed);
        const model = modelOf(seed, {
          placeholders: (...state) => {
            controller.abort(reason);
            return placeholders(...state);
          },
        });
        const aborted = await rejectsWith(() => eventsWith(model, { signal: controller.signal }), reason);
        const forwards = model.forwards;
        const full = modelOf(seed);
        await decode(full);
        assert.ok(aborted || full.forwards === forwards, 'only a decode that was over ignores an abort');
        const first = model.calls
          .filter(({ canvases }) => canvases.length > 0)
          .findIndex(({ call }) => call === 'placeholders');
        assert.equal(forwards, first < 0 ? forwards : first + 1, 'no forward follows an abort');
        assert.equal(model.stillOpen, 0, 'an abort releases everything');
      }
      const controller = new AbortController();
      const model = modelOf(1);
      let seen = Number.POSITIVE_INFINITY;
      nextTurn(() => {
        seen = model.forwards;
        controller.abort(reason);
      });
      // Every look at the clock is so much later that each step is one that has taken long.
      using _clock = new SteppingClock(1_000);
      await assert.rejects(() => eventsWith(model, { signal: controller.signal }), reason);
      assert.ok(model.forwards <= seen + 1, 'at most one forward follows an abort from another turn of the event loop');
    });

    runner.it('fails as a forward does, and releases everything then and when the reader stops reading', async () => {
      const error = new Error('broken');
      for (const failAt of [1, 2, 3]) {
        const model = modelOf(1, { failAt, error });
        const failed = await rejectsWith(() => eventsWith(model), error);
        assert.equal(failed, model.forwards >= failAt, 'the decode fails as the forward did');
        assert.equal(model.stillOpen, 0, 'a failure releases everything');
      }
      const model = modelOf(2);
      for await (const event of createDecoder().decode(model, { sources: SOURCES })) if (event) break;
      assert.equal(model.stillOpen, 0, 'a break releases everything');
    });
  });
}

/** Every question about every canvas, in order. */
function askedOf(calls: readonly EditCall[]): { readonly row: number; readonly ask: string }[] {
  return calls.flatMap(({ call, canvases }) =>
    canvases.map(({ row, tokenIds }) => ({ row, ask: `${call} ${tokenIds.join()}` })),
  );
}
