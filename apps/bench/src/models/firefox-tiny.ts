import { type AutoregressiveModel, collect, type TokenSource } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { rounded, spread } from '../statistics.js';
import { inOwnFolder, withImported } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';
import {
  missingTranslationPeer,
  processorSeconds,
  type TranslationPeer,
  withTranslationPeer,
} from './translation-peer.js';

type Peer = TranslationPeer<string, string>;

const TURNS = 3;
/** Rows of the batches that are timed with the shortlist and without. */
const BATCHES = [1, 8, 64] as const;

/** A model of random weights as large as Firefox's smallest, with a shortlist and without. */
export const firefoxTiny: ModelRow = {
  model: 'marian-firefox-tiny',
  format: 'marian, lexical shortlist',
  oracle: 'pymarian 1.12.42 with the shortlist, float32',
  packages: [],
  // A different machine adds up in another order, which may turn a near tie.
  required: { equal: 0.95, worstLogitDifference: 1e-4 },
  missing: missingTranslationPeer('pymarian'),
  measure: ({ progress }) =>
    inOwnFolder((weights) =>
      withTranslationPeer('marian', weights, (peer: Peer) =>
        withImported(weights, (listed) =>
          withImported(weights, (whole) => compare(peer, listed, whole, progress), { shortlist: false }),
        ),
      ),
    ),
};

async function compare(
  peer: Peer,
  listed: LoadedModel,
  whole: LoadedModel,
  progress: (text: string) => void,
): Promise<ModelFigures> {
  const read = await Promise.all(peer.sources.map((text) => listed.processor.read(text)));
  const sources = read.map(({ source }) => source as TokenSource);
  const parts = { listed: listed.part('autoregressive'), whole: whole.part('autoregressive') };
  const expected = { listed: await peer.decode(true), whole: await peer.decode(false) };
  const figures = { listed: { equal: 0, worst: 0 }, whole: { equal: 0, worst: 0 } };
  for (const name of ['listed', 'whole'] as const) {
    const strategy = greedy({ tokenLogProbs: true });
    for (const [row, source] of sources.entries()) {
      const { results } = await collect(
        strategy.decode(parts[name], { sources: [source], maxNewTokens: source.length }),
      );
      const { tokenIds, tokenLogProbs = new Float32Array() } = results[0].best;
      const { outputs, logProbs } = expected[name];
      if (listed.tokenizer?.decode(tokenIds) === outputs[row].trimEnd()) figures[name].equal++;
      const sum = tokenLogProbs.reduce((all, one) => all + one, 0);
      const difference = Math.abs(sum - logProbs[row]) / tokenLogProbs.length;
      figures[name].worst = Math.max(figures[name].worst, difference);
    }
  }
  progress('marian-firefox-tiny: outputs are compared');
  const speed = await timed(peer, parts, sources);
  return {
    family: listed.manifest.family,
    equal: figures.listed.equal / sources.length,
    worstLogitDifference: figures.listed.worst,
    speedOverOracle: speed.overOracle,
    details: {
      cases: sources.length,
      // The mean of each output's tokens is compared.
      difference: 'of log-probabilities of tokens, mean of an output',
      withoutShortlist: {
        equal: figures.whole.equal / sources.length,
        worstDifference: figures.whole.worst,
        speedOverOracle: speed.overOracleWhole,
      },
      shortlistSpeedup: speed.shortlist,
      oracleShortlistSpeedup: speed.oracleShortlist,
      speed: 'processor time, 1 thread each, one text at a time; shortlistSpeedup by rows of a batch',
    },
  };
}

type Part = AutoregressiveModel<TokenSource>;

/** Ratios of processor time, medians of turns. */
async function timed(
  peer: Peer,
  { listed, whole }: { readonly listed: Part; readonly whole: Part },
  sources: readonly TokenSource[],
) {
  const decodeAll = (part: Part, rows: number) => async (): Promise<void> => {
    for (let first = 0; first < sources.length; first += rows) {
      const batch = sources.slice(first, first + rows);
      await collect(greedy().decode(part, { sources: batch, maxNewTokens: batch[0].length }));
    }
  };
  const ratios = {
    overOracle: [] as number[],
    overOracleWhole: [] as number[],
    oracleShortlist: [] as number[],
    shortlist: BATCHES.map((rows) => [rows, [] as number[]] as const),
  };
  for (let turn = 0; turn < TURNS; turn++) {
    const theirs = { listed: (await peer.decode(true)).seconds, whole: (await peer.decode(false)).seconds };
    ratios.oracleShortlist.push(theirs.whole / theirs.listed);
    for (const [rows, found] of ratios.shortlist) {
      const own = await processorSeconds(decodeAll(listed, rows));
      const ownWhole = await processorSeconds(decodeAll(whole, rows));
      found.push(ownWhole / own);
      if (rows !== 1) continue;
      ratios.overOracle.push(theirs.listed / own);
      ratios.overOracleWhole.push(theirs.whole / ownWhole);
    }
  }
  const median = (values: readonly number[]): number => rounded(spread(values).median, 2);
  return {
    overOracle: median(ratios.overOracle),
    overOracleWhole: median(ratios.overOracleWhole),
    oracleShortlist: median(ratios.oracleShortlist),
    shortlist: Object.fromEntries(ratios.shortlist.map(([rows, found]) => [rows, median(found)])),
  };
}
