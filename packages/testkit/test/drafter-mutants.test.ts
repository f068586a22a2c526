import type { DraftLimit, DraftRequest, TokenSource } from '@foretoken/core';
import { nodeInBatch } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import { collectOutcomes, drafterConformance, speculativeCounterexample } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

describe('the drafter suite', () => {
  const vocabulary = { size: 6, endTokenId: 0 };
  const sources = [Int32Array.of(1), Int32Array.of(2)];
  /** Laws that a drafter breaks which makes `draft` of a row, the length of its prefix and how often it was asked so far. */
  const brokenBy = async (
    draft: (row: number, length: number, asked: number, limit: DraftLimit) => readonly [number[], number[]],
    source: (row: number, rows: number) => number = (row) => row,
  ): Promise<string[]> => {
    let asked = 0;
    const outcomes = await collectOutcomes((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary,
        sources,
        createDrafter: () => ({
          name: 'fixed',
          async open(opened) {
            // A drafter that is opened with the second source alone must know that it is the second.
            const first = opened[0]?.[0] === 2 ? 1 : 0;
            return {
              forwards: 0,
              propose: (requests) =>
                requests.map(({ row, prefix, limit }) => {
                  const [tokenIds, parents] = draft(source(first + row, opened.length), prefix.length, asked++, limit);
                  const count = Math.min(tokenIds.length, limit.nodes);
                  return {
                    tokenIds: Int32Array.from(tokenIds.slice(0, count)),
                    parents: Int32Array.from(parents.slice(0, count)),
                  };
                }),
              finish() {},
              async [Symbol.asyncDispose]() {},
            };
          },
        }),
      }),
    );
    return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
  };

  const FORM = 'proposes well-formed trees within the limits after any prefix';
  const ALONE = 'is deterministic, and its rows do not influence one another';
  const TURNS = 'drafts for rows by turns as for each on its own';
  const JUMP = 'gives the same after a jump as step by step';
  const TOGETHER = 'drafts for several rows at once as for each alone, and lets rows be finished';
  const EMPTY = { tokenIds: new Int32Array(0), parents: new Int32Array(0) };

  it('passes correct drafters', async () => {
    expect(await brokenBy(() => [[3], [-1]])).toEqual([]);
    expect(await brokenBy((row, length) => [[1 + ((row + length) % 5)], [-1]])).toEqual([]);
  });

  it.each([
    ['two siblings of one token', [3, 3], [-1, -1]],
    ['a parent that is no earlier node', [3], [0]],
    ['a token outside the vocabulary', [6], [-1]],
    ['something after an end token', [0, 3], [-1, 0]],
    ['a path that is too deep', [1, 2, 3, 4], [-1, 0, 1, 2]],
  ])('catches one that drafts %s', async (_, tokenIds, parents) => {
    expect(await brokenBy(() => [tokenIds, parents])).toContain(FORM);
  });

  it('catches one whose drafts depend on how often it was asked', async () => {
    expect(await brokenBy((_row, _length, asked) => [[1 + ((asked % 7) % 5)], [-1]])).toContain(ALONE);
  });

  it('catches one whose rows depend on the rows beside them', async () => {
    expect(
      await brokenBy(
        (row) => [[1 + row], [-1]],
        (row, rows) => row + rows,
      ),
    ).toContain(ALONE);
  });

  it('catches one with a single cursor for all rows', async () => {
    const cursors = new WeakMap<object, number>();
    const outcomes = await collectOutcomes((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary,
        sources,
        createDrafter: () => ({
          name: 'one cursor',
          async open() {
            const session = {
              forwards: 0,
              propose: (requests: readonly DraftRequest[]) =>
                requests.map(({ limit }) => {
                  const at = cursors.get(session) ?? 0;
                  cursors.set(session, at + 1);
                  const count = Math.min(1, limit.nodes);
                  return {
                    tokenIds: new Int32Array(count).fill(1 + (at % 4)),
                    parents: new Int32Array(count).fill(-1),
                  };
                }),
              finish() {},
              async [Symbol.asyncDispose]() {},
            };
            return session;
          },
        }),
      }),
    );
    const broken = outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
    // Asked about one row after another it seems right.
    expect(broken).toEqual([TURNS, TOGETHER, JUMP]);
  });

  it('catches one that answers for some of the rows only, or no longer after a row is finished', async () => {
    const lawsOf = async (answers: (requests: number, finished: number) => number): Promise<string[]> => {
      const outcomes = await collectOutcomes((runner) =>
        drafterConformance({
          runner,
          name: 'mutant',
          vocabulary,
          sources,
          createDrafter: () => ({
            name: 'silent',
            async open() {
              let finished = 0;
              return {
                forwards: 0,
                propose: (requests) => requests.slice(0, answers(requests.length, finished)).map(() => EMPTY),
                finish() {
                  finished++;
                },
                async [Symbol.asyncDispose]() {},
              };
            },
          }),
        }),
      );
      return outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name);
    };
    expect(await lawsOf((requests) => requests)).toEqual([]);
    expect(await lawsOf(() => 1)).toContain(TOGETHER);
    expect(await lawsOf((requests, finished) => (finished > 0 ? 0 : requests))).toContain(TOGETHER);
  });

  it('catches one that only ever goes on from the prefix it saw last', async () => {
    const outcomes = await collectOutcomes((runner) =>
      drafterConformance({
        runner,
        name: 'mutant',
        vocabulary,
        sources,
        createDrafter: () => ({
          name: 'one way',
          async open() {
            const seen = new Map<number, number>();
            return {
              forwards: 0,
              propose: (requests) =>
                requests.map(({ row, prefix, limit }) => {
                  const length = Math.max(seen.get(row) ?? 0, prefix.length);
                  seen.set(row, length);
                  const count = Math.min(1, limit.nodes);
                  return {
                    tokenIds: new Int32Array(count).fill(1 + (length % 5)),
                    parents: new Int32Array(count).fill(-1),
                  };
                }),
              finish() {},
              async [Symbol.asyncDispose]() {},
            };
          },
        }),
      }),
    );
    expect(outcomes.filter(({ error }) => error !== undefined).map(({ name }) => name)).toEqual([JUMP]);
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
                      if (nodes.parent[node + 1] === nodeInBatch(node)) tokenIds[node] = nodes.tokenId[node + 1];
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

  it('takes a failure for no output, whatever was expected', async () => {
    const failing = await speculativeCounterexample(
      () => ({
        ...greedy(),
        async *decode(): AsyncGenerator<never> {
          yield* [];
          throw new Error('broken');
        },
      }),
      { models: 1 },
    );
    expect(failing).toMatchObject({ seed: 1, row: 0, received: 'broken' });
    const silent = await speculativeCounterexample(
      () => ({
        ...greedy(),
        async *decode(...request) {
          for await (const event of greedy().decode(...request)) {
            yield event.type === 'decode-end' ? { ...event, results: [] } : event;
          }
        },
      }),
      { models: 1 },
    );
    expect(silent).toMatchObject({ seed: 1, row: 0, received: 'nothing' });
  });

  it('finds none for plain greedy decoding', async () => {
    expect(await speculativeCounterexample(() => greedy(), { models: 30 })).toBeUndefined();
  });
});
