import type { DecodeRequest, Decoder, LatticeModel, TokenSource } from '@foretoken/core';
import { callback, checkOptions, flag, immediate, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { commonLaws } from './common-laws.js';
import { assertLimits, assertMet, assertStops, type Cut } from './cut-laws.js';
import { assertCode, assertShown, assertStream, eventsOf, outputsOf } from './laws.js';
import { nextTurn } from './next-turn.js';
import { randomLogits } from './random-logits.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';
import { scriptedLatticeModel } from './scripted-lattice.js';
import { assertSpeculation } from './speculation-laws.js';
import { SteppingClock } from './stepping-clock.js';

const VOCABULARY = 7;
const END = 0;
const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

/** The decoder of lattice models under test. */
export interface LatticeConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** Makes the decoder under test. */
  readonly createDecoder: () => Decoder<LatticeModel<TokenSource>>;
  /**
   * The decoder ranks outputs as the request cuts them, by the sum of all that is cut to the same. Default: it does unless it
   * needs one candidate only, so has one path to cut.
   */
  readonly sumsCuts?: boolean | undefined;
}

const OPTIONS: OptionTable<LatticeConformanceOptions> = {
  ...SUITE_OPTIONS,
  createDecoder: callback<LatticeConformanceOptions['createDecoder']>(immediate),
  sumsCuts: flag,
};

const BLANK = VOCABULARY - 1;
const SEEDS: readonly number[] = [1, 2, 3, 4, 5, 6, 9];

/** Frames that depend on the source alone; the end token never wins. */
const latticeModel = (seed = 9): LatticeModel<TokenSource> => {
  const score = randomLogits({
    seed,
    vocabularySize: VOCABULARY,
    endTokenId: END,
    sharpness: 4,
    typicalLength: 1e9,
  });
  const frames = (source: TokenSource) =>
    Array.from({ length: 2 * source.length + 3 }, (_, frame) => score(source, [frame]));
  return scriptedLatticeModel({ vocabularySize: VOCABULARY, endTokenId: END, blankId: BLANK, frames });
};

/** A lattice model that fails on demand, with an encoder whose encodings are counted. */
function encodingModel(error?: Error, onEmit: () => void = () => {}) {
  const inner = latticeModel();
  const counts = { encoded: 0, released: 0 };
  const model: LatticeModel<TokenSource> = {
    ...inner,
    encoder: {
      encode: async (sources) => {
        counts.encoded++;
        return { rows: sources.length, dispose: () => void counts.released++ };
      },
    },
    emit: async (sources, options) => {
      const lattices = await inner.emit(sources, options);
      onEmit();
      if (error !== undefined) throw error;
      return lattices;
    },
  };
  return { model, counts };
}

/** The laws that every lattice decoder keeps. */
export function latticeConformance(options: LatticeConformanceOptions): void {
  const { runner, name, createDecoder, ...rest } = checkOptions('latticeConformance', options, OPTIONS, [
    'runner',
    'name',
    'createDecoder',
  ]);
  const { requires } = createDecoder();
  const { sumsCuts = requires.model === 'lattice' && requires.candidates > 1 } = rest;
  const decode = async (request: DecodeRequest<TokenSource>, model = latticeModel()) =>
    assertStream(await eventsOf(createDecoder().decode(model, request)), request.sources.length, END);

  runner.describe(`${name} keeps the laws of lattice decoders`, () => {
    runner.it('streams commits that add up to the best hypothesis, after one forward a batch', async () => {
      let emits = 0;
      const inner = latticeModel();
      const model: LatticeModel<TokenSource> = {
        ...inner,
        emit: (sources, options) => {
          emits++;
          return inner.emit(sources, options);
        },
      };
      const events = await eventsOf(createDecoder().decode(model, { sources: SOURCES }));
      const { statistics } = assertStream(events, SOURCES.length, END);
      assertSpeculation([events]);
      assert.equal(emits, 1, 'the model runs once');
      assert.equal(statistics.forwards, 1, 'and is counted once');
    });

    runner.it('gives a row of a batch what it gives the row alone', async () => {
      const together = outputsOf(await decode({ sources: SOURCES }));
      assert.ok(
        together.some(({ length }) => length > 1),
        'some row has output',
      );
      for (const [row, source] of SOURCES.entries()) {
        assert.deepEqual(outputsOf(await decode({ sources: [source] })), [together[row]]);
      }
    });

    runner.it('cuts at maxNewTokens exactly', async () => {
      for (const seed of SEEDS) {
        const full = await decode({ sources: SOURCES }, latticeModel(seed));
        await assertLimits(full, (cut) => decode({ sources: SOURCES, ...cut }, latticeModel(seed)), sumsCuts);
      }
    });

    runner.it('stops every row at a stop sequence, and with the token that completes a stop string', async () => {
      const seen = new Set<string>();
      for (const seed of SEEDS) {
        const full = await decode({ sources: SOURCES }, latticeModel(seed));
        const cutBy = (cut: Cut) => decode({ sources: SOURCES, ...cut }, latticeModel(seed));
        for (const stop of await assertStops(full, cutBy, sumsCuts)) seen.add(stop);
      }
      assertMet(seen);
    });

    runner.it('depends on nothing but the model, the source and the seed, and serves two decodes at once', async () => {
      for (const seed of SEEDS) {
        const { results } = await decode({ sources: SOURCES, seed }, latticeModel(seed));
        const decoder = createDecoder();
        const model = latticeModel(seed);
        const alone = SOURCES.map((source) => eventsOf(decoder.decode(model, { sources: [source], seed })));
        for (const [row, events] of (await Promise.all(alone)).entries()) {
          assert.deepEqual(assertStream(events, 1, END).results[0]?.hypotheses, results[row]?.hypotheses);
        }
      }
    });

    runner.it('shows what it commits', async () => {
      for (const seed of SEEDS) {
        const events = await eventsOf(createDecoder().decode(latticeModel(seed), { sources: SOURCES }));
        for (const [row, output] of outputsOf(assertStream(events, SOURCES.length, END)).entries()) {
          assertShown(
            events.filter((event) => 'row' in event && event.row === row),
            Int32Array.from(output),
          );
        }
      }
    });

    runner.it(
      'releases what it encoded, whether it ends, fails or is no longer read, and fails as the model does',
      async () => {
        const reason = new Error('broken');
        for (const failing of [false, true]) {
          const { model, counts } = encodingModel(failing ? reason : undefined);
          if (failing) await assert.rejects(decode({ sources: SOURCES }, model), reason);
          else await decode({ sources: SOURCES }, model);
          assert.equal(counts.released, counts.encoded, 'every encoding is released');
        }
        const { model, counts } = encodingModel();
        for await (const event of createDecoder().decode(model, { sources: SOURCES })) if (event) break;
        assert.equal(counts.released, counts.encoded, 'a break releases everything');
      },
    );

    runner.it('stops at an abort while the model is asked, throws its reason and releases everything', async () => {
      const reason = new Error('enough');
      const controller = new AbortController();
      const { model, counts } = encodingModel(undefined, () => controller.abort(reason));
      await assert.rejects(decode({ sources: SOURCES, signal: controller.signal }, model), reason);
      assert.equal(counts.released, counts.encoded, 'an abort releases everything');
    });

    runner.it('stops at the first step after an abort, and lets timers run in between', async () => {
      for (const place of [0, 1, 3]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const inner = latticeModel();
        using clock = new SteppingClock(1_000);
        let abortedAt = Number.POSITIVE_INFINITY;
        const abortAt = (turns: number): void => {
          nextTurn(() => {
            if (turns > 0) return abortAt(turns - 1);
            abortedAt = clock.looks;
            controller.abort(reason);
          });
        };
        const model: LatticeModel<TokenSource> = {
          ...inner,
          emit: async (sources, options) => {
            abortAt(place);
            return inner.emit(sources, options);
          },
        };
        const sources = Array.from({ length: 12 }, (_, row) => SOURCES[row % SOURCES.length]);
        await assert.rejects(eventsOf(createDecoder().decode(model, { sources, signal: controller.signal })), reason);
        assert.ok(clock.looks <= abortedAt + 1, 'nothing is computed after the abort');
      }
    });

    commonLaws<LatticeModel<TokenSource>>({
      runner,
      createDecoder,
      modelOf: latticeModel,
      failing: () => encodingModel(new Error('broken')).model,
      sources: SOURCES,
      endTokenId: END,
    });

    runner.it('refuses bad requests and unsuitable models by code, before any compute', async () => {
      const model: LatticeModel<TokenSource> = {
        ...latticeModel(),
        emit: () => Promise.reject(new Error('the model was asked')),
      };
      const run =
        (request: Partial<DecodeRequest<TokenSource>>, on = model) =>
        () =>
          eventsOf(createDecoder().decode(on, { sources: SOURCES, ...request }));
      await assertCode(run({ sources: [] }), 'EMPTY_SOURCE');
      await assertCode(run({ maxNewTokens: 0 }), 'INVALID_ARGUMENT');
      await assertCode(run({ seed: 1.5 }), 'INVALID_ARGUMENT');
      await assertCode(run({ stopSequences: [new Int32Array()] }), 'INVALID_ARGUMENT');
      await assertCode(run({ outputPrefixes: [new Int32Array()] }), 'INVALID_ARGUMENT');
      assert.equal(requires.model, 'lattice');
      if (requires.model === 'lattice' && !requires.kinds.includes('dag')) {
        await assertCode(run({}, { ...model, supports: { kind: 'dag', maxCandidates: 4 } }), 'UNSUPPORTED_CAPABILITY');
      }
      const reason = new Error('enough');
      await assert.rejects(run({ signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
