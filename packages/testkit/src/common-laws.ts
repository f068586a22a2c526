import type { DecodeEvent, DecodeRequest, Hypothesis, TokenSource } from '@foretoken/core';
import assert from './assert.js';
import { assertStream, eventsOf } from './laws.js';
import type { Runner } from './runner.js';

/** A decoder of a model that reads tokens. */
interface TokenDecoder<Model> {
  decode(model: Model, request: DecodeRequest<TokenSource>): AsyncIterable<DecodeEvent>;
}

/** What decoders of every kind of model have in common. */
export interface CommonLaws<Model> {
  readonly runner: Runner;
  readonly createDecoder: (model: Model) => TokenDecoder<Model>;
  /** A model that answers, the same each time. */
  readonly modelOf: () => Model;
  /** One that fails where it is asked first. */
  readonly failing: () => Model;
  readonly sources: readonly TokenSource[];
  readonly endTokenId: number;
}

/** The laws of requests, of rows with one source, and of decoders that are used again; part of every suite of decoders. */
export function commonLaws<Model>(laws: CommonLaws<Model>): void {
  const { runner, createDecoder, modelOf, failing, sources, endTokenId } = laws;
  const decodeBy = async (
    decoder: TokenDecoder<Model>,
    request: DecodeRequest<TokenSource>,
  ): Promise<readonly (readonly Hypothesis[])[]> => {
    const events = await eventsOf(decoder.decode(modelOf(), request));
    return assertStream(events, request.sources.length, endTokenId).results.map(({ hypotheses }) => hypotheses);
  };

  runner.it('leaves the request and its arrays as they were', async () => {
    const given: DecodeRequest<TokenSource> = {
      sources: sources.map((source) => source.slice()),
      stopSequences: [Int32Array.of(2, 3), Int32Array.of(4)],
      maxNewTokens: sources.map(() => 4),
      seed: 7,
    };
    for (const list of [given.sources, given.stopSequences, given.maxNewTokens, given]) Object.freeze(list);
    const before = structuredClone(given);
    await decodeBy(createDecoder(modelOf()), given);
    // What was cloned is not frozen, which does not matter here.
    assert.deepEqual(given, before, 'a request is read only');
  });

  runner.it('gives rows of one source the same, in whatever order rows are', async () => {
    const order = [3, 0, 0, 1, 3].map((row) => row % sources.length);
    const seed = 7;
    const together = await decodeBy(createDecoder(modelOf()), { sources: order.map((row) => sources[row]), seed });
    for (const [index, row] of order.entries()) {
      const [alone] = await decodeBy(createDecoder(modelOf()), { sources: [sources[row]], seed });
      assert.deepEqual(
        together[index].map(({ tokenIds }) => tokenIds),
        alone.map(({ tokenIds }) => tokenIds),
        `row ${index}, of source ${row}`,
      );
    }
  });

  runner.it('decodes as before after a decode that failed, was aborted or was left', async () => {
    const decoder = createDecoder(modelOf());
    const before = await decodeBy(decoder, { sources, seed: 7 });
    const controller = new AbortController();
    const ended = [
      () => eventsOf(decoder.decode(failing(), { sources })),
      () => eventsOf(decoder.decode(modelOf(), { sources, signal: AbortSignal.abort(new Error('enough')) })),
      async () => {
        for await (const event of decoder.decode(modelOf(), { sources })) if (event) break;
      },
      async () => {
        for await (const event of decoder.decode(modelOf(), { sources, signal: controller.signal })) {
          if (event) controller.abort(new Error('enough'));
        }
      },
    ];
    for (const end of ended) {
      await end().catch(() => undefined);
      assert.deepEqual(await decodeBy(decoder, { sources, seed: 7 }), before, 'the same again');
    }
  });
}
