import {
  type DecodeEvent,
  type DecodeRequest,
  ForetokenError,
  type Hypothesis,
  type OptionalField,
  type TokenSource,
} from '@foretoken/core';
import assert from './assert.js';
import { assertCode, assertStream, eventsOf } from './laws.js';
import type { Runner } from './runner.js';

/** A decoder of a model that reads tokens. */
interface TokenDecoder<Model> {
  readonly accepts?: readonly OptionalField[] | undefined;
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
  const { runner, createDecoder, modelOf, failing, endTokenId } = laws;
  // Copies, taken before any law runs: a decoder that writes into its sources must not be compared with what it wrote.
  const sources = laws.sources.map((source) => source.slice());
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

  const lists = sources.map(() => Int32Array.of(5));
  const optional: { readonly [Field in OptionalField]: DecodeRequest<TokenSource>[Field] } = {
    minNewTokens: 2,
    lengths: 3,
    outputPrefixes: lists,
    initialOutputs: lists,
  };

  runner.it('refuses of a request what it does not accept, before any compute', async () => {
    const { accepts = [] } = createDecoder(modelOf());
    for (const [field, value] of Object.entries(optional)) {
      if (accepts.some((accepted) => accepted === field)) continue;
      const model = failing();
      const decode = () => eventsOf(createDecoder(model).decode(model, { sources, [field]: value }));
      await assertCode(decode, 'UNSUPPORTED_CAPABILITY');
    }
  });

  runner.it('gives at least minNewTokens, and no more than lengths, where it accepts them', async () => {
    const decoder = createDecoder(modelOf());
    const { accepts = [] } = decoder;
    const hypothesesWith = async (request: Partial<DecodeRequest<TokenSource>>) =>
      (await decodeBy(decoder, { sources, ...request })).flatMap((hypotheses, row) =>
        hypotheses.map(({ tokenIds, finishReason }) => ({ row, length: tokenIds.length, finishReason })),
      );
    if (accepts.includes('minNewTokens')) {
      const min = 1 + Math.min(...(await hypothesesWith({})).map(({ length }) => length));
      for (const minNewTokens of [sources.map(() => min), sources.map((_, row) => min + row)]) {
        for (const { row, length, finishReason } of await hypothesesWith({ minNewTokens })) {
          const enough = length >= minNewTokens[row] || finishReason === 'length';
          assert.ok(enough, `row ${row} has ${minNewTokens[row]} new tokens at least, not ${length}`);
        }
      }
    }
    if (!accepts.includes('lengths')) return;
    const byRow = [2, 3].map((first) => sources.map((_, row) => (row % 2 === 0 ? first : 5 - first)));
    for (const lengths of [sources.map(() => 2), ...byRow]) {
      // A strategy that was given a length itself refuses another.
      const hypotheses = await hypothesesWith({ lengths }).catch((error: unknown) => {
        if (ForetokenError.isInstance(error) && error.code === 'INVALID_ARGUMENT') return [];
        throw error;
      });
      for (const { row, length } of hypotheses) {
        assert.ok(length <= lengths[row], `an output of a canvas of ${lengths[row]} has no more tokens, not ${length}`);
      }
    }
  });

  runner.it('serves two decodes of different sources at once', async () => {
    const decoder = createDecoder(modelOf());
    const together = await Promise.all(sources.map((source) => decodeBy(decoder, { sources: [source] })));
    for (const [row, source] of sources.entries()) {
      const alone = await decodeBy(createDecoder(modelOf()), { sources: [source] });
      assert.deepEqual(together[row], alone, 'each is as if it were alone');
    }
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
