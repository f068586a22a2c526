import type { DraftRequest, TokenSource } from '@foretoken/core';
import { chainDraft, EMPTY_DRAFT, nodeInBatch } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { speculative } from '@foretoken/speculative';
import { speculativeCounterexample } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';
import { brokenLaws, drafting, sayingOne, sessionOf } from './faulty-drafters.js';

describe('the drafter suite', () => {
  const FORM = 'proposes well-formed trees within the limits after any prefix';
  const ALONE = 'is deterministic, and its rows do not influence one another';
  const TURNS = 'drafts for rows by turns as for each on its own';
  const JUMP = 'gives the same after a jump as step by step';
  const TOGETHER = 'drafts for several rows at once as for each alone, and lets rows be finished';
  const GOES_ON = 'goes on with other rows after one is finished, and leaves prefixes as they were';
  /** What drafts are made of when they are right: the prefix as a whole, and nothing else. */
  const right = ({ prefix }: DraftRequest): number => 1 + (prefix.reduce((sum, id) => sum + id, prefix.length) % 5);

  it('passes correct drafters', async () => {
    expect(await brokenLaws({ open: async () => drafting(() => EMPTY_DRAFT) })).toEqual([]);
    expect(await brokenLaws({ open: async () => sayingOne(() => 3) })).toEqual([]);
    expect(await brokenLaws({ open: async () => sayingOne(right) })).toEqual([]);
  });

  it.each([
    ['two siblings of one token', [3, 3], [-1, -1]],
    ['a parent that is no earlier node', [3], [0]],
    ['a token outside the vocabulary', [6], [-1]],
    ['something after an end token', [0, 3], [-1, 0]],
    ['a path that is too deep', [1, 2, 3, 4], [-1, 0, 1, 2]],
  ])('catches one that drafts %s', async (_, tokenIds, parents) => {
    const session = drafting(({ limit: { nodes } }) => ({
      tokenIds: Int32Array.from(tokenIds.slice(0, nodes)),
      parents: Int32Array.from(parents.slice(0, nodes)),
    }));
    expect(await brokenLaws({ open: async () => session })).toContain(FORM);
  });

  it('catches one whose drafts depend on how often it was asked', async () => {
    let asked = 0;
    expect(await brokenLaws({ open: async () => sayingOne(() => 1 + ((asked++ % 7) % 5)) })).toContain(ALONE);
  });

  it('catches one that is less sure each time', async () => {
    let asked = 0;
    const unsure = drafting(({ limit: { nodes } }) =>
      nodes === 0 ? EMPTY_DRAFT : { ...chainDraft([3]), probabilities: Float32Array.of(1 / ++asked) },
    );
    expect(await brokenLaws({ open: async () => unsure })).toContain(ALONE);
  });

  it('catches one whose rows depend on the rows beside them', async () => {
    const open = async (sources: readonly TokenSource[]) =>
      // A drafter that is opened with the second source alone must know that it is the second.
      sayingOne(({ row }) => 1 + (sources[0][0] === 2 ? 1 : row) + sources.length);
    expect(await brokenLaws({ open })).toContain(ALONE);
  });

  it('catches one with a single cursor for all rows', async () => {
    const open = async () => {
      let at = 0;
      return sayingOne(() => 1 + (at++ % 4));
    };
    // Asked about one row after another it seems right.
    expect(await brokenLaws({ open })).toEqual([TURNS, TOGETHER, JUMP]);
  });

  it('catches one that answers for some of the rows only, or no longer after a row is finished', async () => {
    const lawsOf = (answers: (requests: number, finished: number) => number): Promise<readonly string[]> => {
      const open = async () => {
        let finished = 0;
        const propose = (requests: readonly DraftRequest[]) =>
          requests.slice(0, answers(requests.length, finished)).map(() => EMPTY_DRAFT);
        return sessionOf(propose, () => void finished++);
      };
      return brokenLaws({ open });
    };
    expect(await lawsOf((requests) => requests)).toEqual([]);
    expect(await lawsOf(() => 1)).toContain(TOGETHER);
    expect(await lawsOf((requests, finished) => (finished > 0 ? 0 : requests))).toContain(TOGETHER);
  });

  it('catches one that only ever goes on from the prefix it saw last', async () => {
    const open = async () => {
      const seen = new Map<number, number>();
      return sayingOne(({ row, prefix }) => {
        const length = Math.max(seen.get(row) ?? 0, prefix.length);
        seen.set(row, length);
        return 1 + (length % 5);
      });
    };
    expect(await brokenLaws({ open })).toEqual([JUMP]);
  });

  it('catches one that forgets what all rows said once one of them is finished', async () => {
    const open = async () => {
      let finished = false;
      return sayingOne(
        (request) => right(finished ? { ...request, prefix: request.prefix.subarray(-1) } : request),
        () => {
          finished = true;
        },
      );
    };
    expect(await brokenLaws({ open })).toEqual([GOES_ON]);
  });

  it('catches one that writes into the prefix', async () => {
    const open = async () =>
      sayingOne((request) => {
        const said = right(request);
        request.prefix.fill(0);
        return said;
      });
    expect(await brokenLaws({ open })).toContain(GOES_ON);
  });

  it('catches one that fails with nothing to say', async () => {
    const silent = sessionOf(() => {
      throw undefined;
    });
    expect(await brokenLaws({ open: async () => silent })).toContain('answers when it is asked for drafts');
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
