import {
  type AutoregressiveModel,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  type TokenSource,
} from '@foretoken/core';
import { callback, checkOptions, flag, immediate, integer, type OptionTable } from '@foretoken/core/kit';
import assert from './assert.js';
import { assertCachedPrompt } from './cached-laws.js';
import { commonLaws } from './common-laws.js';
import { assertLimits, assertMet, assertStops } from './cut-laws.js';
import { END, MAX_LENGTH, modelOf, SOURCES, scoreOf } from './decoder-models.js';
import { assertFinished, assertOverAtOnce } from './finish-laws.js';
import { assertCode, assertStream, eventsOf, outputsOf, rejectsWith } from './laws.js';
import { nextTurn } from './next-turn.js';
import { type RecordingModel, type RecordingOptions, recording } from './recording.js';
import { type Runner, SUITE_OPTIONS } from './runner.js';
import { assertSpeculation } from './speculation-laws.js';
import { SteppingClock } from './stepping-clock.js';
import { assertTokenLogProbs } from './token-log-prob-laws.js';

type Autoregressive = AutoregressiveModel<TokenSource>;

/** The decoder of autoregressive models under test. */
export interface AutoregressiveConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  /** Makes the decoder under test; `model` is the one it will run on, for decoders that draft from it. */
  readonly createDecoder: (model: Autoregressive) => Decoder<Autoregressive>;
  /** Model seeds to try; default 20. */
  readonly models?: number | undefined;
  /** It chooses among several hypotheses, so a tighter limit may change which is the best (default false). */
  readonly search?: boolean | undefined;
}

const OPTIONS: OptionTable<AutoregressiveConformanceOptions> = {
  ...SUITE_OPTIONS,
  createDecoder: callback<AutoregressiveConformanceOptions['createDecoder']>(immediate),
  models: integer(1),
  search: flag,
};

/** The laws that every autoregressive decoder keeps, as tests of the given runner. */
export function autoregressiveConformance(options: AutoregressiveConformanceOptions): void {
  const {
    runner,
    name,
    createDecoder,
    models = 20,
    search = false,
  } = checkOptions('autoregressiveConformance', options, OPTIONS, ['runner', 'name', 'createDecoder']);
  const seeds = Array.from({ length: models }, (_, index) => index + 1);
  const record = (seed: number, watch: RecordingOptions = {}): RecordingModel<TokenSource> =>
    recording(modelOf(seed), watch);
  const decode = async (model: Autoregressive, request: DecodeRequest<TokenSource>) =>
    assertStream(await eventsOf(createDecoder(model).decode(model, request)), request.sources.length, END);

  runner.describe(`${name} keeps the laws of autoregressive decoders`, () => {
    runner.it('streams commits that add up to the best hypothesis, and counts its forwards', async () => {
      const decodes: (readonly DecodeEvent[])[] = [];
      for (const seed of seeds) {
        const model = record(seed);
        const events = await eventsOf(createDecoder(model).decode(model, { sources: SOURCES }));
        decodes.push(events);
        const { statistics, results } = assertStream(events, SOURCES.length, END);
        for (const { row, hypotheses } of results) {
          for (const hypothesis of hypotheses) assertTokenLogProbs(hypothesis, scoreOf(seed), SOURCES[row]);
        }
        assert.equal(statistics.forwards, model.forwards, 'statistics.forwards counts the calls of extend');
        assert.equal(model.stillOpen, 0, 'everything opened is released');
      }
      assertSpeculation(decodes);
    });

    runner.it('gives a row of a batch what it gives the row alone', async () => {
      for (const seed of seeds) {
        const together = outputsOf(await decode(modelOf(seed), { sources: SOURCES }));
        for (const [row, source] of SOURCES.entries()) {
          assert.deepEqual(outputsOf(await decode(modelOf(seed), { sources: [source] })), [together[row]]);
        }
      }
    });

    runner.it('reads of a prompt what is not cached, with the same outputs and counts', async () => {
      for (const seed of seeds) {
        await assertCachedPrompt(createDecoder, (prompt) => modelOf(seed, {}, prompt), { sources: SOURCES });
      }
    });

    runner.it('lets go of a row once it is over, and extends it no more', async () => {
      for (const seed of seeds) {
        const model = record(seed);
        await decode(model, { sources: SOURCES });
        assertFinished(model, SOURCES.length);
        for (const [row, source] of SOURCES.entries()) {
          const alone = record(seed);
          await decode(alone, { sources: [source] });
          const uses = model.calls.flatMap((call, at) =>
            call.call === 'extend' && call.rows.includes(row) ? [at] : [],
          );
          assert.ok(uses.length <= alone.forwards, 'a row takes part in no more forwards than it does alone');
          const after = model.calls.slice((uses.at(-1) ?? 0) + 1);
          const next = after.findIndex(({ call }) => call === 'extend');
          if (next < 0) continue;
          const finished = after.slice(0, next).some((call) => call.call === 'finish' && call.row === row);
          assert.ok(finished, 'a row that is over is finished before the next forward');
        }
      }
    });

    runner.it('lets go of rows that are over before the first forward, or refuses their prefixes', async () => {
      for (const seed of seeds) await assertOverAtOnce(() => record(seed), decode);
    });

    runner.it('says that an output ended with the end token unless it is as long as may be', async () => {
      for (const seed of seeds) {
        const { results } = await decode(modelOf(seed), { sources: SOURCES });
        for (const { tokenIds, finishReason } of results.flatMap(({ hypotheses }) => hypotheses)) {
          // The last token is never fed back, so that the prefix of one token takes no room.
          assert.equal(finishReason, tokenIds.length === MAX_LENGTH ? 'length' : 'end-token');
        }
      }
    });

    runner.it('cuts at maxNewTokens exactly', async () => {
      for (const seed of seeds) {
        const full = await decode(modelOf(seed), { sources: SOURCES });
        await assertLimits(full, (cut) => decode(modelOf(seed), { sources: SOURCES, ...cut }), search);
      }
    });

    runner.it('stops every row at a stop sequence, and with the token that completes a stop string', async () => {
      const seen = new Set<string>();
      for (const seed of seeds) {
        const full = await decode(modelOf(seed), { sources: SOURCES });
        const stops = await assertStops(full, (cut) => decode(modelOf(seed), { sources: SOURCES, ...cut }), search);
        for (const stop of stops) seen.add(stop);
      }
      assertMet(seen);
    });

    runner.it('starts inside an output, or refuses to', async () => {
      for (const seed of seeds) {
        const outputPrefixes = SOURCES.map((_, row) => Int32Array.from({ length: row }, (_, index) => 1 + index));
        const model = record(seed);
        try {
          const started = outputsOf(await decode(model, { sources: SOURCES, outputPrefixes }));
          for (const [row, prefix] of outputPrefixes.entries()) {
            assert.deepEqual(started[row]?.slice(0, prefix.length), [...prefix], 'the output begins with its prefix');
          }
          const begun = SOURCES.map(() => Int32Array.of(5, 6, 5));
          const start = { sources: SOURCES, outputPrefixes: begun };
          const open = outputsOf(await decode(record(seed), start));
          for (const maxNewTokens of [1, 2]) {
            const limited = await decode(record(seed), { ...start, maxNewTokens });
            for (const [row, { hypotheses }] of limited.results.entries()) {
              const tokenIds = [...(hypotheses[0]?.tokenIds ?? [])];
              assert.deepEqual(tokenIds.slice(0, 3), [5, 6, 5], 'the output begins with its prefix');
              assert.ok(tokenIds.length <= 3 + maxNewTokens, 'the output has no more new tokens than allowed');
              if (!search)
                assert.deepEqual(tokenIds, open[row]?.slice(0, 3 + maxNewTokens), 'a prefix is no new tokens');
            }
          }
          const whole = record(seed);
          const over = { ...start, stopSequences: [Int32Array.of(6, 5)] };
          assert.deepEqual(
            outputsOf(await decode(whole, over)),
            SOURCES.map(() => [5, 6, 5]),
            'an output that its prefix ends is that prefix',
          );
          assert.equal(whole.forwards, 0, 'and costs no forward');
          const early = { ...start, stopSequences: [Int32Array.of(5, 6)] };
          const ended = { ...start, outputPrefixes: SOURCES.map(() => Int32Array.of(5, END, 6)) };
          for (const wrong of [early, ended]) {
            await assertCode(() => decode(record(seed), wrong), 'INVALID_ARGUMENT');
          }
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
          assert.equal(error.code, 'UNSUPPORTED_CAPABILITY');
          assert.deepEqual(model.calls, [], 'nothing was opened');
        }
      }
    });

    runner.it('is refused before any compute by a model that lacks what it requires', async () => {
      const { requires } = createDecoder(modelOf(1));
      assert.equal(requires.model, 'autoregressive');
      if (requires.model !== 'autoregressive') return;
      const lacking: Partial<Autoregressive['supports']>[] = requires.outputs.map((kind) => ({
        outputs: (['argmax', 'topK', 'logProbs', 'logits'] as const).filter((other) => other !== kind),
      }));
      if (requires.states === true) lacking.push({ states: [] });
      if (requires.branching) lacking.push({ branching: false });
      if (requires.rollback) lacking.push({ rollback: false });
      for (const supports of lacking) {
        const model = recording(modelOf(1, supports));
        await assertCode(
          () => eventsOf(createDecoder(model).decode(model, { sources: SOURCES })),
          'UNSUPPORTED_CAPABILITY',
        );
        assert.deepEqual(model.calls, [], 'nothing was opened');
      }
    });

    runner.it('refuses bad requests by code before it opens anything', async () => {
      const bad: readonly (readonly [Partial<DecodeRequest<TokenSource>>, 'INVALID_ARGUMENT' | 'EMPTY_SOURCE'])[] = [
        [{ sources: [] }, 'EMPTY_SOURCE'],
        [{ maxNewTokens: 0 }, 'INVALID_ARGUMENT'],
        [{ maxNewTokens: 1.5 }, 'INVALID_ARGUMENT'],
        [{ maxNewTokens: Number.NaN }, 'INVALID_ARGUMENT'],
        [{ seed: -1 }, 'INVALID_ARGUMENT'],
        [{ seed: 2 ** 32 }, 'INVALID_ARGUMENT'],
        [{ stopSequences: [new Int32Array()] }, 'INVALID_ARGUMENT'],
        [{ stopStrings: { strings: ['a', ''], textOf: () => '' } }, 'INVALID_ARGUMENT'],
        [{ outputPrefixes: [new Int32Array()] }, 'INVALID_ARGUMENT'],
      ];
      for (const [request, code] of bad) {
        const model = record(1);
        await assertCode(() => eventsOf(createDecoder(model).decode(model, { sources: SOURCES, ...request })), code);
        assert.deepEqual(model.calls, [], 'nothing was opened');
      }
    });

    runner.it('stops at an abort, throws its reason and releases everything', async () => {
      const reason = new Error('enough');
      const before = record(1);
      const aborted = AbortSignal.abort(reason);
      await assert.rejects(
        () => eventsOf(createDecoder(before).decode(before, { sources: SOURCES, signal: aborted })),
        reason,
      );
      assert.equal(before.forwards, 0, 'an aborted request computes nothing');
      for (const seed of seeds) {
        const controller = new AbortController();
        const model = record(seed, { onForward: (forward) => forward === 2 && controller.abort(reason) });
        const run = () => eventsOf(createDecoder(model).decode(model, { sources: SOURCES, signal: controller.signal }));
        if (await rejectsWith(run, reason)) assert.equal(model.forwards, 2, 'no forward follows an abort');
        else assert.ok(model.forwards < 2, 'only a decode that was over already ignores an abort');
        assert.equal(model.stillOpen, 0, 'an abort releases everything');
      }
    });

    runner.it('lets other work have a turn within a step, so that an abort from there ends it', async () => {
      const reason = new Error('enough');
      for (const seed of seeds) {
        const whole = record(seed);
        await decode(whole, { sources: SOURCES });
        if (whole.forwards < 2) continue;
        const controller = new AbortController();
        const model = record(seed, {
          onForward: (forward) => forward === 1 && nextTurn(() => controller.abort(reason)),
        });
        // Every look at the clock is so much later that each step is one that has taken long.
        using _clock = new SteppingClock(1_000);
        const run = () => eventsOf(createDecoder(model).decode(model, { sources: SOURCES, signal: controller.signal }));
        assert.ok(await rejectsWith(run, reason), 'an abort from another turn of the event loop ends the decode');
        assert.equal(model.forwards, 1, 'no forward follows it');
        assert.equal(model.stillOpen, 0, 'and everything is released');
      }
    });

    runner.it('releases everything when a forward fails or the reader stops reading', async () => {
      const error = new Error('broken');
      for (const failAt of [1, 2, 3]) {
        const model = record(1, { failAt, error });
        const failed = await rejectsWith(
          () => eventsOf(createDecoder(model).decode(model, { sources: SOURCES })),
          error,
        );
        assert.equal(failed, model.forwards >= failAt, 'the decode fails as the forward did');
        assert.equal(model.stillOpen, 0, 'a failure releases everything');
      }
      const model = record(2);
      for await (const event of createDecoder(model).decode(model, { sources: SOURCES })) if (event) break;
      assert.equal(model.stillOpen, 0, 'a break releases everything');
    });

    commonLaws<Autoregressive>({
      runner,
      createDecoder,
      modelOf: () => modelOf(1),
      failing: () => record(1, { failAt: 1 }),
      sources: SOURCES,
      endTokenId: END,
    });
  });
}
