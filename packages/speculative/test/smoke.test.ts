import { collect, type DecodeEvent, type Drafter } from '@foretoken/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chainDraft, speculative } from '../src/index.js';
import { hashModel, nextOf } from './hash-model.js';

function plain(seed: number, size: number, end: number, limit: number): number[] {
  const path = [1];
  while (path.length - 1 < limit) { const t = nextOf(seed, path, size); if (t === end) break; path.push(t); }
  return path.slice(1);
}
function drafter(size: number, oracle: boolean, noise: number, tree: boolean): Drafter<number> {
  return { name: 'd', async open(sources) { let c = 0; return { forwards: 0, propose(row, prefix, limit) {
    const path = [1, ...prefix]; const out: number[] = [];
    const seed = sources[row] as number;
    const n = Math.min(limit.nodes, limit.depth, oracle ? 99 : (c * 7) % 5);
    if (tree && limit.nodes > 2) {
      const a = nextOf(seed, path, size); const b = nextOf(seed, [...path, a], size);
      return { tokenIds: Int32Array.of((a + 1) % size, a, ...(limit.depth > 1 && a !== 0 ? [b] : [])), parents: Int32Array.of(-1, -1, ...(limit.depth > 1 && a !== 0 ? [1] : [])) };
    }
    for (let i = 0; i < n; i++) { let t = nextOf(seed, path, size); if (!oracle && (c++ * 31 + noise) % 3 === 0) t = (t + 1) % size; out.push(t); path.push(t); if (t === 0) break; }
    return chainDraft(out);
  }, async [Symbol.asyncDispose]() {} }; } };
}
it('smoke', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.nat(1e6), { minLength: 1, maxLength: 4 }), fc.integer({ min: 2, max: 9 }), fc.integer({ min: 1, max: 30 }), fc.boolean(), fc.boolean(), fc.nat(5), async (seeds, size, limit, branching, tree, noise) => {
    const model = hashModel(size, 0, 25, branching);
    const events: DecodeEvent[] = [];
    const d = speculative<number>({ drafter: drafter(size, noise === 0, noise, tree), shape: branching ? 'tree' : 'chain', scores: noise % 2 === 0 });
    for await (const e of d.decode(model, { sources: seeds, maxNewTokens: limit })) events.push(e);
    const end = events.at(-1);
    if (end?.type !== 'decode-end') throw new Error();
    seeds.forEach((seed, row) => {
      expect([...(end.results[row]?.hypotheses[0]?.tokenIds ?? [])]).toEqual(plain(seed, size, 0, Math.min(25, limit)));
      expect(events.flatMap((e) => e.type === 'token-commit' && e.row === row ? [...e.tokenIds] : [])).toEqual(plain(seed, size, 0, Math.min(25, limit)));
    });
    expect(model.log.open).toBe(0);
    expect(end.statistics.forwards).toBe(model.log.forwards);
  }), { numRuns: 2000 });
});
it('time', async () => {
  const model = hashModel(1000, 0, 500);
  const t = performance.now(); let f = 0;
  for (let i = 0; i < 30; i++) { const r = await collect(speculative<number>({ drafter: drafter(1000, true, 0, false) }).decode(model, { sources: [i], maxNewTokens: 200 })); f += r.statistics.forwards; }
  console.log('us per round', (performance.now() - t) * 1000 / f);
});
