import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import { importRecurrentSteps } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { speedOverPackage } from './package-speed.js';

/** Ids of a word, and those of its phonemes. */
type Spoken = readonly [word: readonly number[], phonemes: readonly number[]];

const [PAD, START, END] = [0, 1, 2];

/** hama: words to phonemes, a GRU with location attention. Its step gives the best token alone, so the scores inside are exposed. */
export const hamaG2p: ModelRow = {
  model: 'hama-g2p',
  format: 'onnx',
  oracle: 'hama 1.3.13',
  packages: ['hama'],
  required: { equal: 1 },
  async measure({ folders }) {
    const assets = join(folders.hama, 'hama/assets');
    const vocabulary = JSON.parse(await readFile(join(assets, 'g2p_vocab.json'), 'utf8')) as Record<string, string[]>;
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-hama-g2p-'));
    try {
      await importRecurrentSteps(join(assets, 'decoder_step.onnx'), join(parent, 'model'), {
        encoder: join(assets, 'encoder.onnx'),
        symbols: {
          target: vocabulary.decoder,
          source: vocabulary.encoder,
          hidden: [PAD, START, END],
          unknownTokenId: 1,
        },
        startTokenId: START,
        endTokenId: END,
        padTokenId: PAD,
        paddedLength: 128,
        exposeScores: '/output_proj/MatMul_output_0',
      });
      await using model = await loadModel(join(parent, 'model'), { threads: 1 });
      const words = modelGoldens('hama-g2p') as readonly Spoken[];
      const sources = words.map(([ids]) => Int32Array.from(ids));
      const target = model.part('autoregressive');
      const request = { sources, maxNewTokens: 32 };
      const { results } = await collect(greedy().decode(target, request));
      // The package leaves padding out of what it tells.
      const said = (tokenIds: Int32Array): string => tokenIds.filter((id) => id !== PAD).join();
      const equal = words.filter(([, ids], at) => ids.join() === said(results[at].best.tokenIds)).length;
      const timed = await speedOverPackage(
        'hama-g2p',
        folders.hama,
        'both: encoder, steps and the best of each; the package cuts texts, ours begins with ids',
        async () => {
          for (const source of sources) await collect(greedy().decode(target, { ...request, sources: [source] }));
        },
      );
      return {
        family: model.manifest.family,
        ...timed,
        equal: equal / words.length,
        details: { cases: words.length, ...timed.details },
      };
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};
