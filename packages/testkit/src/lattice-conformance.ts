import assert from 'node:assert/strict';
import {
  cutOutput,
  type DecodeRequest,
  type Decoder,
  type FinishReason,
  type LatticeModel,
  type TokenSource,
} from '@foretoken/core';
import { assertCode, assertStream, eventsOf, outputsOf } from './laws.js';
import { randomLogits } from './random-logits.js';
import type { Runner } from './runner.js';
import { scriptedLatticeModel } from './scripted-lattice.js';
import { SteppingClock } from './stepping-clock.js';

const VOCABULARY = 7;
const END = 0;
const SOURCES: readonly TokenSource[] = [
  Int32Array.of(5, 2),
  Int32Array.of(3),
  Int32Array.of(6, 6, 1),
  Int32Array.of(4),
];

export interface LatticeConformanceOptions {
  readonly runner: Runner;
  readonly name: string;
  readonly createDecoder: () => Decoder<LatticeModel<TokenSource>>;
  /**
   * The decoder ranks outputs as the request cuts them, by the sum of all that is cut to the same. Default: it does unless it
   * needs one candidate only, so has one path to cut.
   */
  readonly sumsCuts?: boolean;
}

const BLANK = VOCABULARY - 1;

/** Frames that depend on the source alone; the end token never wins. */
const latticeModel = (): LatticeModel<TokenSource> => {
  const score = randomLogits({
    seed: 9,
    vocabularySize: VOCABULARY,
    endTokenId: END,
    sharpness: 4,
    typicalLength: 1e9,
  });
  const frames = (source: TokenSource) =>
    Array.from({ length: 2 * source.length + 3 }, (_, frame) => score(source, [frame]));
  return scriptedLatticeModel({ vocabularySize: VOCABULARY, endTokenId: END, blankId: BLANK, frames });
};

/** The laws that every lattice decoder keeps. */
export function latticeConformance({ runner, name, createDecoder, ...options }: LatticeConformanceOptions): void {
  const { requires } = createDecoder();
  const { sumsCuts = requires.model === 'lattice' && requires.candidates > 1 } = options;
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
      const { statistics } = await decode({ sources: SOURCES }, model);
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

    runner.it('cuts at the limit and after stop sequences and strings, exactly', async () => {
      const full = outputsOf(await decode({ sources: SOURCES }));
      const longest = full.reduce((one, other) => (other.length > one.length ? other : one));
      assert.ok(longest.length >= 3, 'some row has an output of three tokens');
      const textOf = (tokenIds: Int32Array): string => tokenIds.join(' ');
      const cuts: readonly (readonly [FinishReason, Partial<DecodeRequest<TokenSource>>])[] = [
        ['length', { maxNewTokens: 1 }],
        ['length', { maxNewTokens: 2 }],
        ['stop-sequence', { stopSequences: [Int32Array.from(longest.slice(1, 2))] }],
        ['stop-sequence', { stopSequences: [Int32Array.from(longest.slice(0, 2))] }],
        ['stop-string', { stopStrings: { strings: [longest.slice(0, 2).join(' ')], textOf } }],
      ];
      for (const [reason, request] of cuts) {
        const { results } = await decode({ sources: SOURCES, ...request });
        for (const [row, { hypotheses }] of results.entries()) {
          for (const { tokenIds, finishReason } of hypotheses) {
            const wanted = cutOutput(tokenIds, END, { sources: SOURCES, ...request });
            assert.deepEqual(tokenIds, wanted.tokenIds, 'nothing follows a cut');
            if (wanted.finishReason !== 'complete') assert.equal(finishReason, wanted.finishReason);
            else assert.notEqual(finishReason, reason);
          }
          if (sumsCuts) continue;
          const wanted = cutOutput(full[row] as number[], END, { sources: SOURCES, ...request });
          assert.deepEqual(hypotheses[0]?.tokenIds, wanted.tokenIds, 'the output is the whole one, cut');
        }
        const reasons = results.map(({ hypotheses }) => hypotheses[0]?.finishReason);
        assert.ok(sumsCuts || reasons.includes(reason), `some row ends by ${reason}`);
      }
    });

    runner.it('stops at the first step after an abort, and lets timers run in between', async () => {
      for (const place of [0, 1, 3]) {
        const controller = new AbortController();
        const reason = new Error('enough');
        const inner = latticeModel();
        using clock = new SteppingClock(1_000);
        let abortedAt = Number.POSITIVE_INFINITY;
        const abortAt = (turns: number): void => {
          setImmediate(() => {
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
        const sources = Array.from({ length: 12 }, (_, row) => SOURCES[row % SOURCES.length] as TokenSource);
        await assert.rejects(eventsOf(createDecoder().decode(model, { sources, signal: controller.signal })), reason);
        assert.ok(clock.looks <= abortedAt + 1, 'nothing is computed after the abort');
      }
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
      assert.equal(requires.model, 'lattice');
      if (requires.model === 'lattice' && !requires.kinds.includes('dag')) {
        await assertCode(run({}, { ...model, supports: { kind: 'dag', maxCandidates: 4 } }), 'UNSUPPORTED_CAPABILITY');
      }
      const reason = new Error('enough');
      await assert.rejects(run({ signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
