import { collect, type Drafter, type DraftTree, type TokenSource } from '@foretoken/core';
import { chainDraft, RandomStream } from '@foretoken/core/kit';
import { combineDrafters, speculative } from '@foretoken/speculative';
import { randomScriptedModel } from '@foretoken/testkit';
import { describe, expect, it } from 'vitest';

const SIZE = 7;
const SOURCES = [Int32Array.of(5, 2), Int32Array.of(3), Int32Array.of(6, 1)];
const target = randomScriptedModel({ seed: 4, vocabularySize: SIZE, maxLength: 24 });

/** Drafts tokens that it draws from the seed and the row's source, and writes down what it drafted for each source. */
function drawing() {
  const drafted = new Map<string, string[]>();
  const seeds: (number | undefined)[] = [];
  const drafter: Drafter<TokenSource> = {
    name: 'drawing',
    async open(sources, { seed }) {
      seeds.push(seed);
      const streams = sources.map((source) => new RandomStream(seed ?? 0, source));
      return {
        forwards: 0,
        propose: (requests) =>
          requests.map(({ row, prefix, limit }): DraftTree => {
            const length = Math.min(2, limit.depth, limit.nodes);
            const draw = (at: number): number => 1 + Math.floor(streams[row].uniform(prefix.length, at) * (SIZE - 1));
            const tokenIds = Array.from({ length }, (_, at) => draw(at));
            const source = sources[row].join(' ');
            drafted.set(source, [...(drafted.get(source) ?? []), tokenIds.join(' ')]);
            return chainDraft(tokenIds);
          }),
        finish() {},
        async [Symbol.asyncDispose]() {},
      };
    },
  };
  return { drafter, drafted, seeds };
}

const draftsOf = async (
  seed: number | undefined,
  sources: readonly TokenSource[],
  wrap = (one: Drafter<TokenSource>) => one,
) => {
  const { drafter, drafted, seeds } = drawing();
  const { results } = await collect(speculative({ drafter: wrap(drafter) }).decode(target, { sources, seed }));
  return { drafted, seeds, outputs: results.map(({ best }) => [...best.tokenIds]) };
};

describe('a drafter that draws', () => {
  it('is given the seed of the request, 0 where it has none', async () => {
    expect((await draftsOf(7, SOURCES)).seeds).toEqual([7]);
    expect((await draftsOf(undefined, SOURCES)).seeds).toEqual([0]);
    const behind = await draftsOf(7, SOURCES, (drafter) => combineDrafters([drafter, drawing().drafter]));
    expect(behind.seeds).toEqual([7]);
  });

  it('drafts for each row what the seed and its source say, whatever is beside it, and never changes the output', async () => {
    const [seven, again, eight] = [await draftsOf(7, SOURCES), await draftsOf(7, SOURCES), await draftsOf(8, SOURCES)];
    expect(again.drafted).toEqual(seven.drafted);
    expect(eight.drafted).not.toEqual(seven.drafted);
    expect(eight.outputs).toEqual(seven.outputs);
    for (const source of SOURCES) {
      const alone = await draftsOf(7, [source]);
      expect(alone.drafted.get(source.join(' '))).toEqual(seven.drafted.get(source.join(' ')));
    }
    // Rows have streams of their own.
    expect(new Set([...seven.drafted.values()].map((drafts) => drafts.slice(0, 2).join())).size).toBe(SOURCES.length);
  });
});
