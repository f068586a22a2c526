import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collect } from '@foretoken/core';
import { correctionDrafter, createCorrector } from '@foretoken/correction';
import { greedy } from '@foretoken/greedy';
import { loadModel } from '@foretoken/models';
import { speculative } from '@foretoken/speculative';
import { describe, expect, it } from 'vitest';

const folder = fileURLToPath(new URL('../model/', import.meta.url));

// Built by apps/distill/build-correction-model.mjs; without the weights there is nothing to test here.
describe.runIf(existsSync(`${folder}foretoken.json`))('the English corrector', () => {
  it('corrects, copies, and leaves good text alone', async () => {
    const model = await loadModel(folder, { threads: 1, probe: false });
    try {
      const corrector = createCorrector(model);
      const { text } = await corrector.correct('i have recieved teh letter yesterday');
      expect(text).toMatch(/^I have received the letter yesterday\.$/);
      for (const good of ['The weather is nice today.', '', '???', 'кот', '`npm i foo`', '\t\r\n', '3.14']) {
        expect((await corrector.correct(good)).text).toBe(good);
      }
    } finally {
      await model.dispose();
    }
  });

  it('says the same drafted as token by token, in far fewer forwards', async () => {
    const model = await loadModel(folder, { threads: 1, probe: false });
    try {
      const target = model.part('autoregressive');
      const drafted = speculative({ drafter: correctionDrafter(model), maxNodes: 64 });
      let [forwards, plainForwards] = [0, 0];
      for (const line of [
        'she have two brothers and they lives in london',
        'It was neccessary to seperate teh two groups.',
      ]) {
        const request = { sources: [model.tokenizer.encode(line)] };
        const plain = await collect(greedy().decode(target, request));
        const quick = await collect(drafted.decode(target, request));
        expect(quick.results[0].best.tokenIds).toEqual(plain.results[0].best.tokenIds);
        forwards += quick.statistics.forwards;
        plainForwards += plain.statistics.forwards;
      }
      expect(forwards * 2).toBeLessThan(plainForwards);
    } finally {
      await model.dispose();
    }
  });

  it('is small enough', () => {
    const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(`${folder}${name}`).size, 0);
    expect(bytes).toBeLessThan(12_000_000);
  });
});
