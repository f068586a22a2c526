import { readFile } from 'node:fs/promises';
import { beamSearch } from '@foretoken/beam';
import { collect } from '@foretoken/core';
import { greedy } from '@foretoken/greedy';
import type { LoadedModel } from '@foretoken/models';
import { ngramDrafter, speculative } from '@foretoken/speculative';
import { inRepository, withImported } from './imported-model.js';
import type { ModelFigures, ModelRow } from './model-row.js';

/** Made by `apps/distill/make_ctranslate2_goldens.py`: what CTranslate2 gives for the same weights. Token ids are characters. */
interface Goldens {
  readonly newTokens: number;
  readonly models: Readonly<
    Record<
      string,
      {
        readonly sources: readonly string[];
        readonly prefix: readonly number[];
        readonly runs: Readonly<Record<string, Run>>;
      }
    >
  >;
}

interface Run {
  readonly greedy: readonly string[];
  readonly beam: readonly string[];
  /** Of the best and the last of four hypotheses. */
  readonly scores: readonly (readonly number[])[];
}

const GOLDENS = 'packages/importers/test/goldens/ctranslate2';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_';
const BEAM = { beamSize: 4, hypotheses: 4, stopWhen: 'full', lengthPenalty: 1 } as const;

/** A small encoder-decoder of random weights as CTranslate2 stores them; the difference is that of scores of beams. */
export const ctranslate2 = (kind: string, storage: string): ModelRow => ({
  model: `ctranslate2-${kind}`,
  format: `ctranslate2, ${storage}`,
  oracle: 'ctranslate2 4.8.5, float32',
  packages: [],
  required: { equal: 1, worstLogitDifference: 1e-4 },
  async measure() {
    const goldens = JSON.parse(await readFile(inRepository(GOLDENS, 'expected.json'), 'utf8')) as Goldens;
    return withImported(inRepository(GOLDENS, `${kind}-${storage}`), (model) => compare(model, goldens, kind, storage));
  },
});

/** Greedy outputs, best hypotheses of beams and drafted outputs that are equal, and the largest difference of a score. */
async function compare(
  model: LoadedModel,
  { newTokens, models }: Goldens,
  kind: string,
  storage: string,
): Promise<ModelFigures> {
  const { sources, prefix, runs } = models[kind];
  const run = runs[storage];
  const target = model.part('autoregressive');
  const { vocabulary } = target;
  const request = {
    sources: sources.map((row) => Int32Array.from(row, (digit) => DIGITS.indexOf(digit))),
    outputPrefixes: sources.map(() => Int32Array.from(prefix)),
    maxNewTokens: newTokens,
  };
  const said = ({ tokenIds }: { readonly tokenIds: Int32Array }): string =>
    Array.from(tokenIds.subarray(prefix.length), (id) => DIGITS[id]).join('');
  const plain = (await collect(greedy().decode(target, request))).results;
  const drafter = ngramDrafter({ vocabulary });
  const drafted = (await collect(speculative({ drafter }).decode(target, request))).results;
  // Behind a prefix, beams of CTranslate2 do not end at once.
  const minNewTokens = prefix.length === 0 ? 0 : 1;
  const beams = (await collect(beamSearch(BEAM).decode(target, { ...request, minNewTokens }))).results;
  let [equal, worst] = [0, 0];
  for (const [row, scores] of run.scores.entries()) {
    const same =
      said(plain[row].best) === run.greedy[row] &&
      said(drafted[row].best) === run.greedy[row] &&
      said(beams[row].best) === run.beam[row];
    if (same) equal++;
    const { hypotheses } = beams[row];
    for (const [at, rank] of [0, hypotheses.length - 1].entries()) {
      worst = Math.max(worst, Math.abs((hypotheses[rank].score ?? Number.NaN) - scores[at]));
    }
  }
  return {
    family: model.manifest.family,
    equal: equal / sources.length,
    worstLogitDifference: worst,
    details: { cases: sources.length },
  };
}
