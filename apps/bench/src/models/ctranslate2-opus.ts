import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { sameTokens } from '../same-tokens.js';
import { rounded, spread } from '../statistics.js';
import { inOwnFolder, withImported } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';
import {
  missingTranslationPeer,
  processorSeconds,
  type TranslationPeer,
  withTranslationPeer,
} from './translation-peer.js';

type Peer = TranslationPeer<readonly number[], readonly number[]>;

const TURNS = 3;
const NEW_TOKENS = 20;

/** A model of random weights as large as those of OPUS-MT, as CTranslate2 converts one of Marian. */
export const ctranslate2Opus: ModelRow = {
  model: 'ctranslate2-opus-sized',
  format: 'ctranslate2, float32',
  oracle: 'ctranslate2 4.8.5, float32',
  packages: [],
  // A different machine adds up in another order, which may turn a near tie.
  required: { equal: 0.9, worstLogitDifference: 1e-4 },
  missing: missingTranslationPeer('ctranslate2'),
  measure: () =>
    inOwnFolder((weights) =>
      withTranslationPeer('ctranslate2', weights, (peer: Peer) =>
        withImported(weights, (model) => compare(peer, model)),
      ),
    ),
};

async function compare(peer: Peer, model: LoadedModel): Promise<ModelFigures> {
  const target = model.part('autoregressive');
  const sources = peer.sources.map((source) => Int32Array.from(source));
  const outputs = async (strategy: ReturnType<typeof greedy>) => {
    const rows = [];
    for (const source of sources) {
      const { results } = await collect(strategy.decode(target, { sources: [source], maxNewTokens: NEW_TOKENS }));
      rows.push(results[0].best);
    }
    return rows;
  };
  const expected = await peer.decode(false);
  const found = await outputs(greedy({ tokenLogProbs: true }));
  let [equal, worst] = [0, 0];
  for (const [row, { tokenIds, tokenLogProbs = new Float32Array() }] of found.entries()) {
    if (sameTokens(tokenIds, Int32Array.from(expected.outputs[row]))) equal++;
    const sum = tokenLogProbs.reduce((all, one) => all + one, 0);
    worst = Math.max(worst, Math.abs(sum - expected.logProbs[row]) / tokenLogProbs.length);
  }
  const ratios: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const { seconds } = await peer.decode(false);
    ratios.push(seconds / (await processorSeconds(() => outputs(greedy()))));
  }
  return {
    family: model.manifest.family,
    equal: equal / sources.length,
    worstLogitDifference: worst,
    speedOverOracle: rounded(spread(ratios).median, 2),
    details: {
      cases: sources.length,
      difference: 'of log-probabilities of tokens, mean of an output',
      speed: 'greedy, processor time, 1 thread each',
    },
  };
}
