import { collect } from '@foretoken/core';
import { describe, expect, it } from 'vitest';
import { speculative } from '../src/index.js';
import { counting } from './counting-target.js';
import { scriptedDrafter, scriptedTarget } from './scripted-target.js';

const SIZE = 100;

describe('shape', () => {
  const bush = scriptedDrafter((_source, output) => ({
    tokenIds: Int32Array.of(90, 3 + output.length),
    parents: Int32Array.of(-1, -1),
  }));

  it('tree verifies every branch, chain only the path of first children', async () => {
    const request = { sources: [6], maxNewTokens: 2 };
    const target = () => scriptedTarget({ script: counting, size: SIZE });
    const tree = await collect(speculative({ drafter: bush }).decode(target(), request));
    expect(tree.statistics).toMatchObject({ forwards: 1, speculation: { proposed: 2, evaluated: 2, accepted: 1 } });
    const chain = await collect(speculative({ drafter: bush, shape: 'chain' }).decode(target(), request));
    expect(chain.statistics).toMatchObject({ forwards: 2, speculation: { proposed: 2, evaluated: 1, accepted: 0 } });
  });

  it('is by default tree where the model has branching and chain where not, with the same output', async () => {
    const request = { sources: [6], maxNewTokens: 2 };
    const branching = scriptedTarget({ script: counting, size: SIZE });
    const chainOnly = scriptedTarget({ script: counting, size: SIZE, branching: false });
    const tree = await collect(speculative({ drafter: bush }).decode(branching, request));
    const chain = await collect(speculative({ drafter: bush }).decode(chainOnly, request));
    expect(tree.statistics).toMatchObject({ forwards: 1, speculation: { evaluated: 2 } });
    expect(chain.statistics).toMatchObject({ forwards: 2, speculation: { evaluated: 1 } });
    expect(chain.results).toEqual(tree.results);
  });

  it('is what `requires` says: a model is refused exactly where that is more than it supports', async () => {
    for (const shape of [undefined, 'tree', 'chain'] as const) {
      const decoder = speculative({ drafter: bush, shape });
      for (const branching of [true, false]) {
        for (const rollback of [true, false]) {
          const target = scriptedTarget({ script: counting, size: SIZE, branching, rollback });
          const { requires } = decoder;
          if (requires.model !== 'autoregressive') throw new Error('speculative decodes autoregressive models');
          const fits = (branching || !requires.branching) && (rollback || !requires.rollback);
          const decode = collect(decoder.decode(target, { sources: [6] }));
          if (fits) await decode;
          else await expect(decode).rejects.toMatchObject({ code: 'UNSUPPORTED_CAPABILITY' });
          expect(target.log.opened).toBe(fits ? 1 : 0);
          expect(fits).toBe(rollback && (branching || shape !== 'tree'));
        }
      }
    }
  });
});
