import assert from 'node:assert/strict';
import {
  type CanvasModel,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  type ErrorCode,
  ForetokenError,
  type Hypothesis,
  type TokenSource,
} from '@foretoken/core';
import { assertCode, assertStream, eventsOf, outputsOf, rejectsWith } from './laws.js';
import { randomLogits } from './random-logits.js';
import type { Runner } from './runner.js';
import {
  randomCanvasScore,
  type ScriptedCanvasModel,
  type ScriptedCanvasOptions,
  scriptedCanvasModel,
} from './scripted-canvas.js';

export interface CanvasConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  readonly createDecoder: () => Decoder<CanvasModel<TokenSource>>;
  /** Model seeds to try; default 10. */
  readonly models?: number;
}

const VOCABULARY = 8;
const END = 0;
const MASK = VOCABULARY - 1;
const MAX_LENGTH = 12;
const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

/** Lengths 0 to 9 for a source; the end token wins now and then, the mask would if it were allowed to. */
const modelOf = (seed: number, more: Partial<ScriptedCanvasOptions> = {}): ScriptedCanvasModel => {
  const lengths = randomLogits({ seed: seed + 500, vocabularySize: 10, endTokenId: -1 });
  return scriptedCanvasModel({
    vocabularySize: VOCABULARY,
    endTokenId: END,
    maskTokenId: MASK,
    maxLength: MAX_LENGTH,
    score: randomCanvasScore({ seed, vocabularySize: VOCABULARY, never: [] }),
    lengths: (source) => lengths(source, []),
    ...more,
  });
};

/** The laws that every decoder of canvas models keeps, as tests of the given runner. */
export function canvasConformance({ runner, name, createDecoder, models = 10 }: CanvasConformanceOptions): void {
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
        assert.equal(model.stillOpen, 0, 'everything opened is released');
        for (const { row, hypotheses } of results) {
          const ofRow = events.filter((event) => 'row' in event && event.row === row);
          const tokenIds = hypotheses[0]?.tokenIds as Int32Array;
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

    runner.it('fills a finished row no more', async () => {
      for (const seed of seeds) {
        const model = modelOf(seed);
        const finished = new Set<number>();
        let seen = 0;
        for await (const event of createDecoder().decode(model, { sources: SOURCES })) {
          for (const call of model.calls.slice(seen)) {
            if (call.call !== 'fill') continue;
            assert.ok(!call.canvases.some(({ row }) => finished.has(row)), 'a finished row was filled');
          }
          seen = model.calls.length;
          if (event.type === 'token-commit') finished.add(event.row);
        }
      }
    });

    runner.it('cuts at maxNewTokens exactly', async () => {
      for (const seed of seeds) {
        const full = outputsOf(await decode(modelOf(seed)));
        for (const maxNewTokens of [1, 2, 5]) {
          const cut = outputsOf(await decode(modelOf(seed), { maxNewTokens }));
          assert.deepEqual(
            cut,
            full.map((output) => output.slice(0, maxNewTokens)),
          );
        }
      }
    });

    runner.it('stops at a stop sequence and a stop string exactly', async () => {
      // Two characters a token, so that stop strings cross the borders of tokens.
      const textOf = (tokenIds: Int32Array): string => Array.from(tokenIds, (id) => `${id}${id + 1}`).join('');
      let stopped = 0;
      for (const seed of seeds) {
        const full = outputsOf(await decode(modelOf(seed)));
        const whole = full.find(({ length }) => length >= 3);
        if (whole === undefined) continue;
        const sequence = Int32Array.from(whole.slice(1, 3));
        const strings = [textOf(Int32Array.from(whole)).slice(1, 4)];
        for (const stops of [{ stopSequences: [sequence] }, { stopStrings: { strings, textOf } }]) {
          const { results } = await decode(modelOf(seed), stops);
          for (const [row, { hypotheses }] of results.entries()) {
            const tokenIds = [...(hypotheses[0]?.tokenIds ?? [])];
            assert.deepEqual(tokenIds, full[row]?.slice(0, tokenIds.length), 'stopping only cuts');
            if (tokenIds.length < (full[row]?.length ?? 0)) stopped++;
          }
          const ended: Hypothesis | undefined = results[full.indexOf(whole)]?.hypotheses[0];
          assert.equal(ended?.finishReason, 'stopStrings' in stops ? 'stop-string' : 'stop-sequence');
        }
      }
      assert.ok(stopped > 0, 'some output was cut');
    });

    runner.it('starts inside an output, or refuses to', async () => {
      const outputPrefixes = SOURCES.map((_, row) => Int32Array.from({ length: row }, (_, index) => 1 + index));
      for (const seed of seeds) {
        const model = modelOf(seed);
        try {
          const started = outputsOf(await decode(model, { outputPrefixes }));
          for (const [row, prefix] of outputPrefixes.entries()) {
            assert.deepEqual(started[row]?.slice(0, prefix.length), [...prefix], 'the output begins with its prefix');
          }
          const limited = outputsOf(await decode(modelOf(seed), { outputPrefixes, maxNewTokens: 1 }));
          const most = started.map((output, row) => output.slice(0, row + 1));
          assert.deepEqual(limited, most, 'a prefix is no new tokens');
          for (const call of model.calls) {
            if (call.call !== 'fill') continue;
            for (const { row, tokenIds } of call.canvases) {
              const prefix = outputPrefixes[row] as Int32Array;
              assert.deepEqual(tokenIds.slice(0, prefix.length), prefix, 'the model always sees the prefix');
            }
          }
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
          assert.equal(error.code, 'UNSUPPORTED_CAPABILITY');
          assert.deepEqual(model.calls, [], 'nothing was opened');
        }
      }
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

    runner.it('is refused before any compute by a model that lacks what it requires', async () => {
      const { requires } = createDecoder();
      assert.equal(requires.model, 'canvas');
      if (requires.model !== 'canvas') return;
      const all = ['argmax', 'topK', 'logProbs', 'logits'] as const;
      const lacking: ScriptedCanvasOptions['supports'][] = requires.outputs.map((kind) => ({
        outputs: all.filter((other) => other !== kind),
      }));
      if (requires.lengths) lacking.push({ lengths: false });
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

    runner.it('refuses scores that are NaN or +Infinity by code, naming row and position', async () => {
      for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const sound = randomCanvasScore({ seed: 1, vocabularySize: VOCABULARY });
        const broken = modelOf(1, {
          score: (source, canvas, position) => {
            const scores = Float32Array.from(sound(source, canvas, position));
            if (source === SOURCES[2] && position === 1) scores[3] = bad;
            return scores;
          },
          lengths: (source) => (source === SOURCES[2] ? TWO_OR_MORE : [0, 0, 0, 9]),
        });
        await assert.rejects(() => eventsWith(broken), errorAt('INVALID_SCORES', 2, 1));
        assert.equal(broken.stillOpen, 0, 'a failure releases everything');
      }
    });

    runner.it('outputs no token of probability 0, and ends by code where no other is possible', async () => {
      const nothing = modelOf(1, {
        score: () => onlyOf([MASK]),
        lengths: () => TWO_OR_MORE,
      });
      await assert.rejects(() => eventsWith(nothing), errorAt('UNSATISFIABLE_CONSTRAINT', 0, 0));
      assert.equal(nothing.stillOpen, 0, 'a failure releases everything');
      for (const seed of seeds) {
        const chance = randomLogits({ seed, vocabularySize: VOCABULARY, endTokenId: -1, sharpness: 1 });
        const possible = (source: TokenSource, position: number): number[] => {
          const chances = chance(source, [position]);
          // The mask is always possible, and more probable than all else.
          return [...SOURCES.keys(), 4, 5, 6, MASK].filter((id) => id === MASK || (chances[id] as number) < 0.4);
        };
        const model = modelOf(seed, { score: (source, _, position) => onlyOf(possible(source, position)) });
        /** Whether the model had to decide a position. */
        const decided = (row: number, position: number): boolean =>
          model.calls.some(
            (call) =>
              call.call === 'fill' &&
              call.canvases.some((canvas) => canvas.row === row && canvas.tokenIds[position] === MASK),
          );
        try {
          const { results } = await decode(model);
          for (const [row, { hypotheses }] of results.entries()) {
            const { tokenIds, finishReason } = hypotheses[0] as Hypothesis;
            // A decoder may leave positions out, as one does that collapses repeats.
            let at = 0;
            for (const [position, tokenId] of [...tokenIds, ...(finishReason === 'end-token' ? [END] : [])].entries()) {
              const source = SOURCES[row] as TokenSource;
              while (decided(row, position) && at < MAX_LENGTH && !possible(source, at).includes(tokenId)) at++;
              assert.ok(at++ < MAX_LENGTH, `token ${tokenId} of probability 0 at position ${position}`);
            }
          }
        } catch (error) {
          if (!ForetokenError.isInstance(error)) throw error;
          assert.equal(error.code, 'UNSATISFIABLE_CONSTRAINT');
          assert.equal(model.stillOpen, 0, 'a failure releases everything');
        }
      }
    });

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

/** Scores of an output of two or three positions, three being more probable. */
const TWO_OR_MORE: readonly number[] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 9];

/** Scores of which those of `tokenIds` are possible, the last most probable. */
function onlyOf(tokenIds: readonly number[]): Float32Array {
  const scores = new Float32Array(VOCABULARY).fill(Number.NEGATIVE_INFINITY);
  for (const [rank, tokenId] of tokenIds.entries()) scores[tokenId] = rank;
  return scores;
}

/** Whether an error is of this code, row and position. */
function errorAt(code: ErrorCode, row: number, position: number): (error: unknown) => true {
  return (error) => {
    assert.ok(ForetokenError.isInstance(error), `a ForetokenError is thrown, not ${String(error)}`);
    const { details } = error;
    assert.deepEqual([error.code, details.row, details.position], [code, row, position]);
    return true;
  };
}

/** The last thing shown of a row is its output, with a log-probability a token wherever any are given. */
function assertShown(ofRow: readonly DecodeEvent[], tokenIds: Int32Array): void {
  let last: Int32Array | undefined;
  for (const event of ofRow) {
    if (event.type !== 'canvas-revise') continue;
    assert.equal(event.logProbs?.length ?? event.tokenIds.length, event.tokenIds.length, 'a log-probability a token');
    for (const logProb of event.logProbs ?? []) assert.ok(!(logProb > 0), 'log-probabilities are not positive');
    last = event.tokenIds;
  }
  if (last !== undefined) assert.deepEqual(last, tokenIds, 'the last canvas shown is the output');
}
