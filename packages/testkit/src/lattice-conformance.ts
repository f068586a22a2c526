import assert from 'node:assert/strict';
import type { DecodeRequest, Decoder, LatticeModel, TokenSource } from '@foretoken/core';
import { assertCode, assertStream, eventsOf, outputsOf } from './laws.js';
import { randomLogits } from './random-logits.js';
import type { Runner } from './runner.js';
import { scriptedLatticeModel } from './scripted-lattice.js';

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
export function latticeConformance({ runner, name, createDecoder }: LatticeConformanceOptions): void {
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

    runner.it('cuts at maxNewTokens exactly', async () => {
      const full = outputsOf(await decode({ sources: SOURCES }));
      for (const maxNewTokens of [1, 2]) {
        const cut = outputsOf(await decode({ sources: SOURCES, maxNewTokens }));
        assert.deepEqual(
          cut,
          full.map((output) => output.slice(0, maxNewTokens)),
        );
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
      const { requires } = createDecoder();
      assert.equal(requires.model, 'lattice');
      if (requires.model === 'lattice' && !requires.kinds.includes('dag')) {
        await assertCode(run({}, { ...model, supports: { kind: 'dag', maxCandidates: 4 } }), 'UNSUPPORTED_CAPABILITY');
      }
      const reason = new Error('enough');
      await assert.rejects(run({ signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
