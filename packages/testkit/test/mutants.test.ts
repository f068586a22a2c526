import {
  type AutoregressiveModel,
  assertAutoregressive,
  assertRequest,
  type DecodeEvent,
  type DecodeRequest,
  type Decoder,
  ForetokenError,
  nodeInBatch,
  outputLimit,
  ROOT,
  RowOutput,
  refuseOutputPrefixes,
  rowResult,
  type TokenForest,
  type TokenSource,
} from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import {
  assertCode,
  autoregressiveConformance,
  collectOutcomes,
  drafterConformance,
  speculativeCounterexample,
} from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

type Model = AutoregressiveModel<TokenSource>;

/** Ways to get a minimal greedy decoder wrong. */
type Fault =
  | 'none'
  | 'ignores the limit'
  | 'ignores stop sequences'
  | 'ignores stop strings'
  | 'ignores output prefixes'
  | 'keeps the end token'
  | 'leaks its forest'
  | 'computes after an abort'
  | 'skips validation'
  | 'opens before checking the model'
  | 'lets rows influence one another'
  | 'runs finished rows on'
  | 'counts too few forwards'
  | 'forgets a commit'
  | 'shares state between decodes';

const requires = { model: 'autoregressive', outputs: ['argmax'], branching: false, rollback: false } as const;

/** Greedy decoding in a few lines, with one fault planted. */
function minimal(fault: Fault): Decoder<Model> {
  let shared: number[] = [];
  return {
    name: 'minimal',
    requires,
    async *decode(model: Model, request: DecodeRequest<TokenSource>): AsyncGenerator<DecodeEvent> {
      if (fault !== 'skips validation') assertRequest(request);
      if (fault !== 'ignores output prefixes') refuseOutputPrefixes('minimal', request);
      if (fault !== 'opens before checking the model') assertAutoregressive({ name: 'minimal', requires }, model);
      const forest = await model.open(request.sources);
      try {
        yield* run(forest, model, request);
      } finally {
        if (fault !== 'leaks its forest') await forest[Symbol.asyncDispose]();
      }
    },
  };

  async function* run(
    forest: TokenForest,
    model: Model,
    request: DecodeRequest<TokenSource>,
  ): AsyncGenerator<DecodeEvent> {
    const end = fault === 'keeps the end token' ? -1 : model.vocabulary.endTokenId;
    const outputs = request.sources.map(
      () =>
        new RowOutput(end, fault === 'ignores the limit' ? model.maxLength : outputLimit(model.maxLength, 1, request), {
          ...(fault === 'ignores stop sequences' ? {} : { stopSequences: request.stopSequences ?? [] }),
          ...(fault === 'ignores stop strings' || request.stopStrings === undefined
            ? {}
            : { stopStrings: request.stopStrings }),
        }),
    );
    const last = outputs.map(() => ROOT);
    const next = outputs.map((_, row) => forest.start(row).prefix[0] as number);
    if (fault === 'shares state between decodes') shared = next;
    const feed = fault === 'shares state between decodes' ? () => shared : () => next;
    let forwards = 0;
    const started = performance.now();
    const atMs = (): number => performance.now() - started;
    for (;;) {
      const goesOn = (row: number): boolean =>
        outputs[row]?.finishReason === undefined || (fault === 'runs finished rows on' && forwards < 4);
      const rows = [...outputs.keys()].filter(goesOn);
      if (rows.length === 0) break;
      if (fault !== 'computes after an abort') request.signal?.throwIfAborted();
      const { firstNode, tokenIds } = await forest.extend(
        {
          row: Int32Array.from(rows),
          parent: Int32Array.from(rows, (row) => last[row] as number),
          tokenId: Int32Array.from(rows, (row) => feed()[row] as number),
        },
        { kind: 'argmax' },
      );
      forwards++;
      for (const [index, row] of rows.entries()) {
        const output = outputs[row] as RowOutput;
        const wrong = fault === 'lets rows influence one another' && rows.length > 2 && index === 0 && forwards === 2;
        const chosen = tokenIds[wrong ? 1 : index] as number;
        last[row] = firstNode + index;
        feed()[row] = chosen;
        const position = output.length;
        output.push(chosen);
        if (output.length > position && !(fault === 'forgets a commit' && position === 2)) {
          yield { type: 'token-commit', row, position, tokenIds: Int32Array.of(chosen), atMs: atMs() };
        }
        if (output.finishReason !== undefined && fault !== 'runs finished rows on') forest.finish(row);
      }
    }
    const results = outputs.map((output, row) => rowResult(row, [output.hypothesis()]));
    const tokens = outputs.reduce((sum, output) => sum + output.length, 0);
    const counted = fault === 'counts too few forwards' ? forwards - 1 : forwards;
    const statistics = { forwards: counted, tokens, totalMs: atMs() };
    yield { type: 'decode-end', results, statistics, atMs: atMs() };
  }
}

/** Names of the laws that a decoder breaks. */
async function brokenLaws(createDecoder: () => Decoder<Model>): Promise<string[]> {
  const outcomes = await collectOutcomes((runner) =>
    autoregressiveConformance({ runner, name: 'mutant', createDecoder, models: 12 }),
  );
  expect(outcomes.length).toBeGreaterThan(8);
  return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
}

describe('the decoder suite', () => {
  it('passes a minimal correct decoder', async () => {
    expect(await brokenLaws(() => minimal('none'))).toEqual([]);
  });

  const caught: Readonly<Record<Exclude<Fault, 'none'>, string>> = {
    'ignores the limit': 'cuts at maxNewTokens exactly',
    'ignores stop sequences': 'stops at a stop sequence exactly',
    'ignores stop strings': 'stops with the token that completes a stop string',
    'ignores output prefixes': 'starts inside an output, or refuses to',
    'keeps the end token': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'leaks its forest': 'releases everything when a forward fails or the reader stops reading',
    'computes after an abort': 'stops at an abort, throws its reason and releases everything',
    'skips validation': 'refuses bad requests by code before it opens anything',
    'opens before checking the model': 'is refused before any compute by a model that lacks what it requires',
    'lets rows influence one another': 'gives a row of a batch what it gives the row alone',
    'runs finished rows on': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'counts too few forwards': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'forgets a commit': 'streams commits that add up to the best hypothesis, and counts its forwards',
    'shares state between decodes': 'serves two decodes at once',
  };
  for (const [fault, law] of Object.entries(caught)) {
    if (fault === 'runs finished rows on') continue;
    it(`catches a decoder that ${fault}`, async () => {
      const decoder = minimal(fault as Fault);
      expect(await brokenLaws(() => decoder)).toContain(law);
    });
  }
});

describe('the drafter suite', () => {
  const vocabulary = { size: 6, endTokenId: 0 };
  const sources = [Int32Array.of(1), Int32Array.of(2)];
  // Another number at each call, and the same ones in each run of the tests.
  let state = 1;
  const noisy = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const outcomesOf = (tokenIds: readonly number[], parents: readonly number[], noise = false) =>
    collectOutcomes((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary,
        sources,
        createDrafter: () => ({
          name: 'fixed',
          async open() {
            return {
              forwards: 0,
              propose: (_row, _prefix, limit) => {
                const count = noise ? Math.floor(noisy() * (limit.nodes + 1)) : limit.nodes === 0 ? 0 : tokenIds.length;
                return {
                  tokenIds: Int32Array.from(tokenIds.slice(0, count)),
                  parents: Int32Array.from(parents.slice(0, count)),
                };
              },
              async [Symbol.asyncDispose]() {},
            };
          },
        }),
      }),
    );

  it('passes a correct drafter and catches faulty ones', async () => {
    const broken = async (...draft: Parameters<typeof outcomesOf>): Promise<boolean> =>
      (await outcomesOf(...draft)).some(({ error }) => error !== undefined);
    expect(await broken([3], [-1])).toBe(false);
    expect(await broken([3, 3], [-1, -1])).toBe(true);
    expect(await broken([3], [0])).toBe(true);
    expect(await broken([6], [-1])).toBe(true);
    expect(await broken([0, 3], [-1, 0])).toBe(true);
    expect(await broken([1, 2, 3, 4], [-1, 0, 1, 2])).toBe(true);
    expect(await broken([1, 2, 3, 4, 5], [-1, -1, -1, -1, -1], true)).toBe(true);
  });
});

describe('the speculative oracle', () => {
  it('finds no counterexample for speculative decoding, and one for a decoder that trusts its draft', async () => {
    expect(await speculativeCounterexample((drafter) => speculative({ drafter }), { models: 100 })).toBeUndefined();
    const trusting = await speculativeCounterexample(
      (drafter) => {
        const inner = speculative<TokenSource>({ drafter });
        return {
          ...inner,
          // A target that agrees with whatever is drafted: every draft token is taken unverified.
          decode: (model, request) =>
            inner.decode(
              {
                ...model,
                async open(sources, options) {
                  const forest = await model.open(sources, options);
                  const extend = forest.extend.bind(forest);
                  forest.extend = async (nodes, output, signal) => {
                    const extension = await extend(nodes, output, signal);
                    const tokenIds = (extension as unknown as { tokenIds: Int32Array }).tokenIds;
                    for (let node = 0; node + 1 < tokenIds.length; node++) {
                      if (nodes.parent[node + 1] === nodeInBatch(node))
                        tokenIds[node] = nodes.tokenId[node + 1] as number;
                    }
                    return extension;
                  };
                  return forest;
                },
              },
              request,
            ),
        };
      },
      { models: 50 },
    );
    expect(trusting).toBeDefined();
  });

  it('finds none for plain greedy decoding', async () => {
    expect(await speculativeCounterexample(() => greedy(), { models: 30 })).toBeUndefined();
  });
});

describe('assertCode', () => {
  it('accepts the code and nothing else', async () => {
    const error = new ForetokenError('DISPOSED', 'gone');
    await assertCode(() => Promise.reject(error), 'DISPOSED');
    await expect(assertCode(() => Promise.reject(error), 'EMPTY_SOURCE')).rejects.toThrow();
    await expect(assertCode(() => Promise.reject(new Error('other')), 'DISPOSED')).rejects.toThrow();
    await expect(assertCode(() => Promise.resolve(), 'DISPOSED')).rejects.toThrow();
  });
});
