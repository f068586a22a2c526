import type { AutoregressiveModel, Extension, NodeId, TokenForest } from '@foretoken/core';
import { ROOT } from '@foretoken/core/kit';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type * as Accept from '../src/accept.js';
import type * as Speculative from '../src/speculative.js';
import type * as Row from '../src/speculative-row.js';
import { type Factory, findsDifference } from './any-case.js';
import type { Target } from './scripted-target.js';

const ACCEPT = '../src/accept.js';
const ROW = '../src/speculative-row.js';

/** The decoder, loaded anew so that it takes up replaced modules. */
async function load(): Promise<Factory> {
  vi.resetModules();
  return (await vi.importActual<typeof Speculative>('../src/speculative.js')).speculative;
}

afterEach(() => {
  vi.doUnmock(ACCEPT);
  vi.doUnmock(ROW);
});

/** A target whose cache cannot go back: released nodes stay, and a row always goes on from its latest node. */
function withoutRollback(target: Target): AutoregressiveModel<number> {
  return {
    ...target,
    async open(sources, options): Promise<TokenForest> {
      const forest = await target.open(sources, options);
      const latest: NodeId[] = sources.map(() => ROOT);
      return {
        rows: forest.rows,
        start: (row) => forest.start(row),
        async extend(nodes, output, signal): Promise<Extension<typeof output>> {
          const { row, tokenId, scored } = nodes;
          const parent = nodes.parent.map((node, index) => (node < ROOT ? node : latest[row[index]]));
          const extension = await forest.extend({ row, parent, tokenId, scored }, output, signal);
          row.forEach((at, index) => {
            latest[at] = extension.firstNode + index;
          });
          return extension;
        },
        retain() {},
        finish: (row) => forest.finish(row),
        [Symbol.asyncDispose]: () => forest[Symbol.asyncDispose](),
      };
    },
  };
}

describe('the equality property tells these faults', () => {
  it('but not the decoder as it is', async () => {
    expect(await findsDifference(await load())).toBe(false);
  });

  it('first draft token unverified', async () => {
    vi.doMock(ACCEPT, async (original) => {
      const real = await original<typeof Accept>();
      const agreedPath: typeof real.agreedPath = (draft, chosen, first) => {
        if (draft.tokenIds.length === 0) return [];
        const trusted = chosen.slice();
        trusted[first - 1] = draft.tokenIds[0];
        return real.agreedPath(draft, trusted, first);
      };
      return { ...real, agreedPath };
    });
    expect(await findsDifference(await load())).toBe(true);
  });

  it('missing rollback', async () => {
    expect(await findsDifference(await load(), withoutRollback)).toBe(true);
  });

  it('dropped bonus token', async () => {
    vi.doMock(ROW, async (original) => {
      const real = await original<typeof Row>();
      class Mutant extends real.SpeculativeRow {
        override decide(verified: Row.Verified) {
          const push = this.output.push.bind(this.output);
          const last = this.draft.tokenIds.length;
          let pushed = 0;
          // A fully accepted chain: the token after it is fed to the target, but never becomes output.
          this.output.push = (tokenId) => (last > 0 && pushed++ === last ? true : push(tokenId));
          try {
            return super.decide(verified);
          } finally {
            this.output.push = push;
          }
        }
      }
      return { ...real, SpeculativeRow: Mutant };
    });
    expect(await findsDifference(await load())).toBe(true);
  });

  it('last accepted token decided by the draft, not the target', async () => {
    vi.doMock(ACCEPT, async (original) => {
      const real = await original<typeof Accept>();
      const agreedPath: typeof real.agreedPath = (draft, chosen, first) => {
        const path = real.agreedPath(draft, chosen, first);
        const child = draft.parents.indexOf(path.at(-1) ?? -1);
        return child < 0 ? path : [...path, child];
      };
      return { ...real, agreedPath };
    });
    expect(await findsDifference(await load())).toBe(true);
  });

  it('correction taken from the node before', async () => {
    vi.doMock(ACCEPT, async (original) => {
      const real = await original<typeof Accept>();
      const decidingNodes: typeof real.decidingNodes = (path, first) =>
        real.decidingNodes(path, first).map((node, index, all) => (index > 0 ? all[index - 1] : node));
      return { ...real, decidingNodes };
    });
    expect(await findsDifference(await load())).toBe(true);
  });

  it('a draft that runs past the limit of the row', async () => {
    vi.doMock(ROW, async (original) => {
      const real = await original<typeof Row>();
      class Mutant extends real.SpeculativeRow {
        override draftLimit(maxNodes: number, maxDepth: number) {
          return { nodes: maxNodes, depth: maxDepth };
        }
      }
      return { ...real, SpeculativeRow: Mutant };
    });
    expect(await findsDifference(await load())).toBe(true);
  });
});
