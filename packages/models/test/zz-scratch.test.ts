import { readFile } from 'node:fs/promises';
import { collect } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy } from '@foretoken/greedy';
import { beamSearch } from '@foretoken/beam';
import { it } from 'vitest';
import { loadModel } from '../src/index.js';
it('opt', async () => {
  const rows = JSON.parse(await readFile('/tmp/small15/opt.json', 'utf8'));
  for (const folder of (process.env.FOLDERS ?? '/tmp/small15/exp-opt').split(',')) {
  const m = await loadModel(folder, { probe: false });
  console.log(folder, JSON.stringify(m.description.facts));
  const model = m.part('autoregressive');
  for (const { source, logits, greedy: g, beam } of rows) {
    for (const together of [1, 2, source.length]) {
      await using forest = await model.open([Int32Array.from(source)]);
      const { prefix } = forest.start(0);
      let last: number = ROOT; let worst = 0;
      for (let at = 0; at < prefix.length; at += together) {
        const nodes = new NodeBatch();
        const chain = prefix.slice(at, at + together);
        nodes.addChain(0, last, chain, 'all');
        const ext = await forest.extend(nodes, { kind: 'logits' });
        last = ext.firstNode + chain.length - 1;
        ext.logits.forEach((v, i) => { worst = Math.max(worst, Math.abs(v - logits[at + Math.floor(i / model.vocabulary.size)][i % model.vocabulary.size])); });
      }
      console.log(source.join(), together, worst);
    }
    const a = (await collect(greedy().decode(model, { sources: [Int32Array.from(source)], maxNewTokens: 12 }))).results[0].best.tokenIds;
    const b = (await collect(beamSearch().decode(model, { sources: [Int32Array.from(source)], maxNewTokens: 12 }))).results[0].best.tokenIds;
    console.log([...a].join() === g.filter((x: number) => x !== 2).join(), [...b].join() === beam.filter((x: number) => x !== 2 && x !== 1).join(), [...a].join(), g.join(), [...b].join(), beam.join());
  }
  const all = rows.map(({ source }: any) => Int32Array.from(source));
  for (const d of [greedy(), beamSearch()]) {
    const r = (await collect(d.decode(model, { sources: all, maxNewTokens: 12 }))).results.map((x) => [...x.best.tokenIds].join());
    const alone = [];
    for (const s of all) alone.push([...(await collect(d.decode(model, { sources: [s], maxNewTokens: 12 }))).results[0].best.tokenIds].join());
    console.log('batch', JSON.stringify(r) === JSON.stringify(alone));
  }
  }
}, 100000);
it('mlm', async () => {
  for (const f of ['exp-roberta', 'exp-bert', 'exp-distilbert', 'opt', 'exp-opt-nopast']) await loadModel('/tmp/small15/' + f).then(() => console.log(f, 'ok'), (e) => console.log(f, e.code, e.message));
}, 100000);
