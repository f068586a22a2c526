import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { greedy } from '@foretoken/greedy';
import { importModel } from '@foretoken/importers';
import { loadModel } from '@foretoken/models';
import { modelGoldens } from '../real-models.js';
import type { ModelRow } from './model-row.js';
import { speedOverPackage } from './package-speed.js';

const VOWELS = ['AA', 'AE', 'AH', 'AO', 'AW', 'AY', 'EH', 'ER', 'EY', 'IH', 'IY', 'OW', 'OY', 'UH', 'UW'];
const CONSONANTS = 'B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH'.split(' ');
/** ARPAbet in the order of the alphabet: vowels with each stress, and one without. */
const PHONEMES = [...VOWELS.flatMap((vowel) => [`${vowel}0`, `${vowel}1`, `${vowel}2`]), 'UW', ...CONSONANTS].sort();

/** What the weights of g2p-en are, since the package says it in code. */
const G2P_CONFIG = {
  model_type: 'foretoken-recurrent',
  cell: 'gru',
  hidden_size: 256,
  source_vocab_size: 29,
  vocab_size: 74,
  bos_token_id: 2,
  eos_token_id: 3,
  max_source_length: 128,
  max_length: 64,
  tensors: Object.fromEntries(
    [
      ['encoder', 'enc'],
      ['decoder', 'dec'],
    ].flatMap(([side, own]) => [
      [`${side}.embedding.weight`, `${own}_emb`],
      ...['weight', 'bias'].flatMap((part) =>
        ['ih', 'hh'].map((of) => [`${side}.rnn.${part}_${of}_l0`, `${own}_${part.charAt(0)}_${of}`]),
      ),
    ]),
  ),
} as const;

const G2P_SYMBOLS = {
  source: ['<pad>', '<unk>', '</s>', ...'abcdefghijklmnopqrstuvwxyz'],
  target: ['<pad>', '<unk>', '<s>', '</s>', ...PHONEMES],
  joiner: ' ',
  hidden: [0, 1, 2, 3],
  lowercase: true,
  unknownTokenId: 1,
  endTokenId: 2,
};

const PARTS =
  'both: letters to ids, encoder and steps; the other side is arithmetic of numpy in one function, ours the whole decode of a text';

/** g2p-en: English words to phonemes, a GRU encoder-decoder whose weights are an archive of numpy. */
export const g2pEn: ModelRow = {
  model: 'g2p-en',
  format: 'npz',
  oracle: 'the arithmetic of g2p-en 2.1.0 in numpy',
  packages: ['g2p-en'],
  required: { equal: 1 },
  async measure({ folders }) {
    const parent = await mkdtemp(join(tmpdir(), 'foretoken-g2p-'));
    try {
      const weights = join(parent, 'weights');
      await mkdir(weights);
      await copyFile(join(folders['g2p-en'], 'g2p_en/checkpoint20.npz'), join(weights, 'checkpoint20.npz'));
      const tensors = { ...G2P_CONFIG.tensors, 'decoder.out.weight': 'fc_w', 'decoder.out.bias': 'fc_b' };
      await writeFile(join(weights, 'config.json'), JSON.stringify({ ...G2P_CONFIG, tensors }));
      await writeFile(join(weights, 'symbols.json'), JSON.stringify(G2P_SYMBOLS));
      await importModel(weights, join(parent, 'model'), { weights: 'float32' });
      await using model = await loadModel(join(parent, 'model'), { threads: 1 });
      const words = modelGoldens('g2p-en') as readonly (readonly [string, readonly number[]])[];
      const texts = words.map(([word]) => word);
      const results = await model.decode(texts, greedy(), { maxNewTokens: 20 });
      const equal = words.filter(([, ids], at) => ids.join() === results[at].tokenIds.join()).length;
      const example = `${texts[0]}: ${results[0].text}`;
      const timed = await speedOverPackage('g2p-en', folders['g2p-en'], PARTS, async () => {
        for (const text of texts) await model.decode(text, greedy(), { maxNewTokens: 20 });
      });
      return {
        family: model.manifest.family,
        ...timed,
        equal: equal / words.length,
        details: { cases: words.length, example, ...timed.details },
      };
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  },
};
