import { beamSearch } from '@foretoken/beam';
import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { NodeBatch, ROOT } from '@foretoken/core/kit';
import { greedy, sampling } from '@foretoken/greedy';
import { copyDrafter, ngramDrafter, speculative } from '@foretoken/speculative';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadedModel, loadModel } from '../src/index.js';
import { CAUSAL_KINDS, type CausalGolden, causalFolder, causalGoldens } from './causal-fixtures.js';

const NEW_TOKENS = 24;

async function logitsOf(model: AutoregressiveModel<TokenSource>, tokens: readonly number[]): Promise<Float32Array> {
  await using forest = await model.open([Int32Array.from(tokens)]);
  const nodes = new NodeBatch();
  nodes.addChain(0, ROOT, forest.start(0).prefix, 'all');
  return (await forest.extend(nodes, { kind: 'logits' })).logits;
}

describe.each(CAUSAL_KINDS)('a %s model against transformers on the same weights', (kind) => {
  let loaded: LoadedModel;
  let model: AutoregressiveModel<TokenSource>;
  let goldens: readonly CausalGolden[];
  let sources: readonly TokenSource[];

  beforeAll(async () => {
    goldens = await causalGoldens(kind);
    sources = goldens.map(({ prompt }) => Int32Array.from(prompt));
    loaded = await loadModel(await causalFolder(kind), { probe: false });
    model = loaded.part('autoregressive');
  });
  afterAll(() => loaded.dispose());

  const decode = async (decoder: Parameters<typeof loaded.decode>[1], rows = sources) => {
    const stopSequences = (loaded.processor.stopTokenIds ?? []).map((tokenId) => Int32Array.of(tokenId));
    const request = { sources: rows, maxNewTokens: NEW_TOKENS, stopSequences, seed: 7 };
    return (await collect((decoder as ReturnType<typeof greedy>).decode(model, request))).results;
  };
  /** Without what ended it, as the goldens are. */
  const shown = (tokenIds: Int32Array): number[] => {
    const stops = loaded.processor.stopTokenIds ?? [];
    return [...tokenIds].filter((id, index) => !(index === tokenIds.length - 1 && stops.includes(id)));
  };

  it('has the same logits to 1e-4 after every token', async () => {
    for (const { prompt, logits: expected } of goldens) {
      const logits = await logitsOf(model, prompt);
      expect(logits.length).toBe(expected.length * model.vocabulary.size);
      for (const [index, value] of expected.flat().entries()) {
        expect(Math.abs(logits[index] - value)).toBeLessThan(1e-4);
      }
    }
  });

  it('has the same greedy outputs, alone and together', async () => {
    const together = await decode(greedy());
    for (const [row, { greedy: expected }] of goldens.entries()) {
      const [alone] = await decode(greedy(), [sources[row]]);
      expect(shown(alone.best.tokenIds)).toEqual(expected);
      expect(shown(together[row].best.tokenIds)).toEqual(expected);
    }
  });

  it('has the same n-best list of a beam of four, scores too', async () => {
    const stopWhen = 'improvement-unlikely';
    const results = await decode(beamSearch({ beamSize: 4, hypotheses: 4, stopWhen, lengthPenalty: 1 }));
    for (const [row, { beam, scores }] of goldens.entries()) {
      const { hypotheses } = results[row];
      expect(hypotheses.map(({ tokenIds }) => shown(tokenIds))).toEqual(beam);
      for (const [index, score] of scores.entries()) expect(hypotheses[index].score).toBeCloseTo(score, 4);
    }
  });

  it('is the same with drafts looked up in the prompt', async () => {
    const { vocabulary } = model;
    const plain = (await decode(greedy())).map(({ best }) => best.tokenIds);
    for (const drafter of [ngramDrafter({ vocabulary }), copyDrafter({ vocabulary, shape: 'tree' })]) {
      const drafted = await decode(speculative({ drafter }));
      expect(drafted.map(({ best }) => best.tokenIds)).toEqual(plain);
    }
  });

  it('draws the same of a seed, alone and together', async () => {
    const decoder = sampling({ temperature: 0.8, topP: 0.95 });
    const together = await decode(decoder);
    for (const [row, source] of sources.entries()) {
      const [alone] = await decode(decoder, [source]);
      expect(alone.best.tokenIds).toEqual(together[row].best.tokenIds);
    }
  });

  it('says the same bits of a node, however many are read and scored beside it', async () => {
    const { prompt } = goldens[3];
    const { size } = model.vocabulary;
    const whole = await logitsOf(model, prompt);
    for (let length = 1; length < prompt.length; length++) {
      const part = await logitsOf(model, prompt.slice(0, length));
      expect(part).toEqual(whole.subarray(0, length * size));
    }
  });
});
