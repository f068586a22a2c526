import { collect, type AutoregressiveModel, type CtcLattice, type Drafter, type TokenForest } from '@foretoken/core';
import { it } from 'vitest';
import { chainDraft, speculative, latticeDrafter } from '../src/index.js';
const model: AutoregressiveModel<number> = { vocabulary: { size: 6000, endTokenId: 0 }, maxLength: 500, supports: { outputs: ['argmax'], branching: true, rollback: true, rows: 10 },
  async open() { let next = 0; const f = { rows: 1, get nextNode() { return next; }, prefix: () => Int32Array.of(1), async extend(nodes: any) { const firstNode = next; next += nodes.tokenId.length; return { firstNode, tokenIds: nodes.tokenId.map((x: number) => x + 1) }; }, retain() {}, finish() {}, async [Symbol.asyncDispose]() {} }; return f as unknown as TokenForest; } };
const d: Drafter<number> = { name: 'd', async open() { return { forwards: 0, propose(_r, prefix, limit) { const l = prefix.at(-1) ?? 1; const n = Math.min(limit.nodes, limit.depth); return chainDraft(Array.from({ length: n }, (_, i) => l + 1 + i + (i > 5 ? 1 : 0))); }, async [Symbol.asyncDispose]() {} }; } };
it('time', async () => {
  for (let rep = 0; rep < 5; rep++) { const t = performance.now(); let f = 0;
  for (let i = 0; i < 100; i++) { const r = await collect(speculative<number>({ drafter: d }).decode(model, { sources: [i], maxNewTokens: 100 })); f += r.statistics.forwards; }
  console.log('us per round', (performance.now() - t) * 1000 / f); }
  const frames = 60, k = 8; const lat = (): CtcLattice => { const tokenIds = new Int32Array(frames * k); const logProbs = new Float32Array(frames * k); const blankLogProbs = new Float32Array(frames);
    for (let t = 0; t < frames; t++) { const isb = t % 2 === 1; for (let j = 0; j < k; j++) { tokenIds[t*k+j] = j === 0 ? (isb ? 5999 : t + 2) : 100 + ((t * 31 + j * 7) % 5000); logProbs[t*k+j] = Math.log(j === 0 ? 0.7 : 0.25 / 2 ** j); } blankLogProbs[t] = Math.log(isb ? 0.7 : 0.04); }
    return { kind: 'ctc', frames, k, blankId: 5999, tokenIds, logProbs, blankLogProbs }; };
  const l = lat();
  const dr = latticeDrafter<number>({ model: { vocabulary: { size: 6000, endTokenId: 0 }, supports: { kind: 'ctc', maxCandidates: 8 }, async emit() { return [l]; } } });
  for (let rep = 0; rep < 5; rep++) { let open = 0, prop = 0, nodes = 0; for (let i = 0; i < 200; i++) { let t = performance.now(); const s = await dr.open([0], {}); open += performance.now() - t; t = performance.now(); 
    for (let p = 0; p < 20; p += 2) { const dd = await s.propose(0, Int32Array.from({ length: p }, (_, q) => 2 * q + 2), { nodes: 10, depth: 10 }); nodes += dd.tokenIds.length; } prop += performance.now() - t; }
    console.log('open us', open * 5, 'propose us', prop * 1000 / 2000, 'nodes', nodes / 2000); }
});
