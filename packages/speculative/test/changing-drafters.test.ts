import { collect, type Drafter, type DraftSession, type DraftTree } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { describe, expect, it } from 'vitest';
import { ownDraft } from '../src/draft-tree.js';
import { EMPTY_DRAFT, speculative } from '../src/index.js';
import { draft, drafterOf, ids, SIZE, target } from './counting-target.js';
import { hashScript, type Script, scriptedTarget } from './scripted-target.js';

describe('a drafter that goes on changing what it gave', () => {
  it('changes neither the draft, nor the prefix, nor the limits', async () => {
    const truth = hashScript(SIZE);
    const shared = { tokenIds: ids(1, 1), parents: ids(-1, 0) };
    let written: readonly number[] = [];
    // While the target is scoring a draft, the drafter writes into it what the target is choosing.
    const script: Script = (source, output) => {
      const chosen = truth(source, output);
      if (output.length === written.length) shared.tokenIds[0] = chosen;
      return chosen;
    };
    const propose = (_row: number, prefix: Int32Array, limit: { nodes: number; depth: number }): DraftTree => {
      written = [...prefix];
      const fits = limit.depth >= 2;
      prefix.fill(9);
      Object.assign(limit, { nodes: 0, depth: 0 });
      return fits ? Object.assign(shared, { tokenIds: shared.tokenIds.fill(1) }) : EMPTY_DRAFT;
    };
    const request = { sources: [4], maxNewTokens: 12 };
    const expected = await collect(greedy<number>().decode(scriptedTarget({ script: truth, size: SIZE }), request));
    const decoder = speculative({ drafter: drafterOf({ propose }) });
    const received = await collect(decoder.decode(scriptedTarget({ script, size: SIZE }), request));
    expect(received.results).toEqual(expected.results);
    expect(received.statistics.speculation?.proposed).toBeGreaterThan(0);
  });
});

describe('a drafter that changes what it was given or says different things', () => {
  it('does not change the list of sources', async () => {
    const sources = [20, 5];
    const session = await drafterOf({}).open([], {});
    const open = async (given: number[]): Promise<DraftSession> => {
      given.length = 0;
      return session;
    };
    const { results } = await collect(speculative({ drafter: drafterOf({ open }) }).decode(target(), { sources }));
    expect(results.map(({ row }) => row)).toEqual([0, 1]);
    expect(sources).toEqual([20, 5]);
  });

  it('has probabilities as they were read first', () => {
    let reads = 0;
    const probabilities = {
      length: 1,
      get 0() {
        return reads++ === 0 ? 0.5 : Number.NaN;
      },
      *[Symbol.iterator]() {
        yield Number.NaN;
        yield 7;
      },
    };
    expect(ownDraft(draft(ids(3), ids(-1), { probabilities }), 'peer').probabilities).toEqual(Float32Array.of(0.5));
  });
});

describe('measured costs', () => {
  it('that are null are refused', async () => {
    const drafter = { ...drafterOf({}), costs: null } as unknown as Drafter<number>;
    await expect(collect(speculative({ drafter }).decode(target(), { sources: [3] }))).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY, '3'])(
    'of a drafter that are %s are refused before any compute',
    async (open) => {
      const model = target();
      const drafter = { ...drafterOf({}), costs: { open: open as number, propose: 0 } };
      await expect(collect(speculative({ drafter }).decode(model, { sources: [3] }))).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
      expect(model.log.opened).toBe(0);
    },
  );
});
